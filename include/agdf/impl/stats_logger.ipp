#pragma once

// Floor 6: the periodic log of what the nodes do.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/post.hpp>
#include <agdf/detail/shutdown.hpp>
#include <agdf/detail/timer.hpp>
#include <agdf/stats_logger.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace agdf {

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
        core_->add_observer(this->weak_from_this());
        hooks_.add(*this);
        try {
            if (core_->is_running())
                run_began();
        } catch (...) {
            hooks_.remove(*this);
            throw;
        }
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
        try {
            run_on_strand([](StatsTicker& self) {
                self.running_ = false;
                self.timer_->cancel();
            });
        } catch (const std::bad_alloc&) {  // its next tick is the last one
        }
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
            self.running_ = self.core_->is_running();
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
            if (!self->running_ || self->has_ended())
                return;
            self->write(self->core_->stats());
            if (!self->has_ended())
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
            try {
                const std::string line = format_stats(options_.format, stats);
                if (options_.sink)
                    options_.sink(line);
                else
                    core_->options().log(LogLevel::info, line);
            } catch (...) {  // a log that fails must not cost the run
                ended_ = true;
                say_why(std::current_exception());
            }
        }
    }

    void say_why(const std::exception_ptr& error) const noexcept
    {
        try {
            core_->options().log(LogLevel::warning, fmt::format("agdf::StatsLogger: its sink has thrown, so it logs no more: {}. Expected: a "
                                                                "sink that does not throw. Catch the error in the sink.",
                                                                describe(error)));
        } catch (...) {
        }
    }

    [[nodiscard]] bool has_ended()
    {
        const std::lock_guard lock{mutex_};
        return ended_;
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

template <class Options>
void check_stats_options(const Blueprint& blueprint, const Options& options)
{
    if (options.interval < std::chrono::milliseconds(1))
        throw GraphError("agdf::StatsLogger: the interval is shorter than a millisecond. Expected: 1ms or more. Set .interval.");
    for (const std::string& node : options.nodes)
        (void)blueprint.index_of("stats (StatsLogger)", node);
    try {
        check_widths(options.format);
        (void)format_stats(options.format, NodeStats{});
    } catch (const std::runtime_error& error) {
        throw GraphError(fmt::format("agdf::StatsLogger: the format \"{}\" is not valid: {}. Expected: fmt's syntax with the "
                                     "fields node, in, out, err, retried, dropped, undelivered, queued, queue_size, queue_peak, "
                                     "workers, active, busy, idle, blocked, and widths as numbers below 1000. Correct .format.",
                                     options.format, error.what()));
    }
}

template <class Options>
std::shared_ptr<Ticker> make_stats_ticker(std::shared_ptr<GraphCore> core, const asio::any_io_executor& executor, Options options)
{
    check_stats_options(core->blueprint, options);
    auto ticker = std::make_shared<StatsTicker<Options>>(std::move(core), executor, std::move(options));
    ticker->begin();
    return ticker;
}

}  // namespace detail

}  // namespace agdf
