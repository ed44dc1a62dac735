// Nodes without edges: all of them start, and run at the same time.
//
// Prints "from node1" to "from node3" in any order, how long it took (the time of one sleep, not of three), and the
// nodes that were started.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <chrono>
#include <string>

asio::awaitable<void> say_and_sleep(std::string name) {
    fmt::print("from {}\n", name);
    co_await agdf::sleep_for(std::chrono::milliseconds(200));
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    for (const std::string name : {"node1", "node2", "node3"})
        graph.add_node(name, [name] { return say_and_sleep(name); });  // a lambda may capture: the graph keeps a copy
    // Nodes are added, but there are no edges.

    fmt::print("{}", agdf::to_mermaid(graph));
    const agdf::RunReport report = graph.run();

    fmt::print("execution time: {:.1f} s\n", std::chrono::duration<double>(report.elapsed).count());
    std::string names;
    for (const agdf::NodeStats& node : report.nodes)  // each of them, since none has an edge coming in
        names += " " + node.name;
    fmt::print("start nodes:{}\n", names);
    return report.exit_code();
}
