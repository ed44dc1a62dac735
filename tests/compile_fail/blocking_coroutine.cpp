// expect: agdf::Graph::add_node(name, blocking(body)): the body is a coroutine, or takes a Receiver
#include <agdf/agdf.hpp>

void build(agdf::Graph<>& graph)
{
    graph.add_node("load", agdf::blocking([](int) -> asio::awaitable<void> { co_return; }));
}
