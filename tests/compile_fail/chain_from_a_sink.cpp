// expect: agdf::Graph::add_edge(from, to): node 'from' yields nothing, it is a sink
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2}));
    auto print = graph.add_node("print", [](int) {});
    print >> numbers;
}
