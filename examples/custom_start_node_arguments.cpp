// Two start nodes, each with an item of its own.
//
// Prints "node1 received: foo", "node2 received: bar", and at node3, where their edges meet, what the two yield: foo,
// hello, world and bar, data1, data2. Each three are in this order; how they mix is open.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <string>

agdf::Stream<std::string> node1(std::string data) {
    fmt::print("node1 received: {}\n", data);
    co_yield data;
    co_yield "hello";
    co_yield "world";
}

agdf::Stream<std::string> node2(std::string data) {
    fmt::print("node2 received: {}\n", data);
    co_yield data;
    co_yield "data1";
    co_yield "data2";
}

void node3(const std::string& data) {
    fmt::print("node3 received: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto first = graph.add_node("node1", node1);
    auto second = graph.add_node("node2", node2);
    auto third = graph.add_node("node3", node3);
    first >> third;
    second >> third;

    // Both take an item and have no edge coming in: run() without these two would throw before anything starts.
    return graph.run({.start = {agdf::start(first, "foo"), agdf::start(second, "bar")}}).exit_code();
}
