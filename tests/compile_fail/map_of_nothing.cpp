// expect: agdf::Graph::add_edge(from, to, map(function)): what the function returns does not fit node 'to'
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2}));
    auto tick = graph.add_node("tick", [] {});
    graph.add_edge(numbers, tick, agdf::map([](int) {}));
}
