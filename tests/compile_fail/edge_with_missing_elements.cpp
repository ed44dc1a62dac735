// expect: agdf::Graph::add_edge(from, to): what node 'from' yields does not fit node 'to'
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto pairs = graph.add_node("pairs", [](int x) { return std::pair{x, x}; });
    auto three = graph.add_node("three", [](int, int, int) {});
    graph.add_edge(pairs, three);
}
