#pragma once

// Floor 3: what looks at a run from the side: signals of the operating system, and the clock of a stall.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/run_control.hpp>
#include <agdf/detail/timer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agdf::detail {

[[nodiscard]] inline double seconds_of(std::chrono::steady_clock::duration time) noexcept
{
    return std::chrono::duration<double>(time).count();
}

/// Catches SIGINT and SIGTERM for as long as it lives. The last one of the program puts back what the signals did before the
/// first; Asio by itself would leave them with their default action.
///
/// Thread-safety: safe.
template <class Switch>
class CaughtSignals {
public:
    explicit CaughtSignals(const asio::any_io_executor& executor)
    {
        const std::lock_guard lock{shared().mutex};
        const Actions before = actions();
        set_.emplace(executor, SIGINT, SIGTERM);
        if (shared().users++ == 0) {
            shared().before = before;
            shared().caught = actions();
        }
    }
    CaughtSignals(const CaughtSignals&) = delete;
    CaughtSignals& operator=(const CaughtSignals&) = delete;

    /// Ends the wait for a signal as well, which would keep the context running.
    ~CaughtSignals()
    {
        const std::lock_guard lock{shared().mutex};
        set_.reset();
        if (--shared().users == 0)
            put_back();
    }

    [[nodiscard]] asio::signal_set& set() noexcept { return *set_; }

private:
#if defined(ASIO_HAS_SIGACTION)
    static constexpr std::array<int, 2> numbers{SIGINT, SIGTERM};
    using Actions = std::array<struct sigaction, numbers.size()>;

    static Actions actions() noexcept
    {
        Actions now{};
        for (std::size_t i = 0; i < now.size(); ++i)
            ::sigaction(numbers[i], nullptr, &now[i]);
        return now;
    }

    /// A signal that another signal_set of the program waits for, or did before, is left to Asio.
    static void put_back() noexcept
    {
        const Actions left = actions();
        for (std::size_t i = 0; i < left.size(); ++i)
            if (left[i].sa_handler == SIG_DFL && shared().before[i].sa_handler != shared().caught[i].sa_handler)
                ::sigaction(numbers[i], &shared().before[i], nullptr);
    }
#else
    struct Actions {};
    static Actions actions() noexcept { return {}; }
    static void put_back() noexcept {}
#endif

    struct Shared {
        std::mutex mutex;
        std::size_t users = 0;
        Actions before{}, caught{};
    };
    static Shared& shared()
    {
        static Shared instance;
        return instance;
    }

    std::optional<asio::signal_set> set_;
};

/// Stops a run at the first SIGINT or SIGTERM, and cancels it at the second, or when the grace is over.
///
/// Thread-safety: safe.
template <class Switch>
class SignalWatch final : public Watch, public std::enable_shared_from_this<SignalWatch<Switch>> {
public:
    SignalWatch(const asio::any_io_executor& executor, std::chrono::steady_clock::duration grace, std::weak_ptr<RunControl> run)
        : signals_(std::in_place, executor), timer_(std::in_place, executor), grace_(grace), run_(std::move(run))
    {
    }

    void begin() override
    {
        const std::lock_guard lock{mutex_};
        wait();
    }

    /// From here on signals do again what they did before.
    void end() override
    {
        const std::lock_guard lock{mutex_};
        if (!signals_)
            return;
        signals_.reset();
        timer_->cancel();
        ended_ = true;
    }

    void context_is_going() noexcept override
    {
        signals_.reset();
        timer_.reset();
    }

    [[nodiscard]] int signal() const override
    {
        const std::lock_guard lock{mutex_};
        return first_;
    }

private:
    void wait()
    {
        signals_->set().async_wait([self = this->shared_from_this()](const asio::error_code& error, int number) {
            if (!error)
                self->on_signal(number);
        });
    }

    void on_signal(int number)
    {
        const auto run = run_.lock();
        if (!run)
            return;
        const bool is_first = note(number);
        const std::string_view name = number == SIGINT ? "SIGINT" : "SIGTERM";
        if (is_first) {
            run->log(LogLevel::info, fmt::format("agdf: {}: the run drains. Another signal, or {} s, cancels it.", name, seconds_of(grace_)));
            run->stop();
        } else {
            run->log(LogLevel::warning, fmt::format("agdf: {} again: the run is cancelled.", name));
            run->cancel();
        }
    }

    /// Waits for the next one, and for the end of the grace.
    bool note(int number)
    {
        const std::lock_guard lock{mutex_};
        const bool is_first = first_ == 0;
        if (is_first)
            first_ = number;
        if (ended_)
            return is_first;
        wait();
        if (is_first) {
            timer_->expires_after(grace_);
            timer_->call_when_over([self = this->shared_from_this()] { self->on_end_of_grace(); });
        }
        return is_first;
    }

    void on_end_of_grace()
    {
        if (const auto run = run_.lock()) {
            run->log(LogLevel::warning, fmt::format("agdf: the run has not drained within {} s: it is cancelled.", seconds_of(grace_)));
            run->cancel();
        }
    }

    mutable std::mutex mutex_;
    std::optional<CaughtSignals<Switch>> signals_;  // empty after the end, and these two once the context has gone
    std::optional<Timer> timer_;
    const std::chrono::steady_clock::duration grace_;
    const std::weak_ptr<RunControl> run_;
    int first_ = 0;
    bool ended_ = false;
};

/// Logs which nodes hold items when nothing has moved for some time, once for each stall.
///
/// Thread-safety: safe.
template <class Time>
class StallWatch final : public Watch, public std::enable_shared_from_this<StallWatch<Time>> {
public:
    StallWatch(const asio::any_io_executor& executor, std::chrono::steady_clock::duration stall_after, std::weak_ptr<RunControl> run)
        : timer_(std::in_place, executor), stall_after_(stall_after), run_(std::move(run))
    {
    }

    void begin() override
    {
        const std::lock_guard lock{mutex_};
        last_change_ = timer_->now();
        wait();
    }

    void end() override
    {
        const std::lock_guard lock{mutex_};
        ended_ = true;
        if (timer_)
            timer_->cancel();
    }

    void context_is_going() noexcept override { timer_.reset(); }

private:
    // A stall is noticed by a quarter of its time too late at most.
    static constexpr int looks_per_stall = 4;

    void wait()
    {
        timer_->expires_after(std::max(stall_after_ / looks_per_stall, std::chrono::steady_clock::duration{1}));
        timer_->call_when_over([self = this->shared_from_this()] { self->look(); });
    }

    void look()
    {
        const auto run = run_.lock();
        if (!run)
            return;
        std::vector<NodeStats> stats = run->stats();
        const bool is_paused = run->is_paused();
        std::string holders;
        {
            const std::lock_guard lock{mutex_};
            if (ended_)
                return;
            wait();
            if (is_paused || !is_same(stats, last_)) {
                last_ = std::move(stats);
                last_change_ = timer_->now();
                reported_ = false;
                return;
            }
            if (reported_ || timer_->now() - last_change_ < stall_after_)
                return;
            for (std::size_t i = 0; i < last_.size(); ++i) {
                const std::size_t active = run->begins_by_itself(i) ? 0 : last_[i].active;
                if (last_[i].queued + active > 0)
                    holders += fmt::format("{}'{}' ({} queued, {} under way)", holders.empty() ? "" : ", ", last_[i].name, last_[i].queued, active);
            }
            reported_ = !holders.empty();
        }
        if (!holders.empty())
            run->log(LogLevel::warning, fmt::format("agdf: nothing has moved for {} s. These nodes hold items: {}. Expected: progress. Look "
                                                    "at what the last of them waits for.",
                                                    seconds_of(stall_after_), holders));
    }

    static bool is_same(const std::vector<NodeStats>& a, const std::vector<NodeStats>& b)
    {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NodeStats& x, const NodeStats& y) {
            return x.in == y.in && x.out == y.out && x.err == y.err && x.retried == y.retried && x.dropped == y.dropped &&
                   x.undelivered == y.undelivered && x.queued == y.queued && x.active == y.active;
        });
    }

    std::mutex mutex_;
    std::optional<Timer> timer_;  // empty once the context has gone
    const std::chrono::steady_clock::duration stall_after_;
    const std::weak_ptr<RunControl> run_;
    std::vector<NodeStats> last_;
    std::chrono::steady_clock::time_point last_change_;
    bool reported_ = false;
    bool ended_ = false;
};

template <class Switch>
std::shared_ptr<Watch> make_signal_watch(const asio::any_io_executor& executor, std::chrono::steady_clock::duration grace,
                                         std::weak_ptr<RunControl> run)
{
    return std::make_shared<SignalWatch<Switch>>(executor, grace, std::move(run));
}

template <class Time>
std::shared_ptr<Watch> make_stall_watch(const asio::any_io_executor& executor, std::chrono::steady_clock::duration stall_after,
                                        std::weak_ptr<RunControl> run)
{
    return std::make_shared<StallWatch<Time>>(executor, stall_after, std::move(run));
}

}  // namespace agdf::detail
