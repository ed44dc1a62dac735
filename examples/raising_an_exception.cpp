// A failing item is skipped, the run goes on, and the report has the exceptions.
//
// Prints the exceptions of each node: none of node1, "bad data: hello" and "bad data: world" of node2. The log, on
// standard error, tells of each when it happens. The exit code is 1: a run with errors is not taken for a success.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <exception>
#include <stdexcept>
#include <string>

agdf::Stream<std::string> node1() {
    co_yield "hello";
    co_yield "world";
}

void node2(const std::string& data) {
    throw std::invalid_argument("bad data: " + data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto first = graph.add_node("node1", node1);
    auto second = graph.add_node("node2", node2);
    first >> second;

    const agdf::RunReport report = graph.run();  // never throws what a node throws
    for (const agdf::NodeStats& node : report.nodes) {
        fmt::print("Exceptions of {}: {}\n", node.name, node.err);
        for (const std::exception_ptr& error : report.exceptions(node.name))
            fmt::print("  {}\n", agdf::describe(error));
    }

    try {
        report.throw_if_failed();  // for a caller who wants to be thrown at: the first error, with its own type
    } catch (const std::invalid_argument& error) {
        fmt::print("oh no! something went wrong in the graph execution: {}\n", error.what());
    }
    return report.exit_code();
}
