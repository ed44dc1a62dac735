#pragma once

// The bodies of the graphs that are edited, and what a run of them must come to.

#include "edits_model.hpp"
#include "input.hpp"

#include <agdf/agdf.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fuzz {

[[nodiscard]] inline bool fails(int n) { return n % 5 == 0; }
[[nodiscard]] inline int stepped(int n)
{
    if (fails(n))
        throw std::runtime_error("a number that fails");
    return n + 1;
}
[[nodiscard]] inline int mapped(int n) { return n + 10; }
[[nodiscard]] inline int key_of(int n) { return n; }
[[nodiscard]] inline int key_of(const std::unique_ptr<int>& n) { return *n; }
[[nodiscard]] inline bool passes(int n) { return n % 2 == 0; }
[[nodiscard]] inline bool passes(const std::unique_ptr<int>& n) { return passes(*n); }

inline agdf::Stream<int> three()
{
    for (int i = 1; i <= 3; ++i)
        co_yield i;
}
inline agdf::Stream<std::unique_ptr<int>> two_movables()
{
    for (int i = 1; i <= 2; ++i)
        co_yield std::make_unique<int>(i);
}
inline agdf::Stream<int> add_one_to_each(agdf::Receiver<int> numbers)
{
    while (auto n = co_await numbers.next())
        co_yield *n + 1;
}

inline void add_body(agdf::Graph<>& graph, const std::string& name, Kind kind)
{
    const agdf::NodeOptions roomy{.queue_size =
                                      1'000'000};  // a zip behind a filter may stand still when a queue is full
    switch (kind) {
        case Kind::source: return void(graph.add_node(name, &three));
        case Kind::step: return void(graph.add_node(name, &stepped, roomy));
        case Kind::sink: return void(graph.add_node(name, [](int n) { (void)stepped(n); }, roomy));
        case Kind::letters: return void(graph.add_node(name, [](const agdf::Failed<int>&) {}, roomy));
        case Kind::movable_source: return void(graph.add_node(name, &two_movables));
        case Kind::movable_step: return void(graph.add_node(name, [](std::unique_ptr<int> n) { return n; }, roomy));
        case Kind::movable_sink: return void(graph.add_node(name, [](std::unique_ptr<int>) {}, roomy));
        case Kind::whole: return void(graph.add_node(name, &add_one_to_each, roomy));
        case Kind::zip:
        case Kind::zip_input: return void(graph.add_node(name, agdf::zip<int, int>(), roomy));
    }
}

/// How many of a node's items there are, worked out from the model, as long as they are few.
class Reckoning {
public:
    explicit Reckoning(const Model& model)
        : model_(model), arrivals_(model.nodes().size()), letters_(model.nodes().size())
    {
        std::vector<std::size_t> missing(model.nodes().size());
        for (const auto& edge : model.edges())
            ++missing[edge.to];
        std::vector<std::size_t> ready;
        for (std::size_t i = 0; i < missing.size(); ++i)
            if (missing[i] == 0)
                ready.push_back(i);
        while (!ready.empty()) {
            const std::size_t node = ready.back();
            ready.pop_back();
            send(node);
            for (const auto& edge : model.edges())
                if (edge.from == node && --missing[edge.to] == 0)
                    ready.push_back(edge.to);
        }
    }

    [[nodiscard]] bool is_small() const noexcept { return is_small_; }
    [[nodiscard]] std::size_t in(std::size_t node) const { return arrivals_[node].size() + letters_[node]; }
    [[nodiscard]] std::size_t err(std::size_t node) const
    {
        const Kind kind = model_.nodes()[node].kind;
        if (kind != Kind::step && kind != Kind::sink)
            return 0;
        return static_cast<std::size_t>(std::count_if(arrivals_[node].begin(), arrivals_[node].end(), &fails));
    }

private:
    [[nodiscard]] std::vector<int> outputs(std::size_t node) const
    {
        std::vector<int> numbers;
        switch (model_.nodes()[node].kind) {
            case Kind::source:
            case Kind::movable_source:  // each item that comes calls it once
                for (std::size_t calls = model_.is_fed(node) ? arrivals_[node].size() : 1; calls > 0; --calls)
                    for (int n = 1; n <= (model_.nodes()[node].kind == Kind::source ? 3 : 2); ++n)
                        numbers.push_back(n);
                return numbers;
            case Kind::movable_step: return arrivals_[node];
            case Kind::step:
                for (const int n : arrivals_[node])
                    if (!fails(n))
                        numbers.push_back(n + 1);
                return numbers;
            case Kind::whole:
                for (const int n : arrivals_[node])
                    numbers.push_back(n + 1);
                return numbers;
            default: return {};
        }
    }

    void send(std::size_t node)
    {
        const std::vector<int> items = outputs(node);
        is_small_ = is_small_ && items.size() < 3'000;
        if (!is_small_)
            return;
        int group = 0;
        for (const auto& edge : model_.edges()) {
            if (edge.from != node || (edge.group != 0 && edge.group == group))
                continue;
            group = edge.group;
            if (edge.label == "error")
                letters_[edge.to] += err(node);
            else if (edge.group != 0)
                send_to_group(items, edge.group);
            else
                for (const int n : items)
                    if (edge.label != "where" || passes(n))
                        arrivals_[edge.to].push_back(edge.label == "map" && !moves_only(node) ? mapped(n) : n);
        }
    }

    void send_to_group(const std::vector<int>& items, int group)
    {
        std::vector<std::size_t> to;
        for (const auto& edge : model_.edges())
            if (edge.group == group)
                to.push_back(edge.to);
        for (const int n : items)
            arrivals_[to[std::hash<int>{}(n) % to.size()]].push_back(n);
    }

    [[nodiscard]] bool moves_only(std::size_t node) const { return Model::moves_only(model_.nodes()[node].kind); }

    const Model& model_;
    std::vector<std::vector<int>> arrivals_;
    std::vector<std::size_t> letters_;
    bool is_small_ = true;
};

/// Whether each node that takes an item has somebody who sends it one.
[[nodiscard]] inline bool can_run(const Model& model)
{
    for (std::size_t i = 0; i < model.nodes().size(); ++i)
        if (model.nodes()[i].kind != Kind::source && model.nodes()[i].kind != Kind::movable_source && !model.is_fed(i))
            return false;
    return true;
}

/// Runs a graph, and expects the counts that the model comes to, or a refusal.
inline void run_and_compare(agdf::Graph<>& graph, const Model& model, bool is_exact)
{
    const Reckoning expected{model};
    if (!expected.is_small())
        return;
    std::optional<agdf::RunReport> report;
    try {
        report = graph.run();
    } catch (const agdf::GraphError& error) {
        const std::string text = error.what();
        expect(!can_run(model), "a run was refused that should work: " + text);
        expect(text.find("has neither an edge nor a start item") != text.npos,
               "a run was refused in other words: " + text);
        return;
    }
    expect(can_run(model), "a graph was run although one of its nodes gets nothing");
    expect(report->nodes.size() == model.nodes().size(), "the report has other nodes than the graph");
    std::size_t failed = 0;
    for (std::size_t i = 0; i < model.nodes().size(); ++i) {
        const agdf::NodeStats& stats = report->nodes[i];
        const Kind kind = model.nodes()[i].kind;
        failed += stats.err;
        expect(stats.queued == 0 && stats.active == 0, "something is left at the end of a run");
        if (!is_exact || kind == Kind::zip || kind == Kind::zip_input)
            continue;
        if (stats.in != expected.in(i) || stats.err != expected.err(i) || stats.undelivered != 0)
            fail("node '" + stats.name + "' has in=" + std::to_string(stats.in) + " err=" + std::to_string(stats.err) +
                 ", expected in=" + std::to_string(expected.in(i)) + " err=" + std::to_string(expected.err(i)) + ":\n" +
                 agdf::to_dot(graph));
    }
    expect(report->outcome == (failed > 0 ? agdf::Outcome::completed_with_errors : agdf::Outcome::completed),
           "a run did not complete");
}

/// Begins a run somewhere, and ends it after some steps.
inline void run_and_interrupt(asio::io_context& io, agdf::Graph<>& graph, const Model& model, Input& input)
{
    if (!can_run(model) || !Reckoning{model}.is_small())
        return;
    std::optional<agdf::RunReport> report;
    io.restart();
    graph.async_run([&](agdf::RunReport ended) { report = std::move(ended); });
    bool stops = false;
    bool cancels = false;
    for (std::size_t i = 0, n = input.below(4); i < n; ++i) {
        for (std::size_t steps = input.byte(); steps > 0; --steps)
            if (io.poll_one() == 0)
                break;
        if (report)
            break;
        switch (input.below(5)) {
            case 0:
                graph.stop();
                stops = true;
                break;
            case 1:
                graph.cancel();
                cancels = true;
                break;
            case 2: graph.pause(); break;
            case 3: graph.resume(); break;
            default: (void)graph.stats(); break;
        }
    }
    graph.resume();
    io.run();
    expect(report.has_value(), "a run that was interrupted does not end");
    const bool is_as_asked = report->outcome == agdf::Outcome::completed ||
                             report->outcome == agdf::Outcome::completed_with_errors ||
                             (report->outcome == agdf::Outcome::stopped && stops) ||
                             (report->outcome == agdf::Outcome::cancelled && cancels);
    expect(is_as_asked, "a run ended as nobody asked for");
    for (const agdf::NodeStats& node : report->nodes)
        expect(node.queued == 0 && node.active == 0, "something is left at the end of an interrupted run");
    io.restart();
}

}  // namespace fuzz
