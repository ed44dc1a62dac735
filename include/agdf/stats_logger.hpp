#pragma once

// Floor 6: the periodic log of what the nodes do.

#include <agdf/graph.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agdf {

/// The options of a StatsLogger. An aggregate: `{.interval = 1s, .nodes = {"load"}}`.
struct StatsLoggerOptions {
    std::chrono::steady_clock::duration interval = std::chrono::seconds(60);
    /// One line for each node, in fmt's syntax. Fields: node, in, out, err, retried, dropped, undelivered, queued,
    /// queue_size, queue_peak, workers, active, and busy, idle, blocked in seconds.
    std::string format = " {node} - in={in}, out={out}, err={err}";
    std::vector<std::string> nodes = {};                 ///< which nodes; empty = all
    std::function<void(std::string_view)> sink = {};     ///< where a line goes; empty = to the graph's log, as info
};

namespace detail {

/// Something that goes on beside a graph until it is told to end.
class Ticker {
public:
    virtual void end() = 0;

protected:
    ~Ticker() = default;
};

/// Begins to log. A template, so that it costs the build of those programs only that use it.
template <class Options>
[[nodiscard]] std::shared_ptr<Ticker> make_stats_ticker(std::shared_ptr<GraphCore> core, const asio::any_io_executor& executor, Options options);

}  // namespace detail

/// Logs the numbers of a graph's nodes in an interval, while it runs, and once more when a run ends.
///
/// It has a timer of its own, so a graph in which nothing moves still logs.
///
/// Units:          `interval` at least a millisecond.
/// Errors:         throws GraphError for an interval of nothing, a node that the graph does not have, and a format that
///                 fmt does not accept.
/// Resumes:        the sink is called on the graph's context, beside the node bodies.
/// Thread-safety:  the sink is never called twice at the same time. Once it has thrown it is not called any more, and the
///                 graph's log says so; the run goes on.
/// Source:         async-graph-data-flow's data flow logging, which is silent when nothing moves.
///
///     agdf::StatsLogger logger{graph, {.interval = std::chrono::seconds(1)}};
class StatsLogger {
public:
    template <class Executor>
    explicit StatsLogger(const Graph<Executor>& graph, StatsLoggerOptions options = {})
        : ticker_(detail::make_stats_ticker(graph.core(), graph.get_executor(), std::move(options)))
    {
    }
    StatsLogger(const StatsLogger&) = delete;
    StatsLogger& operator=(const StatsLogger&) = delete;
    ~StatsLogger() { ticker_->end(); }

private:
    std::shared_ptr<detail::Ticker> ticker_;
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/stats_logger.ipp>
#endif
