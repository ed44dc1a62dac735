// What the options of a node and of a graph bring with them.

#include "support.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>

using namespace faults;
using namespace std::chrono_literals;

namespace {

/// Runs the items through a body that fails the first time.
void run_policies(agdf::NodeOptions options, std::size_t threads = 1)
{
    run_graph(quiet(threads), [&](agdf::Graph<>& graph, Sink& sink) {
        const auto failed_before = std::make_shared<std::atomic<bool>>(options.retry.attempts == 1);
        graph.add_node("source", source) >> graph.add_node("node", [failed_before](Counted item) -> asio::awaitable<Counted> {
            co_await agdf::sleep_for(0ms);
            if (!failed_before->exchange(true))
                throw std::runtime_error("once");
            co_return item;
        }, options) >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    });
}

const Add retry{"retry", [] { run_policies({.retry = {.attempts = 3, .delay = 0ms}}); }};
const Add timeout{"a time-out", [] { run_policies({.timeout = 10s}); }};
const Add rate_limit{"a rate limit", [] { run_policies({.workers = 2, .rate_limit = agdf::RateLimit{.rate = 1e6}}); }};
const Add limit{"a limit", [] { run_policies({.workers = 2, .limit = agdf::Semaphore{1}}); }};
const Add ordered{"ordered", [] { run_policies({.workers = 2, .ordered = true}); }};
const Add ordered_2{"ordered and retry, 2 threads", [] { run_policies({.workers = 2, .retry = {.attempts = 2, .delay = 0ms}, .ordered = true}, 2); }};

const Add error_edge{"an error edge", [] {
    Sink sink, failed;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto node = graph.add_node("node", [](Counted item) {
        if (item.value() == 2)
            throw std::runtime_error("two");
        return item;
    });
    graph.add_node("source", source) >> node >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    graph.add_error_edge(node, graph.add_node("failed", [&failed](const agdf::Failed<Counted>& item) { failed(item.item); }));
    const agdf::RunReport report = graph.run();
    expect(report.outcome != agdf::Outcome::completed, "an item failed, and the run says 'completed'");
    // An item may be in both: what it had yielded before it failed stays.
    expect(sink.count() <= items && failed.count() <= items, "an item arrived twice");
}};

const Add halt{"halt", [] {
    Sink sink;
    asio::io_context io;
    agdf::GraphOptions options = quiet();
    options.on_error = agdf::OnError::halt;
    agdf::Graph graph{io, options};
    graph.add_node("source", source) >> graph.add_node("sink", [&sink](const Counted& item) {
        sink(item);
        if (item.value() == 2)
            throw std::runtime_error("two");
    });
    const agdf::RunReport report = graph.run();
    expect(report.outcome == agdf::Outcome::halted, "a halting error did not halt the run");
}};

const Add setup{"setup and teardown", [] {
    run_graph(quiet(), [](agdf::Graph<>& graph, Sink& sink) {
        const auto hook = []() -> asio::awaitable<void> { co_await agdf::sleep_for(0ms); };
        graph.add_node("source", source) >>
            graph.add_node("sink", [&sink](const Counted& item) { sink(item); }, {.setup = hook, .teardown = hook});
    });
}};

const Add watches{"a watch for signals and one for stalls", [] {
    Sink sink;
    asio::io_context io;
    {
        const Plenty plenty;  // Asio itself leaves something behind if its first signal_set finds no memory
        const asio::signal_set first{io, SIGINT};
    }
    agdf::GraphOptions options = quiet();
    options.stall_after = 10s;
    agdf::Graph graph{io, options};
    graph.add_node("source", source) >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    const agdf::RunReport report = graph.run({.stop_on_signals = true});
    judge(report, sink.count());
}};

const Add stats_logger{"a StatsLogger", [] {
    Sink sink;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    graph.add_node("source", source) >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    const agdf::StatsLogger logger{graph, {.interval = 1h, .sink = [](std::string_view) {}}};
    const agdf::RunReport report = graph.run();
    judge(report, sink.count());
}};

}  // namespace
