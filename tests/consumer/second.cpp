#include <agdf/agdf.hpp>

int count_to(int limit);

int count_to(int limit)
{
    asio::io_context io;
    agdf::Graph graph{io};
    int counted = 0;
    auto source = graph.add_node("source", [limit]() -> agdf::Stream<int> {
        for (int i = 0; i < limit; ++i) {
            co_yield i;
        }
    });
    auto sink = graph.add_node("sink", [&counted](int) { ++counted; });
    graph.add_edge(source, sink);
    const agdf::RunReport report = graph.run();
    return report.exit_code() == 0 ? counted : -1;
}
