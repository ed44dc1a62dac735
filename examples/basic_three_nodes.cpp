// Three nodes in a row: extract, transform and load.
//
// Prints the graph as a Mermaid flowchart, then one line for each word at `transform` ("Transformer received: hello")
// and one at `load` ("Data in Load: Hello"). `transform` may be at "world" before or after `load` is at "Hello".

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <cctype>
#include <chrono>
#include <string>

agdf::Stream<std::string> extract() {
    co_yield "hello";
    co_yield "world";
}

agdf::Stream<std::string> transform(std::string data) {
    fmt::print("Transformer received: {}\n", data);
    co_await agdf::sleep_for(std::chrono::milliseconds(30));
    data.front() = static_cast<char>(std::toupper(data.front()));
    co_yield data;
}

void load(const std::string& data) {  // a plain function will do where nothing is awaited
    fmt::print("Data in Load: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", extract, {.workers = 1, .queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform);
    auto loaded = graph.add_node("load", load);
    graph.add_edge(extracted, transformed);
    graph.add_edge(transformed, loaded);

    fmt::print("{}", agdf::to_mermaid(graph));
    return graph.run().exit_code();
}
