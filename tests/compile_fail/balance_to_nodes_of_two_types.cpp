// expect: agdf::balance(from, to): the nodes in braces are of different types, or no nodes at all
// and no other error
#include <agdf/agdf.hpp>

#include <string>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2}));
    auto print = graph.add_node("print", [](int) {});
    auto shout = graph.add_node("shout", [](std::string) {});
    agdf::balance(numbers, {print, shout});
}
