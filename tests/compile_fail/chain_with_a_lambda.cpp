// expect: agdf::operator>>(from, to): these are not two nodes
#include <agdf/agdf.hpp>
// and no other error

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2, 3}));
    auto print = graph.add_node("print", [](int) {});
    numbers >> [](int n) { return 2 * n; } >> print;
}
