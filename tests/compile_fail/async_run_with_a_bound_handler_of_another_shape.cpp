// expect: agdf::Graph::async_run(token): the completion handler cannot be called with the report
// and no other error
#include <agdf/agdf.hpp>

void run(agdf::Graph<>& graph, asio::io_context& io, asio::cancellation_signal& signal)
{
    graph.async_run(asio::bind_executor(io, asio::bind_cancellation_slot(signal.slot(), [](int) {})));
}
