// A node with two edges: each of its items goes both ways.
//
// Prints the graph in Graphviz's language, then for each of the two words "Transforming data: hello", "Printing data:
// Hello" from one branch, "Loading data Hello" and "Ending Tasks" from the other. No branch waits for the other.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <cctype>
#include <chrono>
#include <string>

using std::chrono::milliseconds;

agdf::Stream<std::string> extract() {
    co_yield "hello";
    co_await agdf::sleep_for(milliseconds(50));
    co_yield "world";
}

asio::awaitable<std::string> transform(std::string data) {  // one in, one out: co_return instead of co_yield
    fmt::print("Transforming data: {}\n", data);
    co_await agdf::sleep_for(milliseconds(30));
    data.front() = static_cast<char>(std::toupper(data.front()));
    co_return data;
}

asio::awaitable<std::string> load(std::string data) {
    co_await agdf::sleep_for(milliseconds(50));
    fmt::print("Loading data {}\n", data);
    co_return data;
}

void print_data(const std::string& data) {
    fmt::print("Printing data: {}\n", data);
}

void end_task() {  // takes nothing, so it is called once for each item, of whatever type
    fmt::print("Ending Tasks\n");
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform, {.workers = 2});
    auto loaded = graph.add_node("load", load, {.workers = 2});
    auto printed = graph.add_node("print_data", print_data, {.workers = 2});
    auto ended = graph.add_node("end_task", end_task, {.workers = 2});
    extracted >> transformed >> loaded >> ended;
    transformed >> printed;

    fmt::print("{}", agdf::to_dot(graph));
    return graph.run().exit_code();
}
