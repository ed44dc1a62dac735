// The periodic log, and pictures of a graph.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::StatsLogger;
using Catch::Matchers::ContainsSubstring;
using test::graph_error_of;
using test::Watchdog;
using Ints = std::vector<int>;
using Lines = std::vector<std::string>;

template <class Graph>
void add_three(Graph& graph)
{
    graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    graph.add_node("middle", [](int n) { return n; });
    graph.add_node("sink", [](int) {});
    graph.add_edge("source", "middle");
    graph.add_edge("middle", "sink");
}

auto collect_in(Lines& lines)
{
    return [&lines](std::string_view line) { lines.emplace_back(line); };
}

}  // namespace

TEST_CASE("the last line at the end of a run has the final counts, in the default format", "[stats_logger]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    add_three(graph);
    Lines lines;
    StatsLogger logger{graph, {.sink = collect_in(lines)}};
    CHECK(graph.run().outcome == Outcome::completed);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == " source - in=0, out=3, err=0");
    CHECK(lines[1] == " middle - in=3, out=3, err=0");
    CHECK(lines[2] == " sink - in=3, out=0, err=0");
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(lines.size() == 6);
}

TEST_CASE("a format that would fail only when the numbers have grown is refused at once", "[stats_logger]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    add_three(graph);
    const auto error_of = [&](const char* format) {
        return graph_error_of([&] { const StatsLogger logger{graph, {.format = format}}; });
    };
    for (const char* format : {"{node:{in}}", "{busy:.{out}f}", "{{{node:>{queued}}"})
        CHECK_THAT(error_of(format), ContainsSubstring("a width or a precision is taken from a field") && ContainsSubstring("Expected"));
    for (const char* format : {"{node:2000000000}", "{busy:.2000000000f}", "{in:1000}"})
        CHECK_THAT(error_of(format), ContainsSubstring("more than three digits"));
    for (const char* format : {"{{{in:999}}}", "{in:05} of 123456", "}}12345{{12345", "{busy:>12.3f}"})
        CHECK(error_of(format).empty());
}

TEST_CASE("a logger writes its own format for its nodes only", "[stats_logger]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    add_three(graph);
    Lines lines;
    StatsLogger logger{graph, {.format = "{node:>8}|{in}|{queued}|{queue_size}|{workers}|{active}|{undelivered}|{dropped}|{retried}",
                               .nodes = {"sink", "middle"}, .sink = collect_in(lines)}};
    StatsLogger times{graph, {.format = "{busy:.3f} {idle:.3f} {blocked:.3f} {queue_peak}", .nodes = {"sink"}, .sink = [](std::string_view) {}}};
    CHECK(graph.run().outcome == Outcome::completed);
    std::sort(lines.begin(), lines.end());
    CHECK(lines == Lines{"    sink|3|0|1024|1|0|0|0|0", "  middle|3|0|1024|1|0|0|0|0"});
}

TEST_CASE("without a sink the lines go to the graph's log", "[stats_logger]")
{
    Watchdog watchdog;
    asio::io_context io;
    Lines lines;
    agdf::Graph graph{io, {.log = [&](agdf::LogLevel level, std::string_view line) {
                               if (level == agdf::LogLevel::info)
                                   lines.emplace_back(line);
                           }}};
    add_three(graph);
    StatsLogger logger{graph};
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(std::count(lines.begin(), lines.end(), " sink - in=3, out=0, err=0") == 1);
}

TEST_CASE("wrong options of a logger are refused at once, by name", "[stats_logger]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    add_three(graph);
    const auto error_of = [&](const agdf::StatsLoggerOptions& options) { return graph_error_of([&] { StatsLogger logger{graph, options}; }); };
    CHECK_THAT(error_of({.format = "{nod}"}), ContainsSubstring("{nod}"));
    CHECK_FALSE(error_of({.format = "{node"}).empty());
    CHECK_FALSE(error_of({.format = "{}"}).empty());
    CHECK_FALSE(error_of({.format = "{node:d}"}).empty());
    CHECK_FALSE(error_of({.interval = 0s}).empty());
    CHECK_FALSE(error_of({.interval = -1s}).empty());
    CHECK_THAT(error_of({.nodes = {"snik"}}), ContainsSubstring("'snik'") && ContainsSubstring("'sink'"));
}

TEST_CASE("a logger made during a run, destroyed during a run, or outliving its graph does no harm", "[stats_logger]")
{
    Watchdog watchdog;
    asio::io_context io;
    std::optional<agdf::Graph<>> graph;
    graph.emplace(io, test::quiet());
    agdf::Channel<int> gate{1};
    graph->add_node("source", [&]() -> agdf::Stream<int> {
        while (auto n = co_await gate.receive())
            co_yield *n;
    });
    int lines = 0;
    std::optional<StatsLogger> late, outlives;
    outlives.emplace(*graph, agdf::StatsLoggerOptions{.interval = 1ms, .sink = [&](std::string_view) {
        if (++lines == 3)
            late.emplace(*graph, agdf::StatsLoggerOptions{.interval = 1ms, .sink = [&](std::string_view) { ++lines; }});
        if (lines == 20)
            late.reset();
        if (lines >= 25)
            gate.close();
    }});
    CHECK(graph->run().outcome == Outcome::completed);
    CHECK(lines >= 25);
    graph.reset();
    io.restart();
    io.run();
    outlives.reset();
    io.restart();
    io.run();
}

TEST_CASE("a logger keeps neither a finished run nor its context alive", "[stats_logger]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    add_three(graph);
    StatsLogger logger{graph, {.interval = 10h, .sink = [](std::string_view) {}}};
    bool done = false;
    graph.async_run([&](const agdf::RunReport&) { done = true; });
    io.run();  // must return
    CHECK(done);
}

TEST_CASE("the sink is never called twice at once", "[stats_logger][threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    int lines = 0;  // unguarded on purpose: a thread sanitizer would see it
    graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (int i = 0; i < 20; ++i) {
            co_await agdf::sleep_for(1ms);
            co_yield i;
        }
    });
    graph.add_node("sink", [](int) {}, {.workers = 3});
    graph.add_edge("source", "sink");
    StatsLogger logger{graph, {.interval = 1ms, .sink = [&](std::string_view) { ++lines; }}};
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(lines >= 2);
}

TEST_CASE("a sink that throws ends its own log and nothing else: the run goes on, and its report comes", "[stats_logger]")
{
    Watchdog watchdog;
    for (int throws_at = 1; throws_at <= 4; ++throws_at) {
        asio::io_context io;
        agdf::testing::VirtualTime time{io};
        Lines warnings;
        agdf::Graph graph{io, {.log = [&](agdf::LogLevel, std::string_view line) { warnings.emplace_back(line); }}};
        int received = 0;
        auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
        source >> graph.add_node("sink", [&](int) -> asio::awaitable<void> {
            co_await agdf::sleep_for(1s);
            ++received;
        });
        int lines = 0;
        auto sink = [&](std::string_view) {
            if (++lines == throws_at)
                throw std::runtime_error("the disk is full");
        };
        StatsLogger logger{graph, {.interval = 2s, .nodes = {"sink"}, .sink = sink}};  // two ticks and the last line in each run
        int reports = 0;
        for (int run = 1; run <= 2; ++run) {
            graph.async_run([&](agdf::RunReport report) {
                ++reports;
                CHECK(report.outcome == Outcome::completed);
            });
            CHECK_NOTHROW(io.run());
            io.restart();
        }
        CHECK(reports == 2);
        CHECK(received == 10);
        CHECK(lines == throws_at);
        REQUIRE(warnings.size() == 1);
        CHECK_THAT(warnings[0], ContainsSubstring("the disk is full"));
    }
}
