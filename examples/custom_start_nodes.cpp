// A run begins in the middle of the graph.
//
// Prints "Transformer received: new_data", "Data in Load: data1" and 2, and what each node did. node1 is before the
// start and stays out of it; the item that starts a run is not counted as `in`, and a sink has no `out`.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <string>

agdf::Stream<std::string> node1() {
    co_yield "hello";
    co_yield "world";
}

agdf::Stream<std::string> node2(std::string data) {
    fmt::print("Transformer received: {}\n", data);
    co_yield "data1";
    co_yield "data2";
}

void node3(const std::string& data) {
    fmt::print("Data in Load: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto first = graph.add_node("node1", node1);
    auto second = graph.add_node("node2", node2);
    auto third = graph.add_node("node3", node3);
    first >> second >> third;

    // An item that node2 does not take, such as 42, does not compile.
    const agdf::RunReport report = graph.run({.start = agdf::start(second, "new_data")});
    for (const agdf::NodeStats& node : report.nodes)
        fmt::print("{} - in={}, out={}, err={}\n", node.name, node.in, node.out, node.err);
    return report.exit_code();
}
