// expect: agdf::Graph::add_edge(from, to): what node 'from' yields does not fit node 'to'
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1.5, 2.5}));
    auto print = graph.add_node("print", [](int) {});
    graph.add_edge(numbers, print);
}
