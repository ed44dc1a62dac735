// expect: agdf::batch_by_key<T>(key): T cannot travel between nodes
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("batch", agdf::batch_by_key<int&>([](int n) { return n; }));
}
