// Building, looking, and the ready-made pieces.

#include "support.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace faults;
using namespace std::chrono_literals;

namespace {

const Add build{"building a graph and looking at it", [] {
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto first = graph.add_node("source", source);
    auto second = graph.add_node("node", [](Counted item) { return item; });
    auto third = graph.add_node("sink", [](const Counted&) {});
    first >> second;
    graph.add_edge(second, third, agdf::where([](const Counted& item) { return item.value() > 0; }));
    graph.add_edge("source", "sink");
    graph.add_error_edge(second, graph.add_node("failed", [](const agdf::Failed<Counted>&) {}));
    expect(graph.stats().size() == 4, "there are four nodes");
    expect(!agdf::to_dot(graph).empty() && !agdf::to_mermaid(graph).empty(), "a picture is empty");
}};

const Add half_built{"a graph that is built on after a failure", [] {
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    Sink sink;
    auto first = graph.add_node("source", source);
    try {
        first >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    } catch (const std::bad_alloc&) {
        const Plenty plenty;
        std::string names;
        for (const agdf::NodeStats& node : graph.stats())
            names += node.name + " ";
        expect(names == "source " || names == "source sink ", "a node is there by half");
        if (names == "source ")
            first >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
        else
            graph.add_edge("source", "sink");
        const agdf::RunReport report = graph.run();
        expect(report.outcome == agdf::Outcome::completed, "the graph does not run after a failure that was mended");
        expect(sink.count() == items, "items are missing after a failure that was mended");
    }
}};

/// Runs a graph that may have no memory, lets its context finish what that leaves, and runs it once more with plenty.
template <class Build>
void run_again(Build build_graph)
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    Sink sink;
    build_graph(graph, sink);
    bool is_under_way = false;
    try {
        const agdf::RunReport report = graph.run();
        judge(report, sink.count());
        const Plenty plenty;
        for (const agdf::NodeStats& node : report.nodes)
            expect(node.active == 0, "a worker is active after the end");
    } catch (const std::bad_alloc&) {
        is_under_way = true;
    }
    const Plenty plenty;
    if (is_under_way) {
        io.restart();
        io.run();
    }
    const int before = sink.count();
    try {
        const agdf::RunReport report = graph.run();
        expect(report.outcome == agdf::Outcome::completed, "the second run did not complete");
        expect(sink.count() == before + items, "items of the second run are missing");
    } catch (const agdf::GraphError&) {
        expect(false, "the second run was refused");
    }
}

const Add again{"a run after one that had no memory", [] {
    run_again([](agdf::Graph<>& graph, Sink& sink) {
        graph.add_node("source", source) >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    });
}};

const Add again_whole{"the same, a body that sees its stream", [] {
    run_again([](agdf::Graph<>& graph, Sink& sink) {
        graph.add_node("source", source) >> graph.add_node("whole", whole) >>
            graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    });
}};

const Add again_hooks{"the same, setup and teardown", [] {
    run_again([](agdf::Graph<>& graph, Sink& sink) {
        const auto hook = [] {};
        graph.add_node("source", source, {.setup = hook, .teardown = hook}) >>
            graph.add_node("sink", [&sink](const Counted& item) { sink(item); }, {.setup = hook, .teardown = hook});
    });
}};

/// Whatever is short, a hook that fails never goes unseen.
void run_with_a_hook_that_fails(bool in_setup)
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    Sink sink;
    const agdf::Hook fails{[] { throw 1; }};
    graph.add_node("source", source) >>
        graph.add_node("sink", [&sink](const Counted& item) { sink(item); }, {.setup = in_setup ? fails : agdf::Hook{}, .teardown = in_setup ? agdf::Hook{} : fails});
    const agdf::RunReport report = graph.run();
    expect(report.outcome != agdf::Outcome::completed, "the run says 'completed'");
    expect(report.first_error != nullptr, "the run says no reason");
}

const Add failing_setup{"a setup that fails", [] { run_with_a_hook_that_fails(true); }};
const Add failing_teardown{"a teardown that fails", [] { run_with_a_hook_that_fails(false); }};

const Add batches{"batch", [] {
    Sink sink;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    graph.add_node("source", source) >> graph.add_node("batch", agdf::batch<Counted>({.max_items = 3, .max_delay = 1h})) >>
        graph.add_node("sink", [&sink](const std::vector<Counted>& batch) {
            for (const Counted& item : batch)
                sink(item);
        });
    const agdf::RunReport report = graph.run();
    judge(report, sink.count());
}};

const Add zip{"zip", [] {
    Sink sink;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto zipped = graph.add_node("zip", agdf::zip<Counted, int>());
    graph.add_edge(graph.add_node("left", source), zipped.input<0>());
    graph.add_edge(graph.add_node("right", agdf::from_range(std::vector<int>{1, 2, 3, 4})), zipped.input<1>());
    graph.add_edge(zipped, graph.add_node("sink", [&sink](const Counted& item, int) { sink(item); }));
    const agdf::RunReport report = graph.run();
    judge(report, sink.count());
}};

const Add broadcast{"a broadcast and queues of one", [] {
    Sink sink;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto from = graph.add_node("source", source);
    auto to = graph.add_node("sink", [&sink](const Counted& item) { sink(item); }, {.queue_size = 1});
    from >> graph.add_node("left", [](Counted item) { return item; }, {.queue_size = 1}) >> to;
    from >> graph.add_node("right", [](Counted item) -> asio::awaitable<Counted> { co_return item; }, {.queue_size = 1}) >> to;
    const agdf::RunReport report = graph.run();
    judge(report, sink.count(), 2 * items);
}};

}  // namespace
