// expect: agdf::Graph::add_node(name, body): the body takes a Receiver beside something else, or by reference
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("sum", [](const agdf::Receiver<int>&) -> agdf::Stream<int> { co_yield 1; });
}
