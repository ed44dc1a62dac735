// Bodies that see their whole stream.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using agdf::Outcome;
using agdf::Receiver;
using agdf::Stream;
using test::Watchdog;
using Ints = std::vector<int>;

Ints up_to(int n)
{
    Ints numbers(static_cast<std::size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

constexpr auto never = std::chrono::steady_clock::time_point::max();

/// What one call of `next_until` answered.
std::string answer(const std::optional<int>& item, const Receiver<int>& items)
{
    return item ? std::to_string(*item) : items.has_ended() ? "end" : "empty";
}

}  // namespace

TEST_CASE("a body that sees its whole stream keeps state and yields a last time at the end", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto sums = graph.add_node("sums", [](Receiver<int> numbers) -> Stream<int> {
        int total = 0;
        while (auto number = co_await numbers.next())
            total += *number;
        co_yield total;
    });
    graph.add_node("numbers", agdf::from_range(up_to(100)), {}) >> sums >> graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == Ints{5050});
}

TEST_CASE("the end is seen again and again, and an empty stream has one", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int ends = 0;
    auto sink = graph.add_node("sink", [&](Receiver<int> numbers) -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            auto number = co_await numbers.next();
            ends += number ? 0 : 1;
        }
    });
    graph.add_node("nothing", agdf::from_range(Ints{})) >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(ends == 3);
}

TEST_CASE("workers that see the stream compete for one queue and each sees the end", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints counts;
    auto counters = graph.add_node("counters", [](Receiver<int> numbers) -> Stream<int> {
        int count = 0;
        while (auto number = co_await numbers.next()) {
            co_await agdf::sleep_for(std::chrono::microseconds(1));
            ++count;
        }
        co_yield count;
    }, {.workers = 3, .queue_size = 2});
    graph.add_node("numbers", agdf::from_range(up_to(60))) >> counters >> graph.add_node("counts", agdf::collect(counts));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(counts.size() == 3);
    REQUIRE(std::accumulate(counts.begin(), counts.end(), 0) == 60);
}

TEST_CASE("what a body leaves unread is counted as undelivered and logged, and its producers end", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    std::vector<std::string> lines;
    agdf::GraphOptions options;
    options.log = [&](agdf::LogLevel, std::string_view line) { lines.emplace_back(line); };
    agdf::Graph graph{io, options};
    auto first = graph.add_node("first", [](Receiver<int> numbers) -> asio::awaitable<void> {
        auto number = co_await numbers.next();
        (void)number;
    }, {.queue_size = 4});
    graph.add_node("numbers", agdf::from_range(up_to(50))) >> first;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed);
    REQUIRE(report.node("first").in == 50);
    REQUIRE(report.node("first").undelivered == 49);
    REQUIRE(lines.size() == 1);
    REQUIRE(lines[0].find("agdf: node 'first': 49 of 50 items are undelivered, since its body returned before the end") == 0);
}

TEST_CASE("a body that fails at an item begins anew with the next one", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto pick = graph.add_node("pick", [](Receiver<int> numbers) -> Stream<int> {
        while (auto number = co_await numbers.next()) {
            if (*number % 3 == 0)
                throw std::runtime_error("a third");
            co_yield *number;
        }
    });
    graph.add_node("numbers", agdf::from_range(up_to(7))) >> pick >> graph.add_node("results", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed_with_errors);
    REQUIRE(report.node("pick").err == 2);
    REQUIRE(results == Ints{1, 2, 4, 5, 7});
}

TEST_CASE("a body that fails before it reads does not fail for ever", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto broken = graph.add_node("broken", [](Receiver<int>) -> asio::awaitable<void> {
        throw std::runtime_error("at once");
        co_return;
    });
    graph.add_node("numbers", agdf::from_range(up_to(5))) >> broken;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed_with_errors);
    REQUIRE(report.node("broken").err >= 5);
    REQUIRE(report.node("broken").err <= 6);
}

TEST_CASE("a generic body is given its Receiver when add_node names it", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int total = 0;
    auto sink = graph.add_node<Receiver<int>>("sink", [&](auto numbers) -> asio::awaitable<void> {
        while (auto number = co_await numbers.next())
            total += *number;
    });
    graph.add_node("numbers", agdf::from_range(up_to(4))) >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(total == 10);
}

TEST_CASE("move-only items pass through a Receiver", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int total = 0;
    auto boxes = graph.add_node("boxes", [](int n) { return std::make_unique<int>(n); });
    auto sink = graph.add_node("sink", [&](Receiver<std::unique_ptr<int>> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next())
            total += **item;
    });
    graph.add_node("numbers", agdf::from_range(up_to(4))) >> boxes >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(total == 10);
}

TEST_CASE("a deadline in the past only asks, and gives what is queued", "[receiver][time]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    std::vector<std::string> answers;
    auto source = graph.add_node("source", [&]() -> Stream<int> {
        co_yield 1;
        co_yield 2;
        auto opened = co_await gate.receive();
        (void)opened;
    });
    auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
        auto first = co_await items.next();
        answers.push_back(answer(first, items));
        for (int i = 0; i < 3; ++i) {
            auto item = co_await items.next_until(items.now() - std::chrono::hours(1));
            answers.push_back(answer(item, items));
        }
        gate.close();
        auto last = co_await items.next_for(std::chrono::hours(1));
        answers.push_back(answer(last, items));
    });
    source >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(answers == std::vector<std::string>{"1", "2", "empty", "empty", "end"});
}

TEST_CASE("a body that only asks, again and again, lets the others go on", "[receiver][time]")
{
    for (const bool stops : {false, true}) {
        Watchdog watchdog;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        Ints results;
        auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
            if (stops)
                graph.stop();
            while (!items.has_ended()) {
                auto item = co_await items.next_until(std::chrono::steady_clock::time_point::min());
                if (item)
                    results.push_back(*item);
            }
        }, {.queue_size = 1});
        auto numbers = graph.add_node("numbers", [](int n) -> Stream<int> {
            for (int i = 1; i <= n; ++i)
                co_yield i;
        });
        numbers >> sink;
        const agdf::RunReport report = graph.run({.start = {agdf::start(numbers, 10)}});
        REQUIRE(report.outcome == (stops ? Outcome::stopped : Outcome::completed));
        if (!stops)
            REQUIRE(results == up_to(10));
    }
}

TEST_CASE("a stop ends a receive that waits with a deadline at once, and after it the end is waited for", "[receiver][stop]")
{
    const std::chrono::steady_clock::duration times[] = {std::chrono::hours(1), std::chrono::steady_clock::duration::max()};
    for (const auto time : times) {
        Watchdog watchdog;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        agdf::Channel<int> gate{1};
        std::vector<std::string> answers;
        auto source = graph.add_node("source", [&]() -> Stream<int> {
            co_yield 1;
            auto opened = co_await gate.receive();
            (void)opened;
        });
        auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
            auto first = co_await items.next();
            answers.push_back(answer(first, items));
            asio::post(io, [&] { graph.stop(); });
            REQUIRE(!items.is_draining());
            while (!items.has_ended()) {
                auto item = co_await items.next_for(time);
                answers.push_back(answer(item, items));
            }
            REQUIRE(items.is_draining());
        });
        source >> sink;
        REQUIRE(graph.run().outcome == Outcome::stopped);
        REQUIRE(answers == std::vector<std::string>{"1", "empty", "end"});
    }
}

TEST_CASE("a stop does not end a receive without a deadline before the end", "[receiver][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    std::vector<std::string> answers;
    auto source = graph.add_node("source", [&]() -> Stream<int> {
        auto opened = co_await gate.receive();
        (void)opened;
        co_yield 0;
    });
    auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
        asio::post(io, [&] { graph.stop(); });
        auto item = co_await items.next();
        answers.push_back(answer(item, items));
    });
    source >> sink;
    REQUIRE(graph.run().outcome == Outcome::stopped);
    REQUIRE(answers == std::vector<std::string>{"end"});
}

TEST_CASE("when the run is stopped what is queued comes first, then one empty answer for each wait", "[receiver][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> tokens{8};
    std::vector<std::string> answers;
    auto source = graph.add_node("source", agdf::from_range(up_to(4)));
    auto relay = graph.add_node("relay", [&](int n) -> asio::awaitable<int> {
        auto token = co_await tokens.receive();
        (void)token;
        co_return n;
    });
    auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
        REQUIRE(tokens.try_send(1));
        REQUIRE(tokens.try_send(2));
        auto first = co_await items.next();
        answers.push_back(answer(first, items));
        graph.stop();
        while (!items.has_ended()) {
            auto item = co_await items.next_until(never);
            answers.push_back(answer(item, items));
            if (!item && !items.has_ended())
                REQUIRE(tokens.try_send(3));
        }
    });
    source >> relay >> sink;
    REQUIRE(graph.run().outcome == Outcome::stopped);
    REQUIRE(answers == std::vector<std::string>{"1", "2", "empty", "3", "empty", "4", "end"});
}

TEST_CASE("a cancelled run throws into a receive that waits with a deadline, and nothing stays alive", "[receiver][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    bool aborted = false;
    auto source = graph.add_node("source", [&]() -> Stream<test::Counted> {
        test::Counted one{1};
        co_yield one;
        auto opened = co_await gate.receive();
        (void)opened;
    });
    auto sink = graph.add_node("sink", [&](Receiver<test::Counted> items) -> asio::awaitable<void> {
        auto kept = co_await items.next();
        asio::post(io, [&] { graph.cancel(); });
        try {
            auto item = co_await items.next_for(std::chrono::hours(1));
            (void)item;
        } catch (const asio::system_error& error) {
            aborted = error.code() == asio::error::operation_aborted;
            throw;
        }
    });
    source >> sink;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::cancelled);
    REQUIRE(report.node("sink").err == 0);
    REQUIRE(aborted);
    REQUIRE(test::Counted::alive() == 0);
}

TEST_CASE("a context that dies while a receive waits with a deadline leaves nothing alive", "[receiver][lifetime]")
{
    Watchdog watchdog;
    {
        agdf::Channel<int> gate{1};
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        auto source = graph.add_node("source", [&]() -> Stream<test::Counted> {
            test::Counted one{1};
            co_yield one;
            auto opened = co_await gate.receive();
            (void)opened;
        });
        auto sink = graph.add_node("sink", [&](Receiver<test::Counted> items) -> asio::awaitable<void> {
            auto kept = co_await items.next();
            asio::post(io, [&] { io.stop(); });
            auto item = co_await items.next_for(std::chrono::hours(1));
            (void)item;
        });
        source >> sink;
        graph.async_run([](const agdf::RunReport&) {});
        io.run();
        REQUIRE(test::Counted::alive() > 0);
    }
    REQUIRE(test::Counted::alive() == 0);
}

TEST_CASE("items that a body gives up count as undelivered", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto sink = graph.add_node("sink", [](Receiver<int> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next())
            if (*item > 6)
                items.give_up();
        items.give_up(2);
    });
    graph.add_node("numbers", agdf::from_range(up_to(10))) >> sink;
    REQUIRE(graph.run().node("sink").undelivered == 6);
}

TEST_CASE("no item is lost or doubled when times run out as items arrive, on several threads", "[receiver][time][threads]")
{
    Watchdog watchdog;
    constexpr int count = 3'000;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    std::atomic<std::int64_t> total{0};
    std::atomic<int> empty{0};
    auto source = graph.add_node("source", []() -> Stream<int> {
        for (int i = 1; i <= count; ++i) {
            if (i % 8 == 0)
                co_await agdf::sleep_for(std::chrono::microseconds(1));
            co_yield i;
        }
    });
    auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
        while (!items.has_ended()) {
            auto item = co_await items.next_for(std::chrono::microseconds(2));
            total += item ? *item : 0;
            empty += item ? 0 : 1;
        }
    }, {.workers = 4, .queue_size = 1});
    source >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(total == std::int64_t{count} * (count + 1) / 2);
    REQUIRE(empty > 4);
}

TEST_CASE("a stop reaches every worker that waits with a deadline, on whatever thread", "[receiver][stop][threads]")
{
    Watchdog watchdog;
    for (int i = 0; i < 50; ++i) {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet({.threads = 3})};
        agdf::Channel<int> gate{1};
        std::atomic<int> empty{0};
        auto source = graph.add_node("source", [&]() -> Stream<int> {
            asio::post(io, [&] { graph.stop(); });
            auto opened = co_await gate.receive();
            (void)opened;
            co_yield 0;
        });
        auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
            while (!items.has_ended()) {
                auto item = co_await items.next_until(never);
                empty += item || items.has_ended() ? 0 : 1;
            }
        }, {.workers = 4});
        source >> sink;
        REQUIRE(graph.run().outcome == Outcome::stopped);
        REQUIRE(empty <= 4);  // a worker for which the end came first has seen that
    }
}

TEST_CASE("a body does not see an end that comes too early because the run was halted", "[receiver][halt]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.on_error = agdf::OnError::halt})};
    bool saw_the_end = false;
    auto source = graph.add_node("source", []() -> Stream<int> {
        co_yield 1;
        throw std::runtime_error("the second item cannot be read");
    });
    auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next())
            (void)item;
        saw_the_end = true;
    });
    source >> sink;
    REQUIRE(graph.run().outcome == Outcome::halted);
    REQUIRE(!saw_the_end);
}

TEST_CASE("a receive with a time is answered when it is over, and not before", "[receiver][time]")
{
    using namespace std::chrono_literals;
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> answers;
    auto source = graph.add_node("source", []() -> Stream<int> {
        co_await agdf::sleep_for(10s);
        co_yield 1;
        co_await agdf::sleep_for(10s);
        co_yield 2;
        co_await agdf::sleep_for(10s);
    });
    auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
        const auto began = items.now();
        while (!items.has_ended()) {
            auto item = co_await items.next_for(8s);
            const auto passed = std::chrono::duration_cast<std::chrono::seconds>(items.now() - began);
            answers.push_back(std::to_string(passed.count()) + ": " + answer(item, items));
        }
    });
    source >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(answers == std::vector<std::string>{"8: empty", "10: 1", "18: empty", "20: 2", "28: empty", "30: end"});
    REQUIRE(time.elapsed() == 30s);
}

TEST_CASE("an item that a body fails without an error has failed all the same, and the report says what was missing", "[receiver][error]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(std::vector{1}));
    source >> graph.add_node("fails", [](agdf::Receiver<int> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next())
            items.fail(nullptr);
    });
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed_with_errors);
    CHECK(report.exit_code() == 1);
    CHECK(report.node("fails").err == 1);
    CHECK_THAT(test::text_of(report.first_error), Catch::Matchers::ContainsSubstring("the error is null. Expected:"));
}

TEST_CASE("a body can fail one item and go on with what it keeps", "[receiver][error]")
{
    for (const agdf::OnError on_error : {agdf::OnError::skip, agdf::OnError::halt}) {
        Watchdog watchdog;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        int total = 0;
        auto sink = graph.add_node("sink", [&](Receiver<int> items) -> asio::awaitable<void> {
            while (auto item = co_await items.next()) {
                if (*item == 3)
                    items.fail(std::make_exception_ptr(std::runtime_error("three")));
                else
                    total += *item;
            }
            total += 100;
        }, {.on_error = on_error});
        graph.add_node("numbers", agdf::from_range(up_to(4))) >> sink;
        const agdf::RunReport report = graph.run();
        REQUIRE(report.node("sink").err == 1);
        REQUIRE(test::text_of(report.first_error) == "three");
        REQUIRE(report.outcome == (on_error == agdf::OnError::skip ? Outcome::completed_with_errors : Outcome::halted));
        if (on_error == agdf::OnError::skip)
            REQUIRE(total == 107);
        else
            REQUIRE(total < 100);
    }
}

TEST_CASE("an item that a body fails because it is cancelled itself is undelivered", "[receiver][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range({1, 2, 3}));
    source >> graph.add_node("tells", [&](agdf::Receiver<int> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next()) {
            std::exception_ptr error;
            try {
                graph.cancel();
                co_await agdf::sleep_for(std::chrono::hours(1));
            } catch (...) {
                error = std::current_exception();
            }
            items.fail(error);
        }
    });
    const auto report = graph.run();
    CHECK(report.outcome == agdf::Outcome::cancelled);
    CHECK(report.node("tells").in == 3);
    CHECK(report.node("tells").err == 0);
    CHECK(report.node("tells").undelivered == 3);
}
