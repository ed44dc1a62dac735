// expect: agdf::Graph::async_run(token): the completion handler cannot be called with the report
// and no other error
#include <agdf/agdf.hpp>

void run(agdf::Graph<>& graph)
{
    graph.async_run({}, 3);
}
