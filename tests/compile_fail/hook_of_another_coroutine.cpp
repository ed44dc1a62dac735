// expect: agdf::Hook: the callable has another shape
#include <agdf/agdf.hpp>

asio::awaitable<bool> log_in();

void build(agdf::Graph<>& graph)
{
    agdf::NodeOptions options;
    options.setup = agdf::Hook(log_in);
    graph.add_node("print", [](int) {}, options);
}
