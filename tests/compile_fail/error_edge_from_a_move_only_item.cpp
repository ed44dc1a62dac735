// expect: agdf::Graph::add_error_edge(node, dead_letters): the item of 'node' cannot be copied
#include <agdf/agdf.hpp>

#include <memory>

void build(agdf::Graph<>& graph)
{
    auto node = graph.add_node("node", [](std::unique_ptr<int>) {});
    auto letters = graph.add_node("letters", [](agdf::Failed<std::unique_ptr<int>>) {});
    graph.add_error_edge(node, letters);
}
