// expect: agdf::reduce<T>(key, initial, fold): T cannot travel between nodes
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("sum", agdf::reduce<void>([](int n) { return n; }, 0, [](int& sum, int n) { sum += n; }));
}
