#pragma once

// What the scenarios share.

#include "allocations.hpp"
#include "scenario.hpp"

#include "support/counted.hpp"

#include <agdf/agdf.hpp>

#include <atomic>
#include <string_view>
#include <utility>

namespace faults {

using test::Counted;

inline constexpr int items = 4;

[[nodiscard]] inline agdf::GraphOptions quiet(std::size_t threads = 1)
{
    return {.threads = threads, .log = [](agdf::LogLevel, std::string_view) {}};
}

/// Yields the items.
[[nodiscard]] inline agdf::Stream<Counted> source()
{
    for (int i = 1; i <= items; ++i) {
        const Counted item{i};
        co_yield item;
    }
}

/// Passes on what comes, as a body that sees its whole stream.
[[nodiscard]] inline agdf::Stream<Counted> whole(agdf::Receiver<Counted> items_in)
{
    while (auto item = co_await items_in.next())
        co_yield *item;
}

/// Counts what arrives.
class Sink {
public:
    void operator()(const Counted& item)
    {
        ++count_;
        sum_ += item.value();
    }
    [[nodiscard]] int count() const noexcept { return count_; }
    [[nodiscard]] int sum() const noexcept { return sum_; }

private:
    std::atomic<int> count_{0};
    std::atomic<int> sum_{0};
};

/// Checks that a report and what arrived fit together.
inline void judge(const agdf::RunReport& report, int arrived, int expected = items)
{
    const Plenty plenty;
    if (report.outcome == agdf::Outcome::completed) {
        expect(arrived == expected, "the run says 'completed', but items are missing");
        expect(!report.first_error, "the run says 'completed', but has an error");
        return;
    }
    expect(report.first_error != nullptr, "the run did not complete, and says no reason");
    expect(arrived <= expected, "an item arrived twice");
}

/// Runs a graph that `build` has made, and once more, which must do or be refused.
template <class Build>
void run_graph(agdf::GraphOptions options, Build build, int expected = items)
{
    Sink sink;
    asio::io_context io;
    agdf::Graph graph{io, std::move(options)};
    build(graph, sink);
    const agdf::RunReport report = graph.run();
    judge(report, sink.count(), expected);
}

}  // namespace faults
