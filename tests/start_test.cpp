// Where a run begins.

#include "support/bench.hpp"
#include "support/catch.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::start;
using test::graph_error_of;
using test::Watchdog;
using Ints = std::vector<int>;

/// source (1, 2) -> plus (n + 10) -> sink
struct Three {
    asio::io_context io;
    agdf::Graph<> graph{io, test::quiet()};
    Ints results;
    agdf::Node<void, int> source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    agdf::Node<int, int> plus = graph.add_node("plus", [](int n) { return n + 10; });
    agdf::Node<int, void> sink = graph.add_node("sink", agdf::collect(results));
    Watchdog watchdog;

    Three() { source >> plus >> sink; }
};

}  // namespace

TEST_CASE("a run may begin anywhere, with any number of items, and sources that are not asked for stay still", "[start]")
{
    Three three;
    CHECK(three.graph.run({.start = start(three.plus, 5)}).outcome == Outcome::completed);
    CHECK(three.results == Ints{15});
    three.results.clear();
    CHECK(three.graph.run({.start = {start(three.sink, 1), start(three.sink, 2), start(three.sink, 3)}}).outcome == Outcome::completed);
    CHECK(three.results == Ints{1, 2, 3});
    three.results.clear();
    const agdf::RunReport report = three.graph.run({.start = {start(three.source), start(three.plus, 7), start("sink", 9)}});
    CHECK(report.outcome == Outcome::completed);
    std::sort(three.results.begin(), three.results.end());
    CHECK(three.results == Ints{9, 11, 12, 17});
    three.results.clear();
    CHECK(three.graph.run().outcome == Outcome::completed);
    CHECK(three.results == Ints{11, 12});
}

TEST_CASE("a run begins at nodes that are named", "[start]")
{
    Three three;
    CHECK(three.graph.run({.start = {start("source"), start("plus", 0)}}).outcome == Outcome::completed);
    std::sort(three.results.begin(), three.results.end());
    CHECK(three.results == Ints{10, 11, 12});
}

TEST_CASE("more start items than the queue has room for are all worked on", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int seen = 0;
    auto sink = graph.add_node("sink", [&](int) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        ++seen;
    }, {.queue_size = 1});
    agdf::RunOptions options;
    for (int i = 0; i < 100; ++i)
        options.start.push_back(start(sink, i));
    const agdf::RunReport report = graph.run(std::move(options));
    CHECK(report.outcome == Outcome::completed);
    CHECK(seen == 100);
    CHECK(report.node("sink").in == 0);
}

TEST_CASE("start items come before what flows in, and in their order", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto source = graph.add_node("source", agdf::from_range(Ints{10, 11}));
    auto sink = graph.add_node("sink", agdf::collect(results));
    source >> sink;
    CHECK(graph.run({.start = {start(source), start(sink, 1), start(sink, 2)}}).outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 10, 11});
}

TEST_CASE("a whole-stream body gets its start items and then the end", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto sum = graph.add_node("sum", [](agdf::Receiver<int> numbers) -> agdf::Stream<int> {
        int total = 0;
        while (auto n = co_await numbers.next())
            total += *n;
        co_yield total;
    });
    sum >> graph.add_node("sink", agdf::collect(results));
    CHECK(graph.run({.start = {start(sum, 1), start(sum, 2)}}).outcome == Outcome::completed);
    CHECK(results == Ints{3});
}

TEST_CASE("start items convert, are unpacked, and may be texts", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    auto two = graph.add_node("two", [](std::string text, long n) { return text + std::to_string(n); });
    auto sink = graph.add_node("sink", agdf::collect(results));
    two >> sink;
    const agdf::RunReport report = graph.run({.start = {start(two, std::pair{"a", 1}), start(two, std::tuple<std::string, int>{"b", 2}),
                                                        start(sink, "handle"), start("sink", "name")}});
    CHECK(report.outcome == Outcome::completed);
    std::sort(results.begin(), results.end());
    CHECK(results == std::vector<std::string>{"a1", "b2", "handle", "name"});
}

TEST_CASE("nothing converts to an empty optional item, whatever it is an optional of", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::size_t empty = 0;
    const auto numbers = graph.add_node("numbers", [&](std::optional<int> item) { empty += item ? 0 : 1; });
    const auto texts = graph.add_node("texts", [&](std::optional<std::string> item) { empty += item ? 0 : 1; });
    (void)graph.run({.start = {start(numbers, std::nullopt), start(texts, std::nullopt), start(numbers, 3)}});
    CHECK(empty == 2);
}

TEST_CASE("a source may be started several times in one run", "[start]")
{
    Three three;
    CHECK(three.graph.run({.start = {start(three.source), start(three.source)}}).outcome == Outcome::completed);
    std::sort(three.results.begin(), three.results.end());
    CHECK(three.results == Ints{11, 11, 12, 12});
}

TEST_CASE("a node that takes nothing but has edges in is started by hand too", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int calls = 0;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    auto ticks = graph.add_node("ticks", [&] { ++calls; });
    graph.add_edge(source, ticks);
    CHECK(graph.run({.start = {start(source), start(ticks)}}).outcome == Outcome::completed);
    CHECK(calls == 3);
}

TEST_CASE("start items of an unknown node, a wrong type or another graph are refused before anything starts", "[start]")
{
    Three three;
    agdf::Graph other{three.io, test::quiet()};
    auto foreign = other.add_node("foreign", [](int) {});
    using Catch::Matchers::ContainsSubstring;
    CHECK_THAT(graph_error_of([&] { (void)three.graph.run({.start = start("snik", 1)}); }), ContainsSubstring("'snik'") && ContainsSubstring("'sink'"));
    CHECK_THAT(graph_error_of([&] { (void)three.graph.run({.start = start("sink", std::string{"x"})}); }), ContainsSubstring("sink"));
    CHECK_THAT(graph_error_of([&] { (void)three.graph.run({.start = start("sink")}); }), ContainsSubstring("sink"));
    CHECK_THAT(graph_error_of([&] { (void)three.graph.run({.start = start("source", 1)}); }), ContainsSubstring("Expected: no item. Call agdf::start(\"source\")"));
    CHECK_FALSE(graph_error_of([&] { (void)three.graph.run({.start = {start(three.source), start(foreign, 1)}}); }).empty());
    CHECK(three.results.empty());
    CHECK(three.graph.run().outcome == Outcome::completed);
    CHECK(three.results == Ints{11, 12});
}

TEST_CASE("a move-only start item is moved into its run, and refused by the next", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto sink = graph.add_node("sink", [&](std::unique_ptr<int> n) { sum += *n; });
    agdf::RunOptions options{.start = start(sink, std::make_unique<int>(4))};
    CHECK(graph.run(options).outcome == Outcome::completed);
    CHECK(sum == 4);
    CHECK_THROWS_AS((void)graph.run(options), agdf::GraphError);
    CHECK(graph.run({.start = start(sink, std::make_unique<int>(5))}).outcome == Outcome::completed);
    CHECK(sum == 9);
}

TEST_CASE("a run that is refused takes no start item away", "[start]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto boxes = graph.add_node("boxes", [&](std::unique_ptr<int> box) { sum += *box; });
    const agdf::StartItem item = agdf::start(boxes, std::make_unique<int>(5));
    CHECK_THROWS_AS(graph.run({.start = {item, agdf::start("nobody", 1)}}), agdf::GraphError);
    auto unfed = graph.add_node("unfed", [](int) {});
    CHECK_THROWS_AS(graph.run({.start = {item}}), agdf::GraphError);
    CHECK_THROWS_AS(graph.run({.start = {item, item, agdf::start(unfed, 1)}}), agdf::GraphError);
    CHECK(graph.run({.start = {item, agdf::start(unfed, 1)}}).outcome == Outcome::completed);
    CHECK(sum == 5);
}

TEST_CASE("start items that are queued when the run halts are counted as undelivered", "[start][halt]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.on_error = agdf::OnError::halt})};
    int seen = 0;
    auto sink = graph.add_node("sink", [&](int) {
        ++seen;
        throw std::runtime_error("no");
    });
    const agdf::RunReport report = graph.run({.start = {start(sink, 1), start(sink, 2), start(sink, 3)}});
    CHECK(report.outcome == Outcome::halted);
    CHECK(seen == 1);
    CHECK(report.node("sink").err == 1);
    CHECK(report.node("sink").undelivered == 2);
}

TEST_CASE("a stop leaves nobody waiting for room at a started node, which a whole-stream body feeds at its end", "[start][stop]")
{
    test::Bench bench;
    auto source = bench.graph.add_node("source", agdf::from_range(std::vector<int>{1}));  // it does not begin
    auto last_words = bench.graph.add_node("last words", [](agdf::Receiver<int> items) -> agdf::Stream<int> {
        while (auto item = co_await items.next())
            co_yield *item;
        for (int i = 1; i <= 5; ++i)
            co_yield i;
    });
    auto slow = bench.graph.add_node("slow", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(std::chrono::seconds(1));
        bench.results.push_back(n);
    }, {.queue_size = 1});
    source >> last_words >> slow;
    bench.at(std::chrono::milliseconds(500), [&] { bench.graph.stop(); });
    bench.report = bench.graph.run({.start = agdf::start(slow, 0)});
    CHECK(bench.report.outcome == agdf::Outcome::stopped);
    CHECK(bench.results == test::Ints{0, 1, 2, 3, 4, 5});
}
