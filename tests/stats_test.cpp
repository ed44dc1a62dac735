// The golden rules of counting.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::NodeStats;
using agdf::Outcome;
using test::Watchdog;
using Ints = std::vector<int>;

}  // namespace

TEST_CASE("in counts per destination, out once per yield, err once per failed item", "[stats]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
    auto stream = graph.add_node("stream", [](int n) -> agdf::Stream<int> {  // 2 for each, and 4 fails after its first
        co_yield n;
        if (n == 4)
            throw std::runtime_error("4");
        co_yield n;
    });
    auto filter = graph.add_node("filter", [](int n) { return n % 2 == 0 ? std::optional<int>{n} : std::nullopt; });
    auto first = graph.add_node("first", [](int) {});
    auto second = graph.add_node("second", [](int) -> asio::awaitable<void> { co_return; });
    source >> stream >> first;
    stream >> second;
    source >> filter >> first;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    const auto check = [&](const char* name, std::uint64_t in, std::uint64_t out, std::uint64_t err) {
        INFO(name);
        const NodeStats& stats = report.node(name);
        CHECK(stats.in == in);
        CHECK(stats.out == out);
        CHECK(stats.err == err);
        CHECK(stats.retried == 0);
        CHECK(stats.dropped == 0);
        CHECK(stats.undelivered == 0);
        CHECK(stats.queued == 0);
        CHECK(stats.active == 0);
    };
    check("source", 0, 5, 0);
    check("stream", 5, 9, 1);
    check("filter", 5, 2, 0);
    check("first", 11, 0, 0);
    check("second", 9, 0, 0);
}

TEST_CASE("out counts a yield although there is no edge, and although no edge lets it through", "[stats]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> graph.add_node("end", [](int n) { return n; });
    auto gate = graph.add_node("gate", [](int n) -> agdf::Stream<int> { co_yield n; });
    source >> gate;
    graph.add_edge(gate, graph.add_node("shut", [](int) {}), agdf::where([](int) { return false; }));
    const agdf::RunReport report = graph.run();
    CHECK(report.node("end").out == 3);
    CHECK(report.node("gate").out == 3);
    CHECK(report.node("shut").in == 0);
}

TEST_CASE("nodes are reported in the order in which they were added, with their options", "[stats]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto sink = graph.add_node("sink", [](int) {}, {.workers = 3, .queue_size = 7});
    auto source = graph.add_node("source", agdf::from_range(Ints{1}));
    source >> sink;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.nodes.size() == 2);
    CHECK(report.nodes[0].name == "sink");
    CHECK(report.nodes[0].workers == 3);
    CHECK(report.nodes[0].queue_size == 7);
    CHECK(report.nodes[1].name == "source");
    CHECK(graph.stats().size() == 2);
    CHECK(graph.stats()[0].in == 1);
    CHECK(report.elapsed > 0ns);
    const std::string error = test::graph_error_of([&] { (void)report.node("snik"); });
    CHECK_THAT(error, Catch::Matchers::ContainsSubstring("'snik'") && Catch::Matchers::ContainsSubstring("'sink'"));
}

TEST_CASE("stats before the first run name every node with counts of nothing", "[stats]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("a", [](int) {});
    graph.add_node("b", agdf::from_range(Ints{1}));
    const auto stats = graph.stats();
    REQUIRE(stats.size() == 2);
    CHECK(stats[0].name == "a");
    CHECK(stats[1].out == 0);
}

TEST_CASE("what waits and who works can be seen while the graph runs", "[stats]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
    source >> graph.add_node("sink", [&](int) -> asio::awaitable<void> { co_await gate.receive(); }, {.workers = 2});
    bool done = false;
    graph.async_run([&](const agdf::RunReport&) { done = true; });
    io.poll();
    auto stats = graph.stats();
    CHECK(stats[0].out == 5);
    CHECK(stats[1].in == 5);
    CHECK(stats[1].active == 2);
    CHECK(stats[1].queued == 3);
    CHECK(stats[1].queue_peak >= 3);
    gate.close();
    io.run();
    CHECK(done);
    stats = graph.stats();
    CHECK(stats[1].active == 0);
    CHECK(stats[1].queued == 0);
}

TEST_CASE("busy, idle and blocked tell the bottleneck", "[stats]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints(20, 1)));
    auto relay = graph.add_node("relay", [](int n) -> agdf::Stream<int> { co_yield n; }, {.queue_size = 1});
    auto slow = graph.add_node("slow", [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(2ms);
        co_return n;
    }, {.queue_size = 1});
    source >> relay >> slow >> graph.add_node("sink", [](int) {});
    const agdf::RunReport report = graph.run();
    CHECK(report.elapsed >= 40ms);
    CHECK(report.node("slow").busy >= 40ms);
    CHECK(report.node("slow").busy <= report.elapsed);
    CHECK(report.node("slow").blocked < report.node("slow").busy);
    CHECK(report.node("relay").blocked >= 20ms);
    CHECK(report.node("source").blocked >= 20ms);
    CHECK(report.node("sink").idle >= 30ms);
    CHECK(report.node("sink").busy < report.node("slow").busy);
}

TEST_CASE("start items are not counted as in", "[stats][start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto relay = graph.add_node("relay", [](int n) { return n; });
    relay >> graph.add_node("sink", [](int) {});
    const agdf::RunReport report = graph.run({.start = {agdf::start(relay, 1), agdf::start(relay, 2)}});
    CHECK(report.node("relay").in == 0);
    CHECK(report.node("relay").out == 2);
    CHECK(report.node("sink").in == 2);
}

TEST_CASE("the times of a worker add up to what has passed, whenever another thread reads them", "[stats][threads]")
{
    Watchdog watchdog;
    using Clock = agdf::detail::WorkerClock;
    constexpr int changes = 1'000'000;
    const auto begin = Clock::Clock::now() - changes * 1s;
    Clock clock;
    clock.change(Clock::busy, begin);
    std::atomic<bool> has_ended{false};
    std::thread worker{[&] {
        for (int i = 1; i <= changes; ++i)
            clock.change(i % 2 == 0 ? Clock::busy : Clock::idle, begin + i * 1s);
        has_ended = true;
    }};
    bool is_wrong = false;
    while (!has_ended) {
        agdf::NodeStats stats;
        const auto before = Clock::Clock::now();
        clock.add_to(stats);
        const auto sum = stats.idle + stats.busy;
        is_wrong = is_wrong || sum < before - begin || sum > Clock::Clock::now() - begin;
    }
    worker.join();
    CHECK_FALSE(is_wrong);
}

TEST_CASE("a short queue of large items has no memory for more than it holds", "[stats]")
{
    struct Large {
        char bytes[1'000'000];
    };
    agdf::detail::Ring<Large> ring{1};
    ring.make_room();
    CHECK(ring.allocated() == 1);
    agdf::detail::Ring<int> of_small_ones{1};
    of_small_ones.make_room();
    CHECK(of_small_ones.allocated() <= 128);
}
