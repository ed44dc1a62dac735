// Ctrl-C ends an endless pipeline: what is under way is finished, and the exit code tells.
//
// Prints full batches of 4 readings, then, after the signal, the batch that was begun, and "outcome: stopped". The exit
// code is 130, as a shell expects it of a program that was interrupted. (The program interrupts itself at reading 10.)

#include <agdf/agdf.hpp>
#include <fmt/ranges.h>

#include <csignal>
#include <vector>

agdf::Stream<int> readings() {
    for (int reading = 1;; ++reading) {
        co_yield reading;
        if (reading == 10) {
            std::raise(SIGINT);  // as if somebody had pressed Ctrl-C
            co_await agdf::sleep_for(std::chrono::hours(1));  // a long poll: the signal ends it
        }
    }
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto batched = graph.add_node("batch", agdf::batch<int>({.max_items = 4, .max_delay = std::chrono::hours(1)}));
    auto stored = graph.add_node("store", [](const std::vector<int>& batch) { fmt::print("stored {}\n", batch); });
    graph.add_node("read", readings) >> batched >> stored;

    const agdf::RunReport report = graph.run({.stop_on_signals = true, .grace = std::chrono::seconds(10)});
    fmt::print("outcome: {}\n", agdf::to_string(report.outcome));
    return report.exit_code();
}
