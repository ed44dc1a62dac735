// One node halts the run when an item fails; the others would skip theirs.
//
// Prints "Load: Hello", "output: Hello", "Load: World", and that the run was halted; the three words after "world" are
// not loaded. The error is on standard error, and the exit code is 1.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <cctype>
#include <chrono>
#include <stdexcept>
#include <string>

agdf::Stream<std::string> extract() {
    for (const char* word : {"hello", "world", "civis", "analytics", "done"})
        co_yield word;
}

asio::awaitable<std::string> transform(std::string data) {
    co_await agdf::sleep_for(std::chrono::milliseconds(30));
    data.front() = static_cast<char>(std::toupper(data.front()));
    co_return data;
}

std::string load(std::string data) {
    fmt::print("Load: {}\n", data);
    if (data == "World" || data == "Analytics")
        throw std::runtime_error("intentional error for " + data);
    return data;
}

void output(const std::string& data) {
    fmt::print("output: {}\n", data);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto extracted = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform);
    auto loaded = graph.add_node("load", load, {.on_error = agdf::OnError::halt});
    auto printed = graph.add_node("output", output);
    extracted >> transformed >> loaded >> printed;

    const agdf::RunReport report = graph.run();
    fmt::print("The run was {} by an exception in node {}\n", agdf::to_string(report.outcome), report.first_error_node);
    return report.exit_code();
}
