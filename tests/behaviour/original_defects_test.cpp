// The defects of async-graph-data-flow that must not come over, one test each.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using test::Watchdog;
using Ints = std::vector<int>;

}  // namespace

TEST_CASE("a sink added before its source ends and loses nothing", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto sink = graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        results.push_back(n);
    });
    auto middle = graph.add_node("middle", [](int n) { return n; });
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> middle >> sink;
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("an error in the call itself, before there is a coroutine, does not hang", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> graph.add_node("stream", [](int) -> agdf::Stream<int> { throw std::runtime_error("stream"); });
    source >> graph.add_node("awaitable", [](int) -> asio::awaitable<void> { throw std::runtime_error("awaitable"); });
    source >> graph.add_node("receiver", [](agdf::Receiver<int>) -> asio::awaitable<void> { throw std::runtime_error("receiver"); });
    graph.add_node("origin", []() -> agdf::Stream<int> { throw std::runtime_error("origin"); });
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed_with_errors);
    CHECK(report.node("stream").err == 3);
    CHECK(report.node("awaitable").err == 3);
    CHECK(report.node("receiver").err >= 1);
    CHECK(report.node("origin").err == 1);
}

TEST_CASE("a run after a halted run does all the work again", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.on_error = agdf::OnError::halt})};
    bool broken = true;
    Ints results;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto check = graph.add_node("check", [&](int n) {
        if (broken)
            throw std::runtime_error("broken");
        return n;
    });
    source >> check >> graph.add_node("sink", agdf::collect(results));
    CHECK(graph.run().outcome == agdf::Outcome::halted);
    CHECK(results.empty());
    broken = false;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(report.first_error == nullptr);
    CHECK(report.node("check").in == 3);
    CHECK(report.node("check").err == 0);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("a graph in which nothing moves still logs", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> never{1};
    graph.add_node("stalled", [&]() -> agdf::Stream<int> {
        while (auto n = co_await never.receive())
            co_yield *n;
    });
    int lines = 0;
    agdf::StatsLogger logger{graph, {.interval = 1ms, .sink = [&](std::string_view) {
                                         if (++lines == 3)
                                             never.close();  // only the log can end this run
                                     }}};
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(lines >= 3);
}

TEST_CASE("a ladder of diamonds with 2^200 paths is built, checked for cycles and run at once", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const auto maximum = [](int n) { return n; };
    const int steps = 200;
    for (int i = 0; i < steps; ++i) {
        graph.add_node("top" + std::to_string(i), maximum);
        graph.add_node("left" + std::to_string(i), maximum);
        graph.add_node("right" + std::to_string(i), maximum);
    }
    for (int i = steps - 1; i >= 0; --i) {
        const std::string k = std::to_string(i);
        graph.add_edge("top" + k, "left" + k);
        graph.add_edge("top" + k, "right" + k);
        if (i + 1 == steps)
            continue;
        graph.add_edge("left" + k, "top" + std::to_string(i + 1));
        graph.add_edge("right" + k, "top" + std::to_string(i + 1));
    }
    CHECK_THROWS_AS(graph.add_edge("right199", "top0"), agdf::GraphError);
}

TEST_CASE("a chain of 4,000 nodes is built and run", "[defects]")
{
    Watchdog watchdog{50s};
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const int length = 4'000;
    Ints results;
    const auto next = [](int n) { return n + 1; };
    auto first = graph.add_node("node0", next);
    auto last = first;
    for (int i = 1; i < length; ++i) {
        auto node = graph.add_node("node" + std::to_string(i), next);
        last >> node;
        last = node;
    }
    last >> graph.add_node("sink", agdf::collect(results));
    CHECK_THROWS_AS(graph.add_edge(last, first), agdf::GraphError);
    CHECK(graph.run({.start = agdf::start(first, 0)}).outcome == agdf::Outcome::completed);
    CHECK(results == Ints{length});
}

TEST_CASE("a graph of 100,000 nodes is built as fast from its sink to its source as the other way round", "[defects]")
{
    Watchdog watchdog;
    const bool sink_first = GENERATE(true, false);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const std::function<int(int)> same = [](int n) { return n; };
    std::vector<agdf::Node<int, int>> nodes;
    for (int i = 0; i < 100'000; ++i)
        nodes.push_back(graph.add_node(std::to_string(i), same));
    for (std::size_t i = 1; i < nodes.size(); ++i)  // against the order of adding, from either end
        sink_first ? graph.add_edge(nodes[i], nodes[i - 1]) : graph.add_edge(nodes[nodes.size() - i], nodes[nodes.size() - i - 1]);
    CHECK_THROWS_AS(graph.add_edge(nodes.front(), nodes.back()), agdf::GraphError);
}

TEST_CASE("a full queue on one branch of a broadcast does not keep the item from the others", "[defects]")
{
    Watchdog watchdog;
    const bool slow_first = GENERATE(true, false);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> release{1};
    int slow_seen = 0, fast_seen = 0;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5, 6}));
    const auto slow_body = [&](int) -> asio::awaitable<void> {
        co_await release.receive();  // empty, until it is closed
        ++slow_seen;
    };
    // Slow holds item 1, item 2 waits in its queue of one, item 3 finds it full: fast must get it nevertheless.
    const auto fast_body = [&](int) {
        if (++fast_seen == 3)
            release.close();
    };
    auto slow = graph.add_node("slow", slow_body, {.queue_size = 1});
    auto fast = graph.add_node("fast", fast_body, {.queue_size = 1});
    if (slow_first) {
        graph.add_edge(source, slow);
        graph.add_edge(source, fast);
    } else {
        graph.add_edge(source, fast);
        graph.add_edge(source, slow);
    }
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(slow_seen == 6);
    CHECK(fast_seen == 6);
}

TEST_CASE("batching needs no end marker among the items, the end is seen", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<Ints> batches;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
    auto batch = graph.add_node("batch", [](agdf::Receiver<int> numbers) -> agdf::Stream<Ints> {
        Ints current;
        while (auto n = co_await numbers.next()) {
            current.push_back(*n);
            if (current.size() == 2)
                co_yield std::exchange(current, {});
        }
        if (!current.empty())
            co_yield std::move(current);
    });
    source >> batch >> graph.add_node("sink", agdf::collect(batches));
    CHECK(graph.run().exit_code() == 0);
    CHECK(batches == std::vector<Ints>{{1, 2}, {3, 4}, {5}});
}

TEST_CASE("a run with a failed item does not exit as a success", "[defects]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    source >> graph.add_node("sink", [](int n) {
        if (n == 1)
            throw std::runtime_error("bad row");
    });
    const agdf::RunReport report = graph.run();
    CHECK(report.exit_code() != 0);
    CHECK_THROWS_WITH(report.throw_if_failed(), "bad row");
}
