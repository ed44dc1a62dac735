// expect: agdf::Graph::add_edge(from, to): these are not two nodes
#include <agdf/agdf.hpp>
// and no other error

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2, 3}));
    graph.add_node("print", [](int) {});
    graph.add_edge(numbers, "print");
}
