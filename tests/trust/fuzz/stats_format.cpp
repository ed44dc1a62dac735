// Any format and any choice of nodes: a StatsLogger refuses it when it is made, or writes it for all numbers that can come.

#include "input.hpp"

#include <agdf/agdf.hpp>
#include <agdf/testing.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// A node's numbers late in a long run.
agdf::NodeStats late(fuzz::Input& input)
{
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    const auto number = [&]() -> std::uint64_t {
        switch (input.below(4)) {
            case 0: return most;
            case 1: return std::uint64_t{1} << input.below(64);
            case 2: return input.byte();
            default: return input.bits();
        }
    };
    agdf::NodeStats stats;
    stats.name = input.text();
    stats.in = number();
    stats.out = number();
    stats.err = number();
    stats.retried = number();
    stats.dropped = number();
    stats.undelivered = number();
    stats.queued = number();
    stats.queue_size = number();
    stats.queue_peak = number();
    stats.workers = number();
    stats.active = number();
    stats.busy = std::chrono::nanoseconds::max();
    stats.idle = std::chrono::nanoseconds(static_cast<std::int64_t>(number() >> 1U));
    return stats;
}

/// A second opinion on the fields, with numbers that a short run does not reach.
void format_late(const std::string& format, const agdf::NodeStats& stats)
{
    try {
        const std::string line = agdf::detail::format_stats(format, stats);
        fuzz::expect(line.size() <= 200'000, "a line of a log is longer than anybody reads");
    } catch (const std::exception& error) {
        fuzz::fail(std::string{"a format that was accepted throws later: "} + error.what());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace std::chrono_literals;
    fuzz::Input input{data, size};
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, {.log = [](agdf::LogLevel, std::string_view) {}}};
    const agdf::NodeStats numbers = late(input);
    const std::string name = numbers.name.empty() ? "source" : numbers.name;
    auto source = graph.add_node(name, []() -> agdf::Stream<int> {
        for (int i = 0; i < 3; ++i) {
            co_await agdf::sleep_for(1s);
            co_yield i;
        }
    });
    graph.add_edge(source, graph.add_node(name + "'s sink", [](int) {}));

    agdf::StatsLoggerOptions options{.interval = 1s};
    if (input.yes())
        options.nodes = {input.yes() ? name : input.text()};
    const std::size_t shown = options.nodes.empty() ? 2 : 1;
    std::size_t lines = 0;
    options.sink = [&](std::string_view) { ++lines; };
    options.format = input.rest();
    const std::string format = options.format;
    // what() ends at a zero
    const bool is_told_whole =
        (format + name + (options.nodes.empty() ? "" : options.nodes.front())).find('\0') == std::string::npos;
    const bool knows_node =
        options.nodes.empty() || options.nodes.front() == name || options.nodes.front() == name + "'s sink";
    try {
        const agdf::StatsLogger logger{graph, std::move(options)};
        fuzz::expect(knows_node, "a node was accepted that is not in the graph");
        const auto report = graph.run();
        fuzz::expect(report.outcome == agdf::Outcome::completed, "the log changed how the run ended");
        fuzz::expect(lines >= shown, "a node has no last line");
        format_late(format, numbers);
    } catch (const agdf::GraphError& error) {
        const std::string_view text = error.what();
        fuzz::expect(!is_told_whole || text.find("Expected") != text.npos, "a refusal does not say what was expected");
        fuzz::expect(knows_node || !is_told_whole || text.find("is not in the graph") != text.npos,
                     "a refusal of a node does not say so");
    }
    return 0;
}
