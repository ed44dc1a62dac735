#pragma once

// Floor 3: what the parts of one run share: how far it is, its strands, its nodes and their workers.

#include <agdf/detail/lane.hpp>
#include <agdf/options.hpp>
#include <agdf/stats.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agdf::detail {

/// How far a run is. It only goes forward; from `cancelled` on, items are discarded.
enum class Phase : unsigned char { running, stopping, cancelled, halted };

/// A counter with one writer at a time and any number of readers.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept
    {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class NodeRun;

/// One execution of a graph, as its nodes see it.
class RunState {
public:
    explicit RunState(GraphOptions options) : options_(std::move(options)) {}
    RunState(const RunState&) = delete;
    RunState& operator=(const RunState&) = delete;

    [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool is_stopping() const noexcept { return phase() >= Phase::stopping; }
    [[nodiscard]] bool is_discarding() const noexcept { return phase() >= Phase::cancelled; }
    [[nodiscard]] const GraphOptions& options() const noexcept { return options_; }

    /// Ends the run because of an error; the first one wins.
    virtual void halt(NodeRun& node, const std::exception_ptr& error) = 0;
    /// Notes an error that the run survives.
    virtual void note(NodeRun& node, const std::exception_ptr& error) = 0;
    virtual void log(LogLevel level, std::string_view line) noexcept = 0;

protected:
    ~RunState() = default;

    std::atomic<Phase> phase_{Phase::running};

private:
    const GraphOptions options_;
};

/// What a worker does with its time, added up at suspensions only.
///
/// Thread-safety: the worker writes, anybody reads.
class WorkerClock {
public:
    using Clock = std::chrono::steady_clock;
    enum State : unsigned char { idle, busy, blocked, ended };

    /// Adds the time since the last change to the present state, and changes it.
    Clock::time_point change(State state) noexcept
    {
        const Clock::time_point now = Clock::now();
        const State before = state_.load(std::memory_order_relaxed);
        if (before != ended)
            spent_[before].add(static_cast<std::uint64_t>(now.time_since_epoch().count() - since_.load(std::memory_order_relaxed)));
        since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        state_.store(state, std::memory_order_relaxed);
        return now;
    }

    void start() noexcept
    {
        since_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
        state_.store(idle, std::memory_order_relaxed);
    }

    [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_relaxed); }

    /// Adds this worker's time to a node's, with what has passed since its last suspension.
    void add_to(NodeStats& stats) const noexcept
    {
        const State state = state_.load(std::memory_order_relaxed);
        const Clock::rep since = since_.load(std::memory_order_relaxed);
        Clock::duration spent[3];
        for (std::size_t i = 0; i < 3; ++i)
            spent[i] = Clock::duration{static_cast<Clock::rep>(spent_[i].get())};
        if (state != ended && since != 0)
            spent[state] += std::max(Clock::duration{}, Clock::now() - Clock::time_point{Clock::duration{since}});
        stats.idle += spent[idle];
        stats.busy += spent[busy];
        stats.blocked += spent[blocked];
        stats.active += (state == busy || state == blocked) ? 1U : 0U;
    }

private:
    Counter spent_[3];
    std::atomic<Clock::rep> since_{0};
    std::atomic<State> state_{ended};
};

/// What all workers have in common: a strand, a way to be cancelled, counters and a turn.
class WorkerBase : public Sleeper {
public:
    WorkerBase(RunState& run, NodeRun& node, Lane& lane) noexcept : run_(run), node_(node), lane_(lane) {}

    /// The worker's coroutine.
    [[nodiscard]] virtual asio::awaitable<void> work() = 0;

    [[nodiscard]] Lane& lane() noexcept { return lane_; }
    [[nodiscard]] asio::cancellation_signal& signal() noexcept { return signal_; }
    [[nodiscard]] WorkerClock& clock() noexcept { return clock_; }

    /// Puts the sleeping worker into its strand's run queue.
    void wake_up() { lane_.schedule(*this); }

    void count_out() noexcept { out_.add(); }
    void count_undelivered(std::uint64_t n = 1) noexcept { undelivered_.add(n); }

    void add_to(NodeStats& stats) const noexcept
    {
        stats.out += out_.get();
        stats.err += err_.get();
        stats.undelivered += undelivered_.get();
        clock_.add_to(stats);
    }

    /// Uses up one step of the turn; false when it is over. A turn bounds how long others on the strand must wait.
    [[nodiscard]] bool has_turn() noexcept { return --credit_ > 0; }
    [[nodiscard]] bool is_turn_over() const noexcept { return credit_ <= 0; }

    [[nodiscard]] bool is_cut_short() const noexcept { return run_.is_discarding() || (is_source_ && run_.is_stopping()); }

    void be_source() noexcept { is_source_ = true; }
    [[nodiscard]] bool is_source() const noexcept { return is_source_; }

protected:
    ~WorkerBase() = default;

    /// Notes what the worker does from now on.
    void begin(WorkerClock::State state) noexcept
    {
        const auto now = clock_.change(state);
        if (state == WorkerClock::busy) {
            resumed_at_ = now;
            credit_ = turn_;
        }
    }

    /// Sleeps until `wake_up`; it counts as `state` meanwhile.
    [[nodiscard]] asio::awaitable<void> wait(WorkerClock::State state)
    {
        begin(state);
        return suspend();
    }

    /// Gives the strand to the others. Turns of about the length aimed at keep timers and sockets prompt, and cost one
    /// clock reading each.
    [[nodiscard]] asio::awaitable<void> next_turn()
    {
        constexpr std::chrono::microseconds aim{200};
        const auto took = WorkerClock::Clock::now() - resumed_at_;
        if (took > 2 * aim)
            turn_ = std::max(turn_ / 2, 1);
        else if (took < aim / 2)
            turn_ = std::min(turn_ * 2, 4'096);
        wake_up();
        return suspend();
    }

    RunState& run_;
    NodeRun& node_;
    Lane& lane_;
    Counter out_;
    Counter err_;
    Counter undelivered_;

private:
    void run() final
    {
        begin(WorkerClock::busy);
        Sleeper::run();
    }

    WorkerClock clock_;
    WorkerClock::Clock::time_point resumed_at_{};
    int turn_ = 16;
    int credit_ = 16;
    bool is_source_ = false;
    asio::cancellation_signal signal_;
};

/// One node in one run.
class NodeRun {
public:
    NodeRun(RunState& run, std::string name, NodeOptions options)
        : run_(run), name_(std::move(name)), options_(std::move(options))
    {
    }
    NodeRun(const NodeRun&) = delete;
    NodeRun& operator=(const NodeRun&) = delete;
    virtual ~NodeRun() = default;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const NodeOptions& options() const noexcept { return options_; }

    /// Makes the workers, each on the next lane.
    virtual void make_workers(const std::function<Lane&()>& next_lane) = 0;
    [[nodiscard]] virtual std::size_t worker_count() const noexcept = 0;
    [[nodiscard]] virtual WorkerBase& worker(std::size_t index) noexcept = 0;
    [[nodiscard]] virtual NodeStats stats() const = 0;
    virtual void close_input() noexcept = 0;
    /// Counts and destroys what is left in the queue at the end of the run.
    virtual void discard_input() noexcept = 0;
    virtual void abandon_waiters() noexcept = 0;

    void add_consumer(NodeRun& consumer) { consumers_.push_back(&consumer); }
    void add_producer() noexcept { producers_.fetch_add(1, std::memory_order_relaxed); }

    /// The queue ends when the last producer has: counted, never inferred from an order.
    void producer_ended() noexcept
    {
        if (producers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            close_input();
    }

    void set_live_workers(std::size_t count) noexcept { live_workers_.store(count, std::memory_order_relaxed); }
    /// Says that a body which sees the whole stream has returned; true for the last one.
    [[nodiscard]] bool body_returned() noexcept { return returned_bodies_.fetch_add(1, std::memory_order_acq_rel) + 1 == options_.workers; }

    void worker_ended() noexcept
    {
        if (live_workers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            for (NodeRun* const consumer : consumers_)
                consumer->producer_ended();
    }

    /// Records, logs and acts on an error of one item.
    void fail(const std::exception_ptr& error)
    {
        const OnError on_error = options_.on_error == OnError::inherit ? run_.options().on_error : options_.on_error;
        const bool halts = on_error == OnError::halt;
        std::uint64_t count = 0;
        {
            const std::lock_guard lock{mutex_};
            count = ++errors_;
            if (run_.options().max_exceptions > 0) {
                if (exceptions_.size() == run_.options().max_exceptions)
                    exceptions_.pop_front();
                exceptions_.push_back(error);
            }
        }
        if (halts || count <= lines_in_full || is_power_of_ten(count))
            run_.log(LogLevel::error, fmt::format("agdf: node '{}': {}{}: {}", name_, halts ? "halts the run" : "item skipped",
                                                  count > lines_in_full ? fmt::format(" (error {})", count) : std::string{},
                                                  describe(error)));
        if (count == lines_in_full && !halts)
            run_.log(LogLevel::error, fmt::format("agdf: node '{}': further errors are logged at 100, 1000, …", name_));
        if (halts)
            run_.halt(*this, error);
        else
            run_.note(*this, error);
    }

    [[nodiscard]] std::vector<std::exception_ptr> exceptions() const
    {
        const std::lock_guard lock{mutex_};
        return {exceptions_.begin(), exceptions_.end()};
    }

    [[nodiscard]] RunState& run() noexcept { return run_; }

protected:
    RunState& run_;

private:
    static constexpr std::uint64_t lines_in_full = 10;

    static bool is_power_of_ten(std::uint64_t n) noexcept
    {
        while (n % 10 == 0)
            n /= 10;
        return n == 1;
    }

    const std::string name_;
    const NodeOptions options_;
    std::vector<NodeRun*> consumers_;
    std::atomic<std::size_t> producers_{0};
    std::atomic<std::size_t> live_workers_{0};
    std::atomic<std::size_t> returned_bodies_{0};
    mutable std::mutex mutex_;
    std::deque<std::exception_ptr> exceptions_;
    std::uint64_t errors_ = 0;
};

}  // namespace agdf::detail
