// expect: agdf::Graph::add_edge(from, to): these are not two nodes
#include <agdf/agdf.hpp>
// and no other error

void build(agdf::Graph<>& graph)
{
    auto numbers = agdf::from_range({1, 2, 3});
    auto print = [](int) {};
    graph.add_edge(numbers, print, agdf::where([](int n) { return n > 1; }));
}
