// expect: agdf::Graph::add_node(name, body): the body takes or returns a type that cannot travel between nodes
#include <agdf/agdf.hpp>

struct Pinned {
    Pinned() = default;
    Pinned(Pinned&&) = delete;
};

void build(agdf::Graph<>& graph)
{
    graph.add_node("pin", [](int) { return Pinned{}; });
}
