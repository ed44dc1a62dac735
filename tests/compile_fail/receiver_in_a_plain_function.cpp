// expect: agdf::Graph::add_node(name, body): the body takes a Receiver but is a plain function
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("sum", [](agdf::Receiver<int>) { return 1; });
}
