// expect: agdf::join<A, B>(key_of_a, key_of_b): A or B cannot travel between nodes
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("join", agdf::join<int, const long&>([](int n) { return n; }, [](long n) { return static_cast<int>(n); }));
}
