// expect: agdf::Graph::add_node(name, body): the input type of the body cannot be read off it
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("number", 42);
}
