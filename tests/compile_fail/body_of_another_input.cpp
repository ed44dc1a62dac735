// expect: agdf::Graph::add_node(name, body): the body cannot be called with its item
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node<std::string>("length", [](int x) { return x; });
}
