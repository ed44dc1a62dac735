// expect: agdf::collect(container): the container does not take one more element
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph, int& sum)
{
    graph.add_node("collect", agdf::collect(sum));
}
