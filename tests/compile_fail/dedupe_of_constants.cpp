// expect: agdf::dedupe<T>(key): T cannot travel between nodes
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("dedupe", agdf::dedupe<const int>());
}
