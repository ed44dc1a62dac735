// expect: agdf::Graph::add_node(name, body): the input type of the body cannot be read off it
// and no other error
#include <agdf/agdf.hpp>

#include <functional>
#include <vector>

struct Doubler {
    int operator()(int n) const { return 2 * n; }
};

void build(agdf::Graph<>& graph, Doubler& doubler)
{
    auto refused = graph.add_node("refused", std::ref(doubler));
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2}));
    auto show = graph.add_node("show", [](int) {});
    graph.add_edge(numbers, refused);
    graph.add_edge(refused, show);
    graph.add_edge(refused, refused);
    graph.add_edge(refused, show, agdf::where([](int n) { return n > 1; }));
    graph.add_edge(refused, show, agdf::map([](int n) { return n + 1; }));
    graph.add_error_edge(refused, show);
    numbers >> refused >> show;
    agdf::partition(refused, [](int n) { return n; }, std::vector{show});
    agdf::balance(refused, std::vector{show});
    (void)graph.run({.start = {agdf::start(refused, 1), agdf::start(refused)}});
}
