// Two values where one is expected: this mistake does not compile.
//
// Prints "Transformer received: 0" to 3 and "Data in Load: 0" to 3, and what `add_edge` says to a wrong edge that is
// drawn by names. Define WITH_THE_MISTAKE and the compiler says what is wrong, so that no item can fail of it.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <chrono>
#include <utility>
#include <vector>

agdf::Stream<int> transform(int data) {
    fmt::print("Transformer received: {}\n", data);
#ifdef WITH_THE_MISTAKE
    std::pair<int, int> two{0, 1};
    if (data == 2)
        co_yield two;  // a Stream<int> yields nothing but int
#endif
    co_await agdf::sleep_for(std::chrono::milliseconds(10));
    co_yield data;
}

void load(int data) {
    fmt::print("Data in Load: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", agdf::from_range({0, 1, 2, 3}));
    auto transformed = graph.add_node("transform", transform);
    auto loaded = graph.add_node("load", load);
    extracted >> transformed >> loaded;

    // What handles know at compile time, names know when the edge is drawn: still before anything runs.
    graph.add_node("pairs", agdf::from_range(std::vector<std::pair<int, int>>{}));
    try {
        graph.add_edge("pairs", "load");
    } catch (const agdf::GraphError& error) {
        fmt::print("{}\n", error.what());
    }
    return graph.run().exit_code();
}
