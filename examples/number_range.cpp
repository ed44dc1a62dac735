// A node keeps state between items and sees the end: numbers are gathered in threes.
//
// Prints "Transformer received: 1", 4, 9 ... 100, ten times "Batching data in memory", three times "Flushing data:
// [...]" with three numbers each, and at the end "Flushing remaining data: [1000000]".

#include <agdf/agdf.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstddef>
#include <vector>

agdf::Stream<int> extract() {
    for (int i = 1; i <= 10; ++i) {
        co_yield i * i;
        co_await agdf::sleep_for(std::chrono::milliseconds(5));
    }  // no end marker: a stream has an end of its own
}

asio::awaitable<int> transform(int data) {
    fmt::print("Transformer received: {}\n", data);
    co_await agdf::sleep_for(std::chrono::milliseconds(10));
    co_return data * data * data;
}

asio::awaitable<void> load(agdf::Receiver<int> numbers) {  // called once, for the whole stream
    constexpr std::size_t buffer = 3;
    std::vector<int> batch;  // a local variable, not a global one
    while (auto number = co_await numbers.next()) {
        fmt::print("Batching data in memory\n");
        batch.push_back(*number);
        if (batch.size() == buffer) {
            fmt::print("Flushing data: {}\n", batch);
            batch.clear();
        }
    }
    if (!batch.empty())
        fmt::print("Flushing remaining data: {}\n", batch);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform);
    auto loaded = graph.add_node("load", load);
    extracted >> transformed >> loaded;
    return graph.run().exit_code();
}
