// expect: agdf::join<A, B>(key_of_a, key_of_b): A or B cannot travel between nodes
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("join", agdf::join<int, void>([](int n) { return n; }, [](long) { return 1; }));
}
