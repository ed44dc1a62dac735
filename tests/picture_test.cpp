// Graphs as pictures.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using agdf::Outcome;
using Catch::Matchers::ContainsSubstring;
using test::Watchdog;
using Ints = std::vector<int>;

}  // namespace

TEST_CASE("pictures name every node and edge, and carry counts after a run", "[picture]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> graph.add_node("middle", [](int n) { return n; }) >> graph.add_node("sink", [](int) {});
    auto extra = graph.add_node("ex\"tra <b>", [](int) {});
    auto more = graph.add_node("more", [](std::string) {});
    auto origin = graph.add_node("origin", agdf::from_range(Ints{1}));
    graph.add_edge(origin, extra, agdf::where([](int) { return true; }));
    graph.add_edge(origin, more, agdf::map([](int n) { return std::to_string(n); }));
    const std::string mermaid = agdf::to_mermaid(graph);
    const std::string dot = agdf::to_dot(graph);
    for (const char* name : {"source", "middle", "sink", "more"}) {
        CHECK_THAT(mermaid, ContainsSubstring(name));
        CHECK_THAT(dot, ContainsSubstring(name));
    }
    CHECK(std::count(dot.begin(), dot.end(), '>') >= 4);
    CHECK_THAT(dot, ContainsSubstring("ex\\\"tra"));
    CHECK_THAT(dot, ContainsSubstring("where") && ContainsSubstring("map"));
    CHECK_THAT(mermaid, ContainsSubstring("where") && ContainsSubstring("map"));
    CHECK(mermaid.find("ex\"tra") == std::string::npos);
    CHECK(mermaid.find("in=") == std::string::npos);
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK_THAT(agdf::to_mermaid(graph), ContainsSubstring("in=3 out=3 err=0"));
    CHECK_THAT(agdf::to_dot(graph), ContainsSubstring("in=3 out=3 err=0"));
}

TEST_CASE("a Mermaid picture is a flowchart with one line for each node and edge", "[picture]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto a = graph.add_node("a", agdf::from_range(Ints{1}));
    auto b = graph.add_node("b", [](int) {});
    graph.add_edge(a, b);
    REQUIRE(agdf::to_mermaid(graph) == "flowchart LR\n    n0[\"a\"]\n    n1[\"b\"]\n    n0 --> n1\n");
    REQUIRE(agdf::to_dot(graph) == "digraph agdf {\n    rankdir=LR;\n    node [shape=box];\n    n0 [label=\"a\"];\n"
                                   "    n1 [label=\"b\"];\n    n0 -> n1;\n}\n");
}

TEST_CASE("edges say how they choose, and which of them is for failed items", "[picture]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const auto sink = [](int) {};
    auto source = graph.add_node("source", agdf::from_range(Ints{1}));
    auto middle = graph.add_node("middle", [](int n) { return n; });
    agdf::partition(source, [](int n) { return n; }, std::vector{middle});
    agdf::balance(middle, std::vector{graph.add_node("sink", sink)});
    graph.add_error_edge(middle, graph.add_node("failed", [](agdf::Failed<int>) {}));
    for (const std::string& picture : {agdf::to_mermaid(graph), agdf::to_dot(graph)})
        CHECK_THAT(picture, ContainsSubstring("partition") && ContainsSubstring("balance") && ContainsSubstring("error"));
}

TEST_CASE("no name can break out of its label", "[picture]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("\"]; n9 --> n9\n<script>&\\\x01", [] {});
    const std::string mermaid = agdf::to_mermaid(graph);
    CHECK(mermaid == "flowchart LR\n    n0[\"#34;#93;#59; n9 --#62; n9<br/>#60;script#62;#38;#92; \"]\n");
    CHECK_THAT(agdf::to_dot(graph), ContainsSubstring("label=\"\\\"]; n9 --> n9\\n<script>&amp;\\\\ \"];"));
}

TEST_CASE("a name that spells an entity, a formula or an icon is shown as it is spelled", "[picture]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("&lt;b&gt; $$x$$ fa:fa-car", [] {});
    CHECK_THAT(agdf::to_mermaid(graph), ContainsSubstring("[\"#38;lt#59;b#38;gt#59; #36;#36;x#36;#36; fa#58;fa-car\"]"));
    CHECK_THAT(agdf::to_dot(graph), ContainsSubstring("[label=\"&amp;lt;b&amp;gt; $$x$$ fa:fa-car\"]"));
}

TEST_CASE("an empty graph has a picture", "[picture]")
{
    asio::io_context io;
    const agdf::Graph graph{io};
    REQUIRE(agdf::to_mermaid(graph) == "flowchart LR\n");
}
