// expect: agdf::window<T>(): T cannot travel between nodes
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("window", agdf::window<int&>());
}
