// expect: agdf::Graph::add_edge(from, to): what node 'from' yields does not fit node 'to'
#include <agdf/agdf.hpp>

#include <string_view>

void build(agdf::Graph<>& graph)
{
    auto words = graph.add_node("words", agdf::from_range(std::vector<std::string>{"a", "b"}));
    auto print = graph.add_node("print", [](std::string_view) {});
    graph.add_edge(words, print);
}
