// A call that blocks its thread goes to the thread pool, and nothing else waits for it.
//
// Prints "Transformer received: ", "Data in Load1: " and "Data in Load2: " for each of two words, and for each of them
// "output: load1 0" to 2 and "output: load2 0" to 2: load1 suspends where load2 blocks, and they take turns.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <cctype>
#include <chrono>
#include <string>
#include <thread>

using std::chrono::milliseconds;

agdf::Stream<std::string> extract() {
    co_yield "hello";
    co_yield "world";
}

agdf::Stream<std::string> transform(std::string data) {
    fmt::print("Transformer received: {}\n", data);
    co_await agdf::sleep_for(milliseconds(30));
    data.front() = static_cast<char>(std::toupper(data.front()));
    co_yield data;
}

agdf::Stream<std::string> load1(std::string data) {
    fmt::print("Data in Load1: {}\n", data);
    for (int i = 0; i < 3; ++i) {
        co_await agdf::sleep_for(milliseconds(40));
        co_yield fmt::format("load1 {}", i);
    }
}

agdf::Stream<std::string> load2(std::string data) {
    fmt::print("Data in Load2: {}\n", data);
    auto block = [] { std::this_thread::sleep_for(milliseconds(40)); };
    for (int i = 0; i < 3; ++i) {
        co_await agdf::run_blocking(block);  // a body that does nothing else is agdf::blocking(function)
        co_yield fmt::format("load2 {}", i);
    }
}

void output(const std::string& data) {
    fmt::print("output: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform);
    auto printed = graph.add_node("output", output);
    extracted >> transformed;
    transformed >> graph.add_node("load1", load1) >> printed;
    transformed >> graph.add_node("load2", load2) >> printed;
    return graph.run().exit_code();
}
