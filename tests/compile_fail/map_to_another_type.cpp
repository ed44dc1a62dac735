// expect: agdf::Graph::add_edge(from, to, map(function)): what the function returns does not fit node 'to'
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3}));
    auto print = graph.add_node("print", [](int) {});
    graph.add_edge(numbers, print, agdf::map([](int) { return std::string{}; }));
}
