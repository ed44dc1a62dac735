#pragma once

// A graph of three nodes in virtual time, for tests of what the options of the one in the middle do.

#include "counted.hpp"
#include "graph.hpp"

#include <agdf/testing.hpp>

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

namespace test {

using Ints = std::vector<int>;
using Ticks = std::chrono::steady_clock::duration;
/// Bodies in a std::function are of one type, so that a file of many tests compiles one graph.
using Body = std::function<asio::awaitable<int>(int)>;
using StreamBody = std::function<agdf::Stream<int>(int)>;

/// source -> node -> sink, with the time, the results and the report.
class Bench {
public:
    explicit Bench(agdf::GraphOptions options = {}) : graph(io, quiet(std::move(options))) {}

    /// Runs the items through a body; the sink collects.
    template <class B>
    void run(B body, agdf::NodeOptions options, Ints items = {1})
    {
        run_into([this](int n) { results.push_back(n); }, std::move(body), std::move(options), std::move(items));
    }

    /// The same with a sink of the test's own.
    template <class B>
    void run_into(std::function<void(int)> sink, B body, agdf::NodeOptions options, Ints items = {1})
    {
        auto node = graph.add_node("node", std::move(body), std::move(options));
        graph.add_node("source", agdf::from_range(std::move(items))) >> node >> graph.add_node("sink", std::move(sink));
        report = graph.run();
    }

    /// Calls an action at some time of the run.
    void at(Ticks when, std::function<void()> action) { asio::co_spawn(io, call_at(when, std::move(action)), asio::detached); }

    /// Remembers that something began now; for bodies.
    void mark() { marks.push_back(time.elapsed()); }

    [[nodiscard]] const agdf::NodeStats& node() const { return report.node("node"); }

    Watchdog watchdog;
    asio::io_context io;
    agdf::testing::VirtualTime time{io};
    agdf::Graph<> graph;
    Ints results;
    std::vector<Ticks> marks;
    agdf::RunReport report;

private:
    static asio::awaitable<void> call_at(Ticks when, std::function<void()> action)
    {
        co_await agdf::sleep_for(when);
        action();
    }
};

[[nodiscard]] inline Ints up_to(int last)
{
    Ints numbers;
    for (int i = 1; i <= last; ++i)
        numbers.push_back(i);
    return numbers;
}

}  // namespace test
