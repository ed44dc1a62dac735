// expect: agdf::Graph::async_run(token): the completion handler cannot be called with the report, or cannot be copied
// and no other error
#include <agdf/agdf.hpp>

#include <memory>

void run(agdf::Graph<>& graph)
{
    auto handler = [box = std::make_unique<int>(1)](agdf::RunReport) {};
    graph.async_run(handler);
}
