// What nodes do before their first item and after their last one, and bodies with a state for each worker.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Hook;
using agdf::Outcome;
using agdf::Stream;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::up_to;
using Words = std::vector<std::string>;

Hook says(Words& words, std::string word)
{
    return [&words, word] { words.push_back(word); };
}

Hook says_later(Words& words, std::string word)
{
    return [&words, word]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(1s);
        words.push_back(word);
    };
}

/// Runs three nodes a -> b -> c with these hooks; the hooks of a and c say so.
void run_three(Bench& bench, Words& words, Hook setup, Hook teardown)
{
    auto a = bench.graph.add_node("a", agdf::from_range(up_to(2)), {.setup = says(words, "set up a"), .teardown = says(words, "tear down a")});
    auto b = bench.graph.add_node("b", [&](int n) {
        words.push_back("item");
        return n;
    }, {.setup = std::move(setup), .teardown = std::move(teardown)});
    auto c = bench.graph.add_node("c", agdf::collect(bench.results), {.setup = says_later(words, "set up c"), .teardown = says_later(words, "tear down c")});
    a >> b >> c;
    bench.report = bench.graph.run();
}

/// Counts what it is called with, and adds its number.
struct Meter {
    explicit Meter(std::map<int, Ints>& seen_) : seen(&seen_), number(static_cast<int>(seen_.size()) + 1) { seen_[number]; }
    std::map<int, Ints>* seen;
    int number;
    Counted alive;
};

}  // namespace

TEST_CASE("nodes are set up in their order before any item flows, and torn down in reverse before the report", "[setup]")
{
    Bench bench;
    Words words;
    run_three(bench, words, says_later(words, "set up b"), says(words, "tear down b"));
    CHECK(words == Words{"set up a", "set up b", "set up c", "item", "item", "tear down c", "tear down b", "tear down a"});
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 2});
    CHECK(bench.report.elapsed == 3s);
}

TEST_CASE("a setup that throws halts the run before it began, and only what was set up is torn down", "[setup]")
{
    const bool later = GENERATE(false, true);
    Bench bench;
    Words words;
    const Hook fails = later ? Hook{[]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(1s);
        throw std::runtime_error("no database");
    }}
                             : Hook{[] { throw std::runtime_error("no database"); }};
    run_three(bench, words, fails, says(words, "tear down b"));
    CHECK(words == Words{"set up a", "tear down a"});
    CHECK(bench.report.outcome == Outcome::halted);
    CHECK(test::text_of(bench.report.first_error) == "no database");
    CHECK(bench.report.first_error_node == "b");
    CHECK(bench.report.exceptions("b").size() == 1);
    CHECK(bench.report.node("a").out == 0);
    CHECK(bench.report.exit_code() != 0);
}

TEST_CASE("a teardown that throws is in the report, and the others still run", "[setup]")
{
    Bench bench;
    Words words;
    run_three(bench, words, {}, [] { throw std::runtime_error("no commit"); });
    CHECK(words == Words{"set up a", "set up c", "item", "item", "tear down c", "tear down a"});
    CHECK(bench.results == Ints{1, 2});
    CHECK(test::text_of(bench.report.first_error) == "no commit");
    CHECK(bench.report.first_error_node == "b");
    CHECK(bench.report.exit_code() != 0);
}

TEST_CASE("nodes are torn down also when the run is cancelled, halted or stopped", "[setup]")
{
    const std::string how = GENERATE("cancel", "halt", "stop");
    Bench bench;
    Words words;
    bench.at(1500ms, [&] {
        if (how == "cancel")
            bench.graph.cancel();
        if (how == "stop")
            bench.graph.stop();
    });
    const Body body = [&](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1s);
        if (how == "halt" && n == 2)
            throw std::runtime_error("two");
        co_return n;
    };
    bench.run(body, {.queue_size = 1, .on_error = agdf::OnError::halt, .teardown = says_later(words, "torn down")}, up_to(9));
    CHECK(words == Words{"torn down"});
    CHECK(bench.report.outcome == (how == "cancel" ? Outcome::cancelled : how == "halt" ? Outcome::halted : Outcome::stopped));
}

TEST_CASE("a cancel during a setup ends the run, and tears down what was set up", "[setup]")
{
    Bench bench;
    Words words;
    bench.at(1s, [&] { bench.graph.cancel(); });
    run_three(bench, words, []() -> asio::awaitable<void> { co_await agdf::sleep_for(1h); }, says(words, "tear down b"));
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(bench.report.elapsed == 1s);
    CHECK(words == Words{"set up a", "tear down a"});
}

TEST_CASE("a setup that succeeds while the run is being cancelled is torn down like any other", "[setup]")
{
    Bench bench;
    Words words;
    run_three(bench, words, [&] { bench.graph.cancel(); }, says(words, "tear down b"));
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(words == Words{"set up a", "tear down b", "tear down a"});
}

TEST_CASE("a cancel by a node leaves all teardowns their time", "[setup]")
{
    Bench bench;
    Words words;
    const Body body = [&](int n) -> asio::awaitable<int> {
        bench.graph.cancel();
        co_return n;
    };
    bench.run(body, {.teardown = says_later(words, "torn down")}, up_to(1));
    CHECK(words == Words{"torn down"});
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK_FALSE(bench.report.first_error);
}

TEST_CASE("a cancel ends the teardown that is under way, and not the next one, also if the first makes nothing of it", "[setup]")
{
    Bench bench;
    Words words;
    const auto ignores = [&]() -> asio::awaitable<void> {
        try {
            co_await agdf::sleep_for(1h);
        } catch (const asio::system_error&) {
            words.push_back("cut short");
        }
    };
    bench.at(1min, [&] { bench.graph.cancel(); });
    bench.graph.add_node("a", agdf::from_range(up_to(2)), {.teardown = says_later(words, "torn down")}) >>
        bench.graph.add_node("b", agdf::collect(bench.results), {.teardown = ignores});
    bench.report = bench.graph.run();
    CHECK(words == Words{"cut short", "torn down"});
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK_FALSE(bench.report.first_error);
}

TEST_CASE("a cancel at any step of a run, also between its last item and its first teardown, leaves nothing that is not torn down", "[setup][cancel]")
{
    for (int steps = 0, ended = 0; ended < 3; ++steps) {
        Bench bench{{.threads = 3}};  // of which one at a time runs here
        Words words;
        auto a = bench.graph.add_node("a", agdf::from_range(up_to(2)), {.setup = says(words, "up"), .teardown = says(words, "down")});
        auto b = bench.graph.add_node("b", agdf::collect(bench.results), {.setup = says(words, "up"), .teardown = says(words, "down")});
        a >> b;
        bool done = false;
        bench.graph.async_run([&](agdf::RunReport) { done = true; });
        for (int i = 0; i < steps && !done; ++i)
            bench.io.poll_one();
        ended += done ? 1 : 0;
        bench.graph.cancel();
        bench.io.restart();
        bench.io.run();
        CAPTURE(steps);
        CHECK(done);
        CHECK(std::count(words.begin(), words.end(), "up") == std::count(words.begin(), words.end(), "down"));
    }
}

TEST_CASE("a run whose teardown is ended by a cancel from another thread is reported as cancelled", "[setup][cancel][threads]")
{
    const test::Watchdog watchdog;
    std::size_t others = 0;
    for (int i = 0; i < 100; ++i) {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet({.threads = 2})};
        std::atomic<bool> tears_down{false};
        graph.add_node("node", agdf::from_range(up_to(2)), {.teardown = [&]() -> asio::awaitable<void> {
            tears_down = true;
            co_await agdf::sleep_for(1h);
        }});
        std::thread other{[&] {
            while (!tears_down)
                std::this_thread::yield();
            graph.cancel();
        }};
        others += graph.run().outcome != Outcome::cancelled ? 1 : 0;
        other.join();
    }
    CHECK(others == 0);
}

TEST_CASE("a graph that runs again sets its nodes up again", "[setup]")
{
    Bench bench;
    Words words;
    bool fail = true;
    bench.graph.add_node("a", agdf::from_range(up_to(2)), {.setup = [&] {
        words.push_back("up");
        if (fail)
            throw std::runtime_error("not yet");
    }, .teardown = says(words, "down")}) >> bench.graph.add_node("b", agdf::collect(bench.results));
    CHECK(bench.graph.run().outcome == Outcome::halted);
    fail = false;
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(words == Words{"up", "up", "down", "up", "down"});
    CHECK(bench.results == Ints{1, 2, 1, 2});
}

TEST_CASE("each worker has a body of its own, in each run, between the setup and the teardown", "[per_worker]")
{
    Bench bench;
    std::map<int, Ints> seen;
    Words words;
    const auto make = [&] {
        words.push_back("made");
        return Body{[meter = std::make_shared<Meter>(seen)](int n) -> asio::awaitable<int> {
            (*meter->seen)[meter->number].push_back(n);
            co_await agdf::sleep_for(1s);
            co_return n;
        }};
    };
    const Hook down = [&] { words.push_back(Counted::alive() == 0 ? "down" : "too early"); };
    bench.run(agdf::per_worker(make), {.workers = 3, .setup = says(words, "up"), .teardown = down}, up_to(9));
    CHECK(words == Words{"up", "made", "made", "made", "down"});
    CHECK(seen.size() == 3);
    for (const auto& [number, items] : seen)
        CHECK(items.size() == 3);
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(seen.size() == 6);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("the bodies of workers may be blocking functions, streams and whole-stream bodies", "[per_worker]")
{
    Bench bench;
    auto source = bench.graph.add_node("source", agdf::from_range(up_to(4)));
    auto counting = bench.graph.add_node("counting", agdf::per_worker([] { return agdf::blocking([count = 0](int) mutable { return ++count; }); }));
    auto adding = bench.graph.add_node("adding", agdf::per_worker([] {
        return [sum = 0](int n) mutable -> Stream<int> {
            sum += n;
            co_yield sum;
        };
    }));
    auto whole = bench.graph.add_node("whole", agdf::per_worker([] {
        return [](agdf::Receiver<int> numbers) -> Stream<int> {
            while (auto n = co_await numbers.next())
                co_yield *n;
        };
    }));
    source >> counting >> adding >> whole >> bench.graph.add_node("sink", agdf::collect(bench.results));
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 3, 6, 10, 1, 3, 6, 10});
}

TEST_CASE("a factory that throws halts the run before any item flows", "[per_worker]")
{
    Bench bench;
    Words words;
    int made = 0;
    const auto make = [&] {
        if (++made == 2)
            throw std::runtime_error("no second one");
        return Body{[](int n) -> asio::awaitable<int> { co_return n; }};
    };
    bench.run(agdf::per_worker(make), {.workers = 3, .setup = says(words, "up"), .teardown = says(words, "down")}, up_to(9));
    CHECK(bench.report.outcome == Outcome::halted);
    CHECK(test::text_of(bench.report.first_error) == "no second one");
    CHECK(bench.node().in == 0);
    CHECK(words == Words{"up", "down"});
}
