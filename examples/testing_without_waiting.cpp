// Hours of retries and time-outs are tested in no time.
//
// Prints "elapsed: 3 h", although the program takes no time, the sleeps between the attempts "1 h, 2 h", and the results
// of one node body on its own.

#include <agdf/agdf.hpp>
#include <agdf/testing.hpp>
#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using std::chrono::duration_cast;
using std::chrono::hours;

std::optional<int> parse(const std::string& text) {
    if (text.empty())
        return std::nullopt;  // filtered out
    return std::stoi(text);
}

int main() {
    // 1. A whole pipeline, on a clock that jumps to the next thing to do.
    asio::io_context io;
    agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, {.log = [](agdf::LogLevel, std::string_view) {}}};
    int attempt = 0;
    auto load = graph.add_node("load", [&attempt](int item) { return ++attempt < 3 ? throw std::runtime_error("down") : item; },
        {.retry = {.attempts = 3, .delay = hours(1), .max_delay = hours(24), .jitter = agdf::Jitter::none}});
    const agdf::RunReport report = graph.run({.start = agdf::start(load, 1)});
    fmt::print("elapsed: {} h, {} retried\n", duration_cast<hours>(time.elapsed()).count(), report.node("load").retried);
    for (const auto sleep : time.sleeps())
        fmt::print("slept {} h\n", duration_cast<hours>(sleep).count());

    // 2. One node body, alone.
    auto result = agdf::testing::probe(parse, {"1", "", "x", "2"});
    fmt::print("outputs: {} and {}; errors: {}\n", result.outputs.at(0), result.outputs.at(1), result.error_texts.at(0));

    // 3. A body that fails when the test wants it to.
    agdf::testing::Faults faults;
    faults.fail(2);
    result = agdf::testing::probe(agdf::testing::faulty(parse, faults), {"1", "2", "3"});
    fmt::print("outputs: {} and {}; {} fault injected\n", result.outputs.at(0), result.outputs.at(1), faults.injected().size());
    return report.exit_code();
}
