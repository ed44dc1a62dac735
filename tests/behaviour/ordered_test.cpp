// Outputs leave in input order although several workers run; with keys, in order within a key only.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using agdf::Jitter;
using agdf::Outcome;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::StreamBody;
using test::Ticks;
using test::up_to;

/// A wait of 0 to 99 ms, another one for each number.
Ticks some_time(int n) { return std::chrono::milliseconds(n * 7'919 % 100); }

agdf::OrderKey tens() { return [](const int& n) { return n / 10; }; }

/// Returns a body that takes its time, and fails on the second attempt at some items, and for good at others.
Body slow(Ints& tried)
{
    return [&tried](int n) -> asio::awaitable<int> {
        const Counted local;
        co_await agdf::sleep_for(some_time(n));
        if (n % 10 == 3 || (n % 10 == 6 && std::count(tried.begin(), tried.end(), n) == 0)) {
            tried.push_back(n);
            throw std::runtime_error("bad " + std::to_string(n));
        }
        if (n % 10 == 8)
            co_await agdf::sleep_for(1h);
        co_return n;
    };
}

/// The numbers up to 200 that `slow` delivers.
Ints good_numbers()
{
    Ints good;
    for (const int n : up_to(200))
        if (n % 10 != 3 && n % 10 != 8)
            good.push_back(n);
    return good;
}

}  // namespace

TEST_CASE("outputs leave in input order from eight workers that take different times", "[ordered]")
{
    Bench bench;
    Ints finished;
    const Body body = [&](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(some_time(n));
        finished.push_back(n);
        co_return n;
    };
    bench.run(body, {.workers = 8, .ordered = true}, up_to(500));
    CHECK(bench.results == up_to(500));
    CHECK_FALSE(std::is_sorted(finished.begin(), finished.end()));
    CHECK(bench.report.elapsed < 500 * 25ms);  // they do work side by side
}

TEST_CASE("failed, timed out, retried and dead-lettered items do not disturb or hold up the order", "[ordered]")
{
    Bench bench;
    Ints tried;
    Ints letters;
    auto node = bench.graph.add_node("node", slow(tried), {.workers = 8, .retry = {.attempts = 2, .delay = 30ms, .jitter = Jitter::none}, .timeout = 2s, .ordered = true});
    bench.graph.add_node("source", agdf::from_range(up_to(200))) >> node >> bench.graph.add_node("sink", agdf::collect(bench.results));
    bench.graph.add_error_edge(node, bench.graph.add_node("letters", [&](agdf::Failed<int> letter) { letters.push_back(letter.item); }));
    const agdf::RunReport report = bench.graph.run();
    CHECK(bench.results == good_numbers());
    CHECK(letters.size() == 40);
    CHECK(report.node("node").err == 40);
    CHECK(report.node("node").retried == 60);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("items that are filtered out release their place", "[ordered]")
{
    Bench bench;
    const std::function<asio::awaitable<std::optional<int>>(int)> body = [](int n) -> asio::awaitable<std::optional<int>> {
        co_await agdf::sleep_for(some_time(n));
        std::optional<int> result;
        if (n % 3 == 0)
            result = n;
        co_return result;
    };
    bench.run(body, {.workers = 4, .ordered = true}, up_to(12));
    CHECK(bench.results == Ints{3, 6, 9, 12});
}

TEST_CASE("a stream's outputs stay together and in order, however many there are", "[ordered]")
{
    Bench bench;
    const StreamBody body = [](int n) -> agdf::Stream<int> {
        const Counted local;
        for (int i = 0; i < 50; ++i) {
            co_await agdf::sleep_for(some_time(n + i));
            co_yield 100 * n + i;
        }
    };
    bench.run(body, {.workers = 8, .ordered = true}, up_to(20));
    CHECK(bench.results.size() == 1'000);
    CHECK(std::is_sorted(bench.results.begin(), bench.results.end()));
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("an ordered node ends when it is cancelled, halted or stopped in the middle", "[ordered]")
{
    const std::string how = GENERATE("cancel", "halt", "stop");
    Bench bench;
    const StreamBody body = [&](int n) -> agdf::Stream<int> {
        const Counted local;
        co_yield n;
        co_await agdf::sleep_for(n % 8 == 1 ? 1s : 1ms);  // the others wait for this one
        if (how == "halt" && n == 10)
            throw std::runtime_error("enough");
        co_yield n;
    };
    bench.at(1500ms, [&] {
        if (how == "cancel")
            bench.graph.cancel();
        if (how == "stop")
            bench.graph.stop();
    });
    bench.run(body, {.workers = 8, .queue_size = 16, .on_error = agdf::OnError::halt, .ordered = true}, up_to(100));
    CHECK(bench.report.outcome == (how == "cancel" ? Outcome::cancelled : how == "halt" ? Outcome::halted : Outcome::stopped));
    CHECK(std::is_sorted(bench.results.begin(), bench.results.end()));
    CHECK(bench.results.size() < 200);
    CHECK(bench.node().active == 0);
    CHECK(bench.node().queued == 0);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("start items come first in the order", "[ordered]")
{
    Bench bench;
    const Body body = [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(some_time(n));
        co_return n;
    };
    auto source = bench.graph.add_node("source", agdf::from_range(Ints{4, 5, 6, 7, 8}));
    auto node = bench.graph.add_node("node", body, {.workers = 3, .ordered = true});
    source >> node >> bench.graph.add_node("sink", agdf::collect(bench.results));
    const agdf::RunReport report =
        bench.graph.run({.start = {agdf::start(node, 1), agdf::start(node, 2), agdf::start(node, 3), agdf::start(source)}});
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == up_to(8));
}

TEST_CASE("the order holds on several threads", "[ordered][threads]")
{
    test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    Ints results;
    const Body body = [](int n) -> asio::awaitable<int> {
        std::minstd_rand random{static_cast<unsigned>(n)};
        int spin = static_cast<int>(random() % 200);
        while (spin > 0)
            spin -= static_cast<int>(random() % 2);
        if (n % 7 == 0)
            throw std::runtime_error("seven");
        co_return n;
    };
    graph.add_node("source", agdf::from_range(up_to(3'000))) >> graph.add_node("node", body, {.workers = 4, .queue_size = 16, .ordered = true}) >>
        graph.add_node("sink", agdf::collect(results), {.queue_size = 8});
    const agdf::RunReport report = graph.run();
    CHECK(report.node("node").err == 428);
    CHECK(results.size() == 2'572);
    CHECK(std::is_sorted(results.begin(), results.end()));
}

TEST_CASE("order by key holds within a key, and no key waits for another", "[ordered]")
{
    Bench bench;
    const Body body = [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(n == 1 ? 1h : n < 10 ? 1s : 1ms);
        co_return n;
    };
    std::vector<std::pair<int, Ticks>> arrived;
    bench.run_into([&](int n) { arrived.emplace_back(n, bench.time.elapsed()); }, body, {.workers = 4, .ordered_by_key = tens()}, {1, 2, 11, 12, 3, 21});
    const std::vector<std::pair<int, Ticks>> expected{{11, 1ms}, {12, 1ms}, {21, 2ms}, {1, 1h}, {2, 1h}, {3, 1h}};
    CHECK(arrived == expected);
}

TEST_CASE("a key of another type than the node's item is refused", "[ordered]")
{
    Bench bench;
    CHECK_THAT(test::graph_error_of([&] {
                   bench.graph.add_node("node", [](int n) { return n; }, {.workers = 2, .ordered_by_key = [](const std::string& text) { return text.size(); }});
               }),
               ContainsSubstring("'node'") && ContainsSubstring("ordered_by_key") && ContainsSubstring("std::string") && ContainsSubstring("int") &&
                   ContainsSubstring("Expected:"));
}

TEST_CASE("an item whose key cannot be told fails, and the others go on", "[ordered]")
{
    Bench bench;
    const Body body = [](int n) -> asio::awaitable<int> { co_return n; };
    bench.run(body, {.workers = 2, .ordered_by_key = [](const int& n) { return n == 2 ? throw std::runtime_error("no key") : n; }}, up_to(4));
    std::sort(bench.results.begin(), bench.results.end());
    CHECK(bench.results == Ints{1, 3, 4});
    CHECK(bench.node().err == 1);
    CHECK(test::text_of(bench.report.first_error) == "no key");
}

TEST_CASE("an item that waits for its turn holds no permit that the one before it needs", "[ordered]")
{
    Bench bench;
    int calls = 0;
    const StreamBody body = [&](int n) -> agdf::Stream<int> {
        if (++calls <= 2)
            throw agdf::RetryLater("busy", n == 1 ? 10s : 1s);  // so the second item is in its last attempt first
        co_yield n;
        co_yield n;
    };
    bench.run(body, {.workers = 2, .retry = {.attempts = 2}, .ordered = true, .limit = agdf::Semaphore{1}}, {1, 2});
    CHECK(bench.results == Ints{1, 1, 2, 2});
    CHECK(bench.report.outcome == Outcome::completed);
}

TEST_CASE("a stop that cuts items off before older ones have begun leaves nobody waiting for its turn", "[ordered][stop]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    const auto body = [&](int n) -> asio::awaitable<int> {  // after it 5 and 6 are taken, and stopped, before 3 is
        const Counted local;
        if (n == 0)
            co_await agdf::sleep_for(1ms);
        if (n == 1) {
            graph.pause();
            co_await agdf::sleep_for(20ms);
            graph.resume();
        }
        if (n == 4) {
            graph.pause();
            co_await agdf::sleep_for(1h);
        }
        co_return n;
    };
    Ints results;
    auto node = graph.add_node("node", body, {.workers = 3, .ordered = true});
    node >> graph.add_node("sink", agdf::collect(results));
    agdf::RunOptions options;
    for (int i = 0; i < 7; ++i)
        options.start.push_back(agdf::start(node, i));
    asio::co_spawn(io, [&]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(100ms);
        graph.stop();
    }, asio::detached);
    const auto report = graph.run(std::move(options));
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.node("node").out + report.node("node").undelivered == 7);
    CHECK(std::is_sorted(results.begin(), results.end()));
    CHECK(Counted::alive() == 0);
}
