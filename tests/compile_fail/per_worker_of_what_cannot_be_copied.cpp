// expect: agdf::per_worker(make): make cannot be called without arguments, or cannot be copied
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("print", agdf::per_worker([box = std::make_unique<int>(1)] { return [](int) {}; }));
}
