// expect: agdf::Graph::add_node(name, body): the body returns an asio::awaitable with an executor of its own
#include <agdf/agdf.hpp>

asio::awaitable<int, asio::io_context::executor_type> twice(int x)
{
    co_return 2 * x;
}

void build(agdf::Graph<>& graph)
{
    graph.add_node("twice", twice);
}
