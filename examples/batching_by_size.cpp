// A ready-made node gathers items in fours; the last batch is what is left.
//
// Prints "data_source yielding 1" to 10, and "batched_inputs received: " with [1, 2, 3, 4], [5, 6, 7, 8] and [9, 10].

#include <agdf/agdf.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <vector>

agdf::Stream<int> data_source() {
    for (int i = 1; i <= 10; ++i) {
        fmt::print("data_source yielding {}\n", i);
        co_yield i;
    }
}

void batched_inputs(const std::vector<int>& data) {  // never empty, and never an end marker among the data
    fmt::print("batched_inputs received: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto source = graph.add_node("data_source", data_source);
    auto fours = graph.add_node("batch", agdf::batch<int>({.max_items = 4}));
    auto inputs = graph.add_node("batched_inputs", batched_inputs);
    source >> fours >> inputs;
    return graph.run().exit_code();
}
