// expect: agdf::collect(container): the container does not take one more element
// and no other error
#include <agdf/agdf.hpp>

#include <array>

void build(agdf::Graph<>& graph, std::array<int, 3>& results)
{
    auto numbers = graph.add_node("numbers", agdf::from_range({1, 2, 3}));
    numbers >> graph.add_node("collect", agdf::collect(results));
}
