// expect: agdf::merge(from, to): the nodes in braces are of different types, or no nodes at all
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2}));
    auto doubled = graph.add_node("doubled", [](int n) { return 2 * n; });
    auto print = graph.add_node("print", [](int) {});
    agdf::merge({numbers, doubled}, print);
}
