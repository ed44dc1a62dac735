// expect: agdf::Graph::add_edge(from, to, shape): the shape is neither agdf::where(predicate) nor agdf::map(function)
#include <agdf/agdf.hpp>
// and no other error

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2, 3}));
    auto print = graph.add_node("print", [](int) {});
    graph.add_edge(numbers, print, [](int n) { return n > 1; });
}
