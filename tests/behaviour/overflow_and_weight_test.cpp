// What becomes of items that find a queue full, by number or by weight.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::Overflow;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::up_to;

/// A body that takes a second for each item, and fails at 100.
Body slow()
{
    return [](int n) -> asio::awaitable<int> {
        const Counted local;
        co_await agdf::sleep_for(1s);
        if (n == 100)
            throw std::runtime_error("100");
        co_return n;
    };
}

void check_balance(const agdf::NodeStats& node, std::size_t finished)
{
    CHECK(node.in == finished + node.err + node.undelivered + node.dropped);
}

/// Yields each item a millisecond after the one before.
agdf::Stream<int> trickle(Ints items)
{
    for (const int n : items) {
        co_await agdf::sleep_for(1ms);
        co_yield n;
    }
}

/// Runs items that come fast through a slow node.
void run_fast(Bench& bench, Ints items, agdf::NodeOptions options)
{
    auto node = bench.graph.add_node("node", slow(), std::move(options));
    bench.graph.add_node("source", [items] { return trickle(items); }) >> node >> bench.graph.add_node("sink", agdf::collect(bench.results));
    bench.report = bench.graph.run();
}

}  // namespace

TEST_CASE("drop_oldest between two threads drops what has waited longest, whatever the worker is about to begin", "[overflow][threads]")
{
    const test::Watchdog watchdog;
    const int long_one = GENERATE(2, 3, 4);
    const int queue_size = 8;
    const int last = 100;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::atomic<int> begun{0};
    std::atomic<int> yielded{0};
    const auto until = [](const std::atomic<int>& count, int reached) {
        while (count < reached)
            std::this_thread::yield();
    };
    const auto source = [&]() -> agdf::Stream<int> {
        for (int i = 1; i <= last; ++i) {
            co_yield i;
            yielded = i;
            if (i == 1)
                until(begun, 1);
            else if (i == 1 + queue_size)
                until(begun, long_one);
        }
    };
    std::vector<int> seen;
    const auto sink = [&](int n) {
        seen.push_back(n);
        ++begun;
        until(yielded, n == 1 ? 1 + queue_size : n == long_one ? last : 0);
    };
    graph.add_node("source", source) >> graph.add_node("sink", sink, {.queue_size = queue_size, .overflow = agdf::Overflow::drop_oldest});
    const agdf::RunReport report = graph.run();
    std::vector<int> expected;
    for (int i = 1; i <= long_one; ++i)
        expected.push_back(i);
    for (int i = last - queue_size + 1; i <= last; ++i)
        expected.push_back(i);
    CHECK(seen == expected);
    CHECK(report.node("sink").dropped == static_cast<std::size_t>(last) - expected.size());
    CHECK(report.node("sink").queue_peak == queue_size);
}

TEST_CASE("a full queue makes the producer wait, and nothing is dropped", "[overflow]")
{
    Bench bench;
    run_fast(bench, up_to(20), {.queue_size = 3});
    CHECK(bench.results == up_to(20));
    CHECK(bench.node().dropped == 0);
    CHECK(bench.node().queue_peak == 3);
    CHECK(bench.report.elapsed == 20s + 1ms);
}

TEST_CASE("drop_newest keeps what waits already", "[overflow]")
{
    Bench bench;
    run_fast(bench, up_to(20), {.queue_size = 3, .overflow = Overflow::drop_newest});
    CHECK(bench.results == Ints{1, 2, 3, 4});
    CHECK(bench.node().dropped == 16);
    CHECK(bench.node().in == 20);
    CHECK(bench.node().queue_peak == 3);
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(bench.report.node("source").blocked == 0s);
    check_balance(bench.node(), bench.results.size());
}

TEST_CASE("drop_oldest keeps what came last", "[overflow]")
{
    Bench bench;
    run_fast(bench, up_to(20), {.queue_size = 3, .overflow = Overflow::drop_oldest});
    CHECK(bench.results == Ints{1, 18, 19, 20});
    CHECK(bench.node().dropped == 16);
    CHECK(bench.node().in == 20);
    CHECK(bench.node().queue_peak == 3);
    check_balance(bench.node(), bench.results.size());
}

TEST_CASE("a cancelled run accounts for every item, whatever happens to those that find the queue full", "[overflow]")
{
    const Overflow overflow = GENERATE(Overflow::wait, Overflow::drop_newest, Overflow::drop_oldest);
    Bench bench;
    Ints items = up_to(30);
    items[0] = 100;
    bench.at(2500ms, [&] { bench.graph.cancel(); });
    run_fast(bench, items, {.workers = 2, .queue_size = 5, .overflow = overflow});
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(bench.node().err == 1);
    CHECK(bench.node().dropped == (overflow == Overflow::wait ? 0 : 30 - 2 - 5));
    CHECK(bench.node().undelivered > 0);
    check_balance(bench.node(), bench.results.size());
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a dropping node keeps its order", "[overflow]")
{
    Bench bench;
    run_fast(bench, up_to(30), {.workers = 2, .queue_size = 4, .overflow = Overflow::drop_oldest, .ordered = true});
    CHECK(bench.results == Ints{1, 2, 27, 28, 29, 30});
}

TEST_CASE("a full branch that drops does not slow down its sibling", "[overflow]")
{
    Bench bench;
    Ints all;
    auto source = bench.graph.add_node("source", agdf::from_range(up_to(50)));
    source >> bench.graph.add_node("node", slow(), {.queue_size = 1, .overflow = Overflow::drop_newest}) >> bench.graph.add_node("sink", agdf::collect(bench.results));
    source >> bench.graph.add_node("all", agdf::collect(all));
    const agdf::RunReport report = bench.graph.run();
    CHECK(all == up_to(50));
    check_balance(report.node("node"), bench.results.size());
}

TEST_CASE("a queue is never heavier than its limit", "[weight]")
{
    const std::size_t limit = 10;
    Bench bench;
    int taken = 0;
    int most = 0;
    int yielded = 0;
    const Ints items{3, 4, 3, 9, 1, 1, 5, 5, 5, 2, 2, 2, 2, 2, 2};
    const Body body = [&](int n) -> asio::awaitable<int> {
        taken += n;
        co_await agdf::sleep_for(1s);
        most = std::max(most, yielded - taken);
        co_return n;
    };
    // The source is told of an item's way only when it has room, so what it counts as yielded is one item ahead at most.
    const std::function<agdf::Stream<int>()> source = [&]() -> agdf::Stream<int> {
        for (const int n : items) {
            co_yield n;
            yielded += n;
        }
    };
    auto node = bench.graph.add_node("node", body, {.queue_weight = {limit, [](const int& n) { return n; }}});
    bench.graph.add_node("source", source) >> node >> bench.graph.add_node("sink", agdf::collect(bench.results));
    bench.report = bench.graph.run();
    CHECK(bench.results == items);
    CHECK(most == static_cast<int>(limit));
    CHECK(bench.report.elapsed == 15s);
}

TEST_CASE("an item that is heavier than the limit waits alone", "[weight]")
{
    Bench bench;
    run_fast(bench, {1, 1, 50, 1, 1, 60, 70}, {.queue_weight = {10, [](const int& n) { return n; }}});
    CHECK(bench.results == Ints{1, 1, 50, 1, 1, 60, 70});
    CHECK(bench.node().queue_peak == 2);
}

TEST_CASE("an item whose weight cannot be told counts as the limit", "[weight]")
{
    Bench bench;
    run_fast(bench, up_to(5), {.queue_weight = {10, [](const int& n) -> int { throw n; }}});
    CHECK(bench.results == up_to(5));
    CHECK(bench.node().queue_peak == 1);
    CHECK(bench.report.outcome == Outcome::completed);
}

TEST_CASE("drops go by weight as well", "[weight]")
{
    Bench newest;
    run_fast(newest, {1, 6, 4, 3, 2, 1}, {.overflow = Overflow::drop_newest, .queue_weight = {10, [](const int& n) { return n; }}});
    CHECK(newest.results == Ints{1, 6, 4});
    CHECK(newest.node().dropped == 3);
    check_balance(newest.node(), newest.results.size());
    Bench oldest;
    run_fast(oldest, {1, 6, 4, 3, 2, 7}, {.overflow = Overflow::drop_oldest, .queue_weight = {10, [](const int& n) { return n; }}});
    CHECK(oldest.results == Ints{1, 2, 7});
    CHECK(oldest.node().dropped == 3);
    check_balance(oldest.node(), oldest.results.size());
}

TEST_CASE("a weigher of another type than the node's item is refused", "[weight]")
{
    Bench bench;
    CHECK_THAT(test::graph_error_of([&] {
                   bench.graph.add_node("node", slow(), {.queue_weight = {10, [](const std::string& text) { return text.size(); }}});
               }),
               ContainsSubstring("'node'") && ContainsSubstring("queue_weight") && ContainsSubstring("std::string") && ContainsSubstring("Expected:"));
}

TEST_CASE("a weight limit of zero is refused", "[weight]")
{
    Bench bench;
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_node("node", slow(), {.queue_weight = {0, [](const int& n) { return n; }}}); }),
               ContainsSubstring("queue_weight") && ContainsSubstring("Expected:"));
}
