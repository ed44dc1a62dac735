// expect: agdf::Graph::add_error_edge(node, dead_letters): 'dead_letters' takes another type
#include <agdf/agdf.hpp>

#include <string>

void build(agdf::Graph<>& graph)
{
    auto node = graph.add_node("node", [](int) {});
    auto letters = graph.add_node("letters", [](agdf::Failed<std::string>) {});
    graph.add_error_edge(node, letters);
}
