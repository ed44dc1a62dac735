// expect: agdf::Graph::add_edge(from, to, map(function)): the function does not take what node 'from' yields
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3}));
    auto print = graph.add_node("print", [](int) {});
    graph.add_edge(numbers, print, agdf::map([](const std::string&) { return 1; }));
}
