// expect: agdf::Graph::add_node(name, body): the body is the Stream or asio::awaitable that a call has returned
#include <agdf/agdf.hpp>
// and no other error

agdf::Stream<int> numbers();
asio::awaitable<int> twice(int n);

void build(agdf::Graph<>& graph)
{
    auto node = graph.add_node("numbers", numbers());
    node >> graph.add_node("print", [](int) {});
}
