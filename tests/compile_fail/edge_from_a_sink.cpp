// expect: agdf::Graph::add_edge(from, to): node 'from' yields nothing, it is a sink
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto print = graph.add_node("print", [](int) {});
    auto more = graph.add_node("more", [](int) {});
    graph.add_edge(print, more);
}
