// expect: agdf::Graph::add_node(name, body): the body takes a Receiver beside something else, or by reference
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("merge", [](agdf::Receiver<int>, int) -> agdf::Stream<int> { co_yield 1; });
}
