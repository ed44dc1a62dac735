#pragma once

// Floor 6: the periodic log of what the nodes do.

#include <agdf/detail/post.hpp>
#include <agdf/detail/shutdown.hpp>
#include <agdf/detail/timer.hpp>
#include <agdf/graph.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
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

/// What `{}` would stand for.
struct FieldWithoutName {};

}  // namespace detail

}  // namespace agdf

template <>
struct fmt::formatter<agdf::detail::FieldWithoutName> {
    static constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
    template <class Context>
    auto format(agdf::detail::FieldWithoutName, Context& context) const -> decltype(context.out())
    {
        throw std::runtime_error("a field has no name");
    }
};

namespace agdf {

namespace detail {

/// Throws std::runtime_error for a width or a precision that is a field itself, or beyond all reason: they are right for the
/// numbers of now, and throw or fill the memory when the numbers have grown.
template <class = void>
void check_widths(std::string_view format)
{
    bool is_in_field = false;
    std::size_t digits = 0;
    for (std::size_t i = 0; i < format.size(); ++i) {
        const char c = format[i];
        digits = is_in_field && c >= '0' && c <= '9' ? digits + 1 : 0;
        if (digits > 3)
            throw std::runtime_error("a width or a precision has more than three digits");
        if (is_in_field && c == '{')
            throw std::runtime_error("a width or a precision is taken from a field, so it would grow with it");
        if (is_in_field)
            is_in_field = c != '}';
        else if (c == '{' && i + 1 < format.size() && format[i + 1] == '{')
            ++i;
        else
            is_in_field = c == '{';
    }
}

/// Writes a node's numbers as a format says.
///
/// Errors: throws std::runtime_error, fmt's own as a rule, if the format is wrong.
template <class = void>  // as all here, so that a program without such a log does not pay for it when it is built
[[nodiscard]] std::string format_stats(const std::string& format, const NodeStats& stats)
{
    const auto seconds = [](std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); };
    return fmt::format(fmt::runtime(format), FieldWithoutName{}, fmt::arg("node", stats.name), fmt::arg("in", stats.in), fmt::arg("out", stats.out),
                       fmt::arg("err", stats.err), fmt::arg("retried", stats.retried), fmt::arg("dropped", stats.dropped),
                       fmt::arg("undelivered", stats.undelivered), fmt::arg("queued", stats.queued),
                       fmt::arg("queue_size", stats.queue_size), fmt::arg("queue_peak", stats.queue_peak),
                       fmt::arg("workers", stats.workers), fmt::arg("active", stats.active),
                       fmt::arg("busy", seconds(stats.busy)), fmt::arg("idle", seconds(stats.idle)),
                       fmt::arg("blocked", seconds(stats.blocked)));
}

/// Something that goes on beside a graph until it is told to end.
class Ticker {
public:
    virtual void end() = 0;

protected:
    ~Ticker() = default;
};

/// The timer and what it writes; it lives on while Asio has a handler of it.
template <class Options>
class StatsTicker final : public Ticker,
                          public RunObserver,
                          private ShutdownHook,
                          public std::enable_shared_from_this<StatsTicker<Options>> {
public:
    StatsTicker(std::shared_ptr<GraphCore> core, const asio::any_io_executor& executor, Options options)
        : core_(std::move(core)),
          strand_(asio::make_strand(executor)),
          timer_(std::in_place, *strand_),
          hooks_(asio::use_service<ShutdownService>(asio::query(executor, asio::execution::context))),
          options_(std::move(options))
    {
    }

    void begin()
    {
        hooks_.add(*this);
        core_->add_observer(this->weak_from_this());
        if (core_->current_run())
            run_began();
    }

    /// After this the sink is not called any more, nor being called by another thread.
    void end() override
    {
        {
            const std::lock_guard lock{mutex_};
            ended_ = true;
        }
        if (!timer_)
            return;  // the context went first
        run_on_strand([](StatsTicker& self) {
            self.running_ = false;
            self.timer_->cancel();
        });
        hooks_.remove(*this);
    }

private:
    void run_began() override
    {
        const std::lock_guard lock{mutex_};
        if (ended_)
            return;
        run_on_strand([](StatsTicker& self) {
            if (!std::exchange(self.running_, true))
                self.wait();
        });
    }

    /// The last line is written at once, so that it is there before `run` returns.
    void run_ended(const std::vector<NodeStats>& stats) override
    {
        write(stats);
        const std::lock_guard lock{mutex_};
        if (ended_)
            return;
        run_on_strand([](StatsTicker& self) {
            self.running_ = self.core_->current_run() != nullptr;
            if (!self.running_)
                self.timer_->cancel();
        });
    }

    void context_is_going() noexcept override
    {
        ended_ = true;  // nothing runs at the same time any more
        timer_.reset();
        strand_.reset();
    }

    void wait()
    {
        timer_->expires_after(options_.interval);
        timer_->call_when_over([self = this->shared_from_this()] {
            if (!self->running_)
                return;
            self->write(self->core_->stats());
            self->wait();
        });
    }

    void write(const std::vector<NodeStats>& all)
    {
        const std::lock_guard lock{mutex_};
        for (const NodeStats& stats : all) {
            if (ended_)
                return;  // perhaps by the sink

            if (!options_.nodes.empty() && std::find(options_.nodes.begin(), options_.nodes.end(), stats.name) == options_.nodes.end())
                continue;
            const std::string line = format_stats(options_.format, stats);
            if (options_.sink)
                options_.sink(line);
            else
                core_->options().log(LogLevel::info, line);
        }
    }

    void run_on_strand(void (*action)(StatsTicker&))
    {
        detail::post_call(*strand_, [self = this->shared_from_this(), action] { action(*self); });
    }

    const std::shared_ptr<GraphCore> core_;
    std::optional<asio::strand<asio::any_io_executor>> strand_;  // these two are empty once the context has gone
    std::optional<Timer> timer_;
    ShutdownService& hooks_;
    const Options options_;
    std::recursive_mutex mutex_;  // a sink may destroy its own logger
    bool ended_ = false;
    bool running_ = false;
};

}  // namespace detail

/// Logs the numbers of a graph's nodes in an interval, while it runs, and once more when a run ends.
///
/// It has a timer of its own, so a graph in which nothing moves still logs.
///
/// Units:          `interval` at least a millisecond.
/// Errors:         throws GraphError for an interval of nothing, a node that the graph does not have, and a format that
///                 fmt does not accept.
/// Resumes:        the sink is called on the graph's context, beside the node bodies.
/// Thread-safety:  the sink is never called twice at the same time. What it throws ends the log's timer.
/// Source:         async-graph-data-flow's data flow logging, which is silent when nothing moves.
///
///     agdf::StatsLogger logger{graph, {.interval = std::chrono::seconds(1)}};
class StatsLogger {
public:
    template <class Executor>
    explicit StatsLogger(const Graph<Executor>& graph, StatsLoggerOptions options = {})
    {
        check(graph.core()->blueprint, options);
        auto ticker = std::make_shared<detail::StatsTicker<StatsLoggerOptions>>(graph.core(), graph.get_executor(), std::move(options));
        ticker->begin();
        ticker_ = std::move(ticker);
    }
    StatsLogger(const StatsLogger&) = delete;
    StatsLogger& operator=(const StatsLogger&) = delete;
    ~StatsLogger() { ticker_->end(); }

private:
    template <class = void>
    static void check(const detail::Blueprint& blueprint, const StatsLoggerOptions& options)
    {
        if (options.interval < std::chrono::milliseconds(1))
            throw GraphError("agdf::StatsLogger: the interval is shorter than a millisecond. Expected: 1ms or more. Set .interval.");
        for (const std::string& node : options.nodes)
            (void)blueprint.index_of("stats (StatsLogger)", node);
        try {
            detail::check_widths(options.format);
            (void)detail::format_stats(options.format, NodeStats{});
        } catch (const std::runtime_error& error) {
            throw GraphError(fmt::format("agdf::StatsLogger: the format \"{}\" is not valid: {}. Expected: fmt's syntax with the "
                                         "fields node, in, out, err, retried, dropped, undelivered, queued, queue_size, queue_peak, "
                                         "workers, active, busy, idle, blocked, and widths as numbers below 1000. Correct .format.",
                                         options.format, error.what()));
        }
    }

    std::shared_ptr<detail::Ticker> ticker_;
};

}  // namespace agdf
