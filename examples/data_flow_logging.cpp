// Log lines for each node, while the graph runs and at its end.
//
// Prints "Transformer received: hello" and "Data in Load: Hello" three times. Meanwhile the log, on standard error,
// says every 50 ms how far both are, such as "transform - in=2, out=2, err=0", also when nothing moves.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <cctype>
#include <chrono>
#include <string>

using std::chrono::milliseconds;

agdf::Stream<std::string> extract() {
    for (int i = 0; i < 3; ++i) {
        co_await agdf::sleep_for(milliseconds(100));
        co_yield "hello";
    }
}

std::string transform(std::string data) {
    fmt::print("Transformer received: {}\n", data);
    data.front() = static_cast<char>(std::toupper(data.front()));
    return data;
}

void load(const std::string& data) {
    fmt::print("Data in Load: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform);
    auto loaded = graph.add_node("load", load);
    extracted >> transformed >> loaded;

    const agdf::StatsLogger logger{graph, {.interval = milliseconds(50), .nodes = {"transform", "load"}}};
    return graph.run().exit_code();
}
