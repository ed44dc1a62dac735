// A node that yields a variant sends each alternative along the edges to the nodes that take it.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using agdf::Outcome;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Ints;
using Texts = std::vector<std::string>;
using Mixed = std::variant<int, std::string>;
using Box = std::unique_ptr<int>;
using Boxed = std::variant<Box, std::string>;

agdf::Stream<Mixed> mixed()
{
    for (int i = 1; i <= 3; ++i) {
        Mixed number = i;
        co_yield number;
        Mixed text = std::string(static_cast<std::size_t>(i), 'x');
        co_yield text;
    }
}

agdf::Stream<Boxed> boxed()
{
    for (int i = 1; i <= 3; ++i) {
        Boxed box = std::make_unique<int>(i);
        co_yield std::move(box);
        Boxed text = std::to_string(i);
        co_yield std::move(text);
    }
}

}  // namespace

TEST_CASE("each alternative of a variant goes to the node that takes it", "[variant]")
{
    Bench bench;
    Texts texts;
    auto source = bench.graph.add_node("source", mixed);
    bench.graph.add_edge(source, bench.graph.add_node("numbers", agdf::collect(bench.results)));
    bench.graph.add_edge(source, bench.graph.add_node("texts", agdf::collect(texts)));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 2, 3});
    CHECK(texts == Texts{"x", "xx", "xxx"});
    CHECK(report.node("source").out == 6);
    CHECK(report.node("numbers").in == 3);
    CHECK(report.node("texts").in == 3);
}

TEST_CASE("a node that takes the variant itself gets all of them", "[variant]")
{
    Bench bench;
    std::vector<Mixed> all;
    auto source = bench.graph.add_node("source", mixed);
    source >> bench.graph.add_node("all", agdf::collect(all));
    source >> bench.graph.add_node("numbers", agdf::collect(bench.results));
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(all.size() == 6);
    CHECK(all[1] == Mixed{std::string{"x"}});
    CHECK(bench.results == Ints{1, 2, 3});
}

TEST_CASE("an alternative without an edge goes nowhere, and is no error", "[variant]")
{
    Bench bench;
    bench.graph.add_node("source", mixed) >> bench.graph.add_node("numbers", agdf::collect(bench.results));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.node("source").out == 6);
    CHECK(report.node("numbers").in == 3);
}

TEST_CASE("an alternative converts to what the node takes, if nothing is lost", "[variant]")
{
    Bench bench;
    std::vector<long> longs;
    bench.graph.add_node("source", mixed) >> bench.graph.add_node("longs", agdf::collect(longs));
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(longs == std::vector<long>{1, 2, 3});
}

TEST_CASE("alternatives that cannot be copied go along one edge each", "[variant]")
{
    Bench bench;
    Texts texts;
    auto source = bench.graph.add_node("source", boxed);
    auto boxes = bench.graph.add_node("boxes", [&](Box box) { bench.results.push_back(*box); });
    bench.graph.add_edge(source, boxes);
    bench.graph.add_edge(source, bench.graph.add_node("texts", agdf::collect(texts)));
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 2, 3});
    CHECK(texts == Texts{"1", "2", "3"});
}

TEST_CASE("a second edge for the same alternative that cannot be copied is refused", "[variant]")
{
    Bench bench;
    auto source = bench.graph.add_node("source", boxed);
    bench.graph.add_edge(source, bench.graph.add_node("boxes", [](Box) {}));
    bench.graph.add_edge(source, bench.graph.add_node("texts", [](const std::string&) {}));
    auto others = bench.graph.add_node("others", [](Box) {});
    auto all = bench.graph.add_node("all", [](Boxed) {});
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_edge(source, others); }), ContainsSubstring("'source'") && ContainsSubstring("Expected:"));
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_edge(source, all); }), ContainsSubstring("'source'") && ContainsSubstring("Expected:"));
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_edge("source", "others"); }), ContainsSubstring("'source'"));
}

TEST_CASE("an alternative that cannot be copied is balanced or partitioned beside an edge for another one", "[variant][distribute]")
{
    Bench bench;
    Texts texts;
    Ints left, right;
    auto source = bench.graph.add_node("source", boxed);
    auto to_left = bench.graph.add_node("left", [&](Box box) { left.push_back(*box); });
    auto to_right = bench.graph.add_node("right", [&](Box box) { right.push_back(*box); });
    auto to_texts = bench.graph.add_node("texts", agdf::collect(texts));
    auto all = bench.graph.add_node("all", [](Boxed) {});
    bench.graph.add_node("others", boxed) >> all;
    SECTION("balanced, in turns that the other alternative does not disturb")
    {
        agdf::balance(source, {to_left, to_right});
        source >> to_texts;
    }
    SECTION("partitioned, by a key that is asked of its own alternative only")
    {
        source >> to_texts;
        agdf::partition(source, [](const Boxed& item) { return *std::get<Box>(item); }, {to_left, to_right});
    }
    SECTION("both in groups")
    {
        agdf::balance(source, {to_left, to_right});
        agdf::balance(source, {to_texts});
    }
    CHECK_THAT(test::graph_error_of([&] { agdf::balance(source, {to_left, to_right}); }), ContainsSubstring("cannot be copied"));
    CHECK_THAT(test::graph_error_of([&] { source >> to_left; }), ContainsSubstring("cannot be copied"));
    CHECK_THAT(test::graph_error_of([&] { agdf::balance(source, {all}); }), ContainsSubstring("cannot be copied"));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(texts == Texts{"1", "2", "3"});
    CHECK(left.size() + right.size() == 3);
    CHECK_FALSE(left.empty());
    CHECK_FALSE(right.empty());
    left.insert(left.end(), right.begin(), right.end());
    std::sort(left.begin(), left.end());
    CHECK(left == Ints{1, 2, 3});
}

TEST_CASE("edges by name split a variant as well", "[variant]")
{
    Bench bench;
    Texts texts;
    bench.graph.add_node("source", mixed);
    bench.graph.add_node("numbers", agdf::collect(bench.results));
    bench.graph.add_node("texts", agdf::collect(texts));
    bench.graph.add_edge("source", "numbers");
    bench.graph.add_edge("source", "texts");
    CHECK(bench.graph.run().outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 2, 3});
    CHECK(texts == Texts{"x", "xx", "xxx"});
}

TEST_CASE("a predicate or a function on such an edge sees the variant", "[variant]")
{
    Bench bench;
    Texts texts;
    auto source = bench.graph.add_node("source", mixed);
    bench.graph.add_edge(source, bench.graph.add_node("odd", agdf::collect(bench.results)),
                         agdf::where([](const Mixed& item) { return item.index() == 1 || std::get<int>(item) % 2 == 1; }));
    bench.graph.add_edge(source, bench.graph.add_node("names", agdf::collect(texts)),
                         agdf::map([](const Mixed& item) { return item.index() == 0 ? std::string{"number"} : std::get<1>(item); }));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 3});
    CHECK(texts == Texts{"number", "x", "number", "xx", "number", "xxx"});
}

TEST_CASE("a function on an edge may return a variant, which is split", "[variant]")
{
    Bench bench;
    Texts texts;
    auto source = bench.graph.add_node("source", agdf::from_range(test::up_to(4)));
    const auto split = [](int n) { return n % 2 == 0 ? Mixed{n} : Mixed{std::to_string(n)}; };
    bench.graph.add_edge(source, bench.graph.add_node("numbers", agdf::collect(bench.results)), agdf::map(split));
    bench.graph.add_edge(source, bench.graph.add_node("texts", agdf::collect(texts)), agdf::map(split));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == Ints{2, 4});
    CHECK(texts == Texts{"1", "3"});
}
