// expect: agdf::zip<T...>(): these cannot be the inputs of a zip
// and no other error
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    auto zipped = graph.add_node("zip", agdf::zip<int>());
    auto strict = graph.add_node("strict", agdf::zip<int>({.mode = agdf::ZipMode::strict}));
    graph.add_edge(zipped, strict);
}
