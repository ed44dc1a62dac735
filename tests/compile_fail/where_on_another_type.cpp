// expect: agdf::Graph::add_edge(from, to, where(predicate)): the predicate does not fit what node 'from' yields
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3}));
    auto print = graph.add_node("print", [](int) {});
    graph.add_edge(numbers, print, agdf::where([](const std::string&) { return true; }));
}
