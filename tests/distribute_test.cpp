// Partition and balance give each item to one of several nodes.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

using Catch::Matchers::ContainsSubstring;
using test::graph_error_of;
using test::quiet;
using test::Watchdog;

}  // namespace

TEST_CASE("a partition sends items of equal key to the same node, and each item to one node only", "[distribute]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto words = graph.add_node("words", []() -> agdf::Stream<std::string> {
        for (int i = 0; i < 3'000; ++i) {
            std::string word = "key" + std::to_string(i % 50);
            co_yield word;
        }
    });
    std::vector<std::multiset<std::string>> seen(3);
    std::vector<agdf::Node<std::string, void>> sinks;
    for (std::size_t i = 0; i < seen.size(); ++i)
        sinks.push_back(graph.add_node("sink " + std::to_string(i), [&seen, i](std::string word) { seen[i].insert(word); }, {.queue_size = 2}));
    agdf::partition(words, [](const std::string& word) { return word; }, sinks);
    const agdf::RunReport report = graph.run();
    CHECK(report.node("words").out == 3'000);
    CHECK(seen[0].size() + seen[1].size() + seen[2].size() == 3'000);
    for (int key = 0; key < 50; ++key) {
        const std::string word = "key" + std::to_string(key);
        CHECK(std::max({seen[0].count(word), seen[1].count(word), seen[2].count(word)}) == 60);
    }
    for (const auto& words_of_one : seen)
        CHECK_FALSE(words_of_one.empty());
}

TEST_CASE("a partition spreads keys that have something in common, such as even numbers", "[distribute]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    int north = 0, south = 0;
    auto orders = graph.add_node("orders", []() -> agdf::Stream<int> {
        for (int i = 0; i < 1'000; ++i)
            co_yield 2 * i;
    });
    auto to_north = graph.add_node("north", [&](int) { ++north; });
    auto to_south = graph.add_node("south", [&](int) { ++south; });
    agdf::partition(orders, [](int order) { return order; }, {to_north, to_south});
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(north + south == 1'000);
    CHECK(std::min(north, south) > 300);
}

TEST_CASE("a balance gives an item to the node where the fewest wait", "[distribute]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    agdf::Channel<int> gate{1};
    auto numbers = graph.add_node("numbers", []() -> agdf::Stream<int> {
        for (int i = 0; i < 100; ++i) {
            co_yield i;
            co_await asio::post(asio::use_awaitable);
        }
    });
    int done_fast = 0;
    auto stuck = graph.add_node("stuck", [&](int) -> asio::awaitable<void> {
        auto ignored = co_await gate.receive();
        (void)ignored;
    });
    auto fast = graph.add_node("fast", [&](int) {
        if (++done_fast == 90)
            gate.close();
    });
    agdf::balance(numbers, {stuck, fast});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(report.node("stuck").in + report.node("fast").in == 100);
    CHECK(report.node("fast").in >= 90);
}

TEST_CASE("nodes of a balance that are equally free take turns", "[distribute]")
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector<int>(90)));
    std::vector<agdf::Node<int, void>> sinks;
    for (int i = 0; i < 3; ++i)
        sinks.push_back(graph.add_node("sink " + std::to_string(i), [](int) {}));
    agdf::balance(numbers, sinks);
    const agdf::RunReport report = graph.run();
    for (int i = 0; i < 3; ++i)
        CHECK(report.node("sink " + std::to_string(i)).in == 30);
}

TEST_CASE("items that cannot be copied can be partitioned and balanced, but not sent elsewhere as well", "[distribute]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    const auto source = []() -> agdf::Stream<std::unique_ptr<int>> {
        for (int i = 0; i < 100; ++i) {
            auto item = std::make_unique<int>(i);
            co_yield std::move(item);
        }
    };
    int sum = 0;
    const auto add = [&sum](std::unique_ptr<int> item) { sum += *item; };
    auto partitioned = graph.add_node("partitioned", source);
    auto a = graph.add_node("a", add, {.queue_size = 1});
    auto b = graph.add_node("b", add, {.queue_size = 1});
    agdf::partition(partitioned, [](const std::unique_ptr<int>& item) { return *item; }, {a, b});
    auto balanced = graph.add_node("balanced", source);
    auto c = graph.add_node("c", add, {.queue_size = 1});
    auto d = graph.add_node("d", add, {.queue_size = 1});
    agdf::balance(balanced, std::vector{c, d});
    CHECK_THAT(graph_error_of([&] { graph.add_edge(balanced, a); }), ContainsSubstring("which cannot be copied, and has an edge to 'c' already"));
    (void)graph.run({.start = {agdf::start(partitioned), agdf::start(balanced)}});
    CHECK(sum == 2 * 4'950);
}

TEST_CASE("a partition or balance without nodes, or of two graphs, says so", "[distribute]")
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    agdf::Graph other{io, quiet()};
    auto source = graph.add_node("source", agdf::from_range(std::vector{1}));
    auto foreign = other.add_node("foreign", [](int) {});
    CHECK(graph_error_of([&] { agdf::balance(source, std::vector<agdf::Node<int, void>>{}); }) ==
          "agdf::balance(from, to): there is no node to choose from. Expected: one or more. Pass the nodes behind 'source'.");
    CHECK_THAT(graph_error_of([&] { agdf::partition(source, [](int x) { return x; }, std::vector{foreign}); }),
               ContainsSubstring("agdf::partition(from, key, to): the nodes belong to different graphs"));
}

TEST_CASE("an error of a partition's key is an error of the item, and costs no other", "[distribute]")
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3}));
    auto same = graph.add_node("same", [](int x) { return x; });
    int sum = 0;
    auto a = graph.add_node("a", [&](int x) { sum += x; });
    numbers >> same;
    agdf::partition(same, [](int x) { return x == 2 ? throw std::runtime_error("no key") : x; }, std::vector{a});
    const agdf::RunReport report = graph.run();
    CHECK(report.node("same").err == 1);
    CHECK(sum == 4);
}

TEST_CASE("a merge sends the items of several nodes to one", "[distribute]")
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto odd = graph.add_node("odd", agdf::from_range(std::vector{1, 3, 5}));
    auto even = graph.add_node("even", agdf::from_range(std::vector{2, 4}));
    std::multiset<int> seen;
    auto all = graph.add_node("all", [&](int x) { seen.insert(x); });
    agdf::merge({odd, even}, all);
    CHECK(graph.run().node("all").in == 5);
    CHECK(seen == std::multiset{1, 2, 3, 4, 5});
}

TEST_CASE("a partition, a balance or a merge of which one edge is refused draws none", "[distribute]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(std::vector{1, 2, 3}));
    auto first = graph.add_node("first", [](int n) { return n; });
    auto second = graph.add_node("second", [](int n) { return n; });
    auto sink = graph.add_node("sink", [](int) {});
    source >> first;
    second >> sink;
    const std::string before = agdf::to_dot(graph);
    const auto key = [](int n) { return n; };
    CHECK_THAT(test::graph_error_of([&] { agdf::partition(first, key, std::vector{second, first}); }), ContainsSubstring("cycle"));
    CHECK_THAT(test::graph_error_of([&] { agdf::balance(first, std::vector{second, first}); }), ContainsSubstring("cycle"));
    CHECK_THAT(test::graph_error_of([&] { agdf::merge({first, second}, sink); }), ContainsSubstring("there already"));
    CHECK(agdf::to_dot(graph) == before);
    CHECK_THAT(test::graph_error_of([&] { (void)graph.run(); }), ContainsSubstring("'second' takes int, but has neither an edge"));
    agdf::partition(first, key, std::vector{second});
    graph.add_edge(first, sink);
    CHECK(graph.run().node("sink").in == 6);
}
