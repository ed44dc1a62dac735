// Edges: how they are drawn, what they do, and what is refused.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Catch::Matchers::ContainsSubstring;
using test::graph_error_of;
using test::Watchdog;
using Ints = std::vector<int>;

const auto identity = [](int n) { return n; };

}  // namespace

TEST_CASE("a chain drawn with >> is a handle that composes further", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    auto twice = graph.add_node("twice", [](int n) { return 2 * n; });
    auto text = graph.add_node("text", [](int n) { return std::to_string(n); });
    auto sink = graph.add_node("sink", agdf::collect(results));
    auto middle = twice >> text;
    static_assert(std::is_same_v<decltype(middle), agdf::Node<int, std::string>>);
    auto whole = source >> middle >> sink;
    static_assert(std::is_same_v<decltype(whole), agdf::Node<void, void>>);
    CHECK(graph.run().exit_code() == 0);
    CHECK(results == std::vector<std::string>{"2", "4"});
}

TEST_CASE("add_edge of two chains joins the last node of one to the first of the other", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto front = graph.add_node("source", agdf::from_range(Ints{1, 2})) >> graph.add_node("plus", [](int n) { return n + 1; });
    auto back = graph.add_node("times", [](int n) { return n * 10; }) >> graph.add_node("sink", agdf::collect(results));
    graph.add_edge(front, back);
    CHECK(graph.run().exit_code() == 0);
    CHECK(results == Ints{20, 30});
}

TEST_CASE("where lets only matching items through and the others are not counted behind it", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints even, all;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
    auto evens = graph.add_node("evens", agdf::collect(even));
    auto rest = graph.add_node("rest", agdf::collect(all));
    graph.add_edge(source, evens, agdf::where([](const int& n) { return n % 2 == 0; }));
    graph.add_edge(source, rest);
    const agdf::RunReport report = graph.run();
    CHECK(even == Ints{2, 4});
    CHECK(all == Ints{1, 2, 3, 4, 5});
    CHECK(report.node("source").out == 5);
    CHECK(report.node("evens").in == 2);
    CHECK(report.node("rest").in == 5);
}

TEST_CASE("map on an edge changes the items for that edge only", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> texts;
    Ints numbers;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto sink = graph.add_node("texts", agdf::collect(texts));
    auto other = graph.add_node("numbers", agdf::collect(numbers));
    graph.add_edge(source, sink, agdf::map([](int n) { return std::to_string(n) + "!"; }));
    graph.add_edge(source, other);
    CHECK(graph.run().exit_code() == 0);
    CHECK(texts == std::vector<std::string>{"1!", "2!", "3!"});
    CHECK(numbers == Ints{1, 2, 3});
}

TEST_CASE("an item goes to all edges with one copy less than edges, and to one edge with none", "[edges]")
{
    Watchdog watchdog;
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        int sum = 0;
        auto source = graph.add_node("source", []() -> agdf::Stream<test::Counted> {
            for (int i = 0; i < 10; ++i) {
                test::Counted item{i};
                co_yield std::move(item);
            }
        });
        auto relay = graph.add_node("relay", [](test::Counted item) { return item; });
        source >> relay;
        for (int i = 0; i < 3; ++i)
            relay >> graph.add_node("sink" + std::to_string(i), [&](const test::Counted& item) { sum += item.value(); });
        test::Counted::reset_copies();
        CHECK(graph.run().exit_code() == 0);
        CHECK(sum == 3 * 45);
        CHECK(test::Counted::copies() == 10 * 2);
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("a move-only output may have one edge, a second one is refused", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<std::unique_ptr<int>> {
        for (int i = 1; i <= 3; ++i) {
            auto item = std::make_unique<int>(i);
            co_yield std::move(item);
        }
    });
    auto sink = graph.add_node("sink", [&](std::unique_ptr<int> n) { sum += *n; });
    auto other = graph.add_node("other", [&](std::unique_ptr<int> n) { sum += *n; });
    graph.add_edge(source, sink);
    const std::string error = graph_error_of([&] { graph.add_edge(source, other); });
    CHECK_THAT(error, ContainsSubstring("source"));
    CHECK_THAT(graph_error_of([&] { graph.add_edge("source", "other"); }), ContainsSubstring("source"));
}

TEST_CASE("what was refused leaves the graph as it was", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    auto a = graph.add_node("a", identity);
    auto b = graph.add_node("b", identity);
    auto sink = graph.add_node("sink", agdf::collect(results));
    source >> a >> b >> sink;
    CHECK_THROWS_AS(graph.add_edge(b, a), agdf::GraphError);
    CHECK_THROWS_AS(graph.add_edge("b", "a"), agdf::GraphError);
    CHECK_THROWS_AS(graph.add_node("a", identity), agdf::GraphError);
    CHECK_THROWS_AS(graph.add_node("c", identity, {.workers = 0}), agdf::GraphError);
    CHECK_THROWS_AS(graph.add_node("c", identity, {.queue_size = 0}), agdf::GraphError);
    const agdf::RunReport report = graph.run();
    CHECK(report.exit_code() == 0);
    CHECK(report.nodes.size() == 4);
    CHECK(results == Ints{1, 2});
}

TEST_CASE("the path of a cycle of many nodes is told in a line", "[edges]")
{
    asio::io_context io;
    agdf::Graph graph{io};
    const auto first = graph.add_node("n0", [](int x) { return x; });
    auto last = first;
    for (int i = 1; i < 1'000; ++i) {
        const auto next = graph.add_node("n" + std::to_string(i), [](int x) { return x; });
        graph.add_edge(last, next);
        last = next;
    }
    const std::string error = test::graph_error_of([&] { graph.add_edge(last, first); });
    CHECK_THAT(error, ContainsSubstring("n999 -> n0 -> n1 -> "));
    CHECK_THAT(error, ContainsSubstring(" -> n10 -> (977 more) -> n988 -> "));
    CHECK_THAT(error, ContainsSubstring(" -> n998 -> n999"));
}

TEST_CASE("a cycle is refused with its path", "[edges]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto a = graph.add_node("a", identity);
    auto b = graph.add_node("b", identity);
    auto c = graph.add_node("c", identity);
    a >> b >> c;
    const std::string by_handle = graph_error_of([&] { graph.add_edge(c, a); });
    // which node the path begins with is the library's choice
    CHECK((by_handle.find("a -> b -> c -> a") != std::string::npos || by_handle.find("c -> a -> b -> c") != std::string::npos));
    CHECK_THAT(graph_error_of([&] { graph.add_edge("c", "b"); }), ContainsSubstring("b -> c") && ContainsSubstring("c -> b"));
    CHECK_THAT(graph_error_of([&] { graph.add_edge(a, a); }), ContainsSubstring("a -> a"));
    CHECK_THAT(graph_error_of([&] { (void)(c >> a); }), ContainsSubstring("->"));
}

TEST_CASE("names that are empty, taken or unknown are refused by name", "[edges]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("read", identity);
    graph.add_node("write", identity);
    CHECK_THAT(graph_error_of([&] { graph.add_node("read", identity); }), ContainsSubstring("'read'"));
    CHECK_FALSE(graph_error_of([&] { graph.add_node("", identity); }).empty());
    const std::string unknown = graph_error_of([&] { graph.add_edge("read", "prase"); });
    CHECK_THAT(unknown, ContainsSubstring("'prase'") && ContainsSubstring("'read'") && ContainsSubstring("'write'"));
}

TEST_CASE("the types of an edge by names are checked when it is added", "[edges]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("numbers", agdf::from_range(Ints{1}));
    graph.add_node("texts", [](std::string) {});
    graph.add_node("sink", [](int) {});
    const std::string error = graph_error_of([&] { graph.add_edge("numbers", "texts"); });
    CHECK_THAT(error, ContainsSubstring("numbers") && ContainsSubstring("texts") && ContainsSubstring("int"));
    CHECK_FALSE(graph_error_of([&] { graph.add_edge("sink", "texts"); }).empty());     // yields nothing
    CHECK_FALSE(graph_error_of([&] { graph.add_edge("sink", "numbers"); }).empty());   // nor this
}

TEST_CASE("an edge into a source makes it a node that is called for each item", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    graph.add_node("ticks", agdf::from_range(Ints{1, 1}));
    graph.add_node("numbers", agdf::from_range(Ints{7, 8}));
    graph.add_node("sink", agdf::collect(results));
    graph.add_edge("ticks", "numbers");
    graph.add_edge("numbers", "sink");
    CHECK(graph.run().exit_code() == 0);
    CHECK(results == Ints{7, 8, 7, 8});
}

TEST_CASE("the handle of another graph is refused", "[edges]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Graph other{io, test::quiet()};
    auto here = graph.add_node("here", identity);
    auto there = other.add_node("there", identity);
    CHECK_FALSE(graph_error_of([&] { graph.add_edge(here, there); }).empty());
    CHECK_FALSE(graph_error_of([&] { graph.add_edge(there, here); }).empty());
    CHECK_FALSE(graph_error_of([&] { graph.add_edge(there, there); }).empty());
    CHECK_FALSE(graph_error_of([&] { (void)(here >> there); }).empty());
}

TEST_CASE("a function on an edge that takes the item away leaves it to the edges behind", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> mapped, whole, matching;
    auto source = graph.add_node("source", agdf::from_range(std::vector<std::string>{"a", "b"}));
    graph.add_edge(source, graph.add_node("mapped", agdf::collect(mapped)), agdf::map([](std::string&& text) {
        std::string taken(std::move(text));
        text.clear();
        return taken + "!";
    }));
    graph.add_edge(source, graph.add_node("whole", agdf::collect(whole)));
    graph.add_edge(source, graph.add_node("matching", agdf::collect(matching)), agdf::where([](const std::string& text) { return text == "b"; }));
    REQUIRE(graph.run().outcome == agdf::Outcome::completed);
    CHECK(mapped == std::vector<std::string>{"a!", "b!"});
    CHECK(whole == std::vector<std::string>{"a", "b"});
    CHECK(matching == std::vector<std::string>{"b"});
}

TEST_CASE("items convert on an edge where nothing is lost", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<long> wide;
    std::vector<std::string> texts;
    auto numbers = graph.add_node("numbers", agdf::from_range(Ints{1, 2}));
    numbers >> graph.add_node("wide", agdf::collect(wide));
    auto pairs = graph.add_node("pairs", [](int n) { return std::pair<int, const char*>{n, "x"}; });
    auto sink = graph.add_node("texts", [&](std::tuple<long, std::string> t) { texts.push_back(std::get<1>(t)); });
    numbers >> pairs >> sink;
    CHECK(graph.run().exit_code() == 0);
    CHECK(wide == std::vector<long>{1, 2});
    CHECK(texts == std::vector<std::string>{"x", "x"});
}

TEST_CASE("the same edge drawn twice carries each item twice or is refused, never half", "[edges]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto sink = graph.add_node("sink", agdf::collect(results));
    graph.add_edge(source, sink);
    const bool refused = !graph_error_of([&] { graph.add_edge(source, sink); }).empty();
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(results.size() == (refused ? 3 : 6));
    CHECK(report.node("sink").in == results.size());
}

TEST_CASE("a log that throws costs neither a node nor an edge", "[graph]")
{
    Watchdog watchdog;
    asio::io_context io;
    int lines = 0;
    auto log = [&](agdf::LogLevel, std::string_view) {
        ++lines;
        throw std::runtime_error("the disk is full");
    };
    agdf::Graph graph{io, {.log = log}};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    auto plain = graph.add_node("plain", [](int n) { return n; }, {.timeout = std::chrono::seconds(1)});  // it cannot be ended
    auto even = graph.add_node("even", [](int n) { return n % 2 == 0 ? std::optional{n} : std::nullopt; });
    auto zip = graph.add_node("zip", agdf::zip<int, int>());  // behind a filter on one side only
    source >> plain;
    source >> even;
    graph.add_edge(plain, zip.input<0>());
    graph.add_edge(even, zip.input<1>());
    CHECK(lines == 2);
    const auto report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(report.node("zip").out == 1);
}
