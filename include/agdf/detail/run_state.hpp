#pragma once

// Floor 3: what the parts of one run share: how far it is, its strands, its nodes and their workers.

#include <agdf/detail/lane.hpp>
#include <agdf/detail/worker_clock.hpp>
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
    [[nodiscard]] bool is_paused() const noexcept { return paused_.load(std::memory_order_relaxed); }
    [[nodiscard]] const GraphOptions& options() const noexcept { return options_; }

    /// Ends the run because of an error; the first one wins.
    virtual void halt(NodeRun& node, const std::exception_ptr& error) = 0;
    /// Notes an error that the run survives.
    void note(const NodeRun& node, const std::exception_ptr& error);
    virtual void log(LogLevel level, std::string_view line) noexcept = 0;

protected:
    ~RunState() = default;

    /// Moves on to a later phase; false if the run is there already or further.
    bool advance(Phase phase) noexcept
    {
        Phase now = phase_.load(std::memory_order_relaxed);
        while (now < phase)
            if (phase_.compare_exchange_weak(now, phase))
                return true;
        return false;
    }
    /// The same because of an error, which is then the run's first.
    bool advance_with(Phase phase, const NodeRun& node, const std::exception_ptr& error);

    /// The halting error, else the first one, and its node.
    [[nodiscard]] std::pair<std::string, std::exception_ptr> first_error() const
    {
        const std::lock_guard lock{mutex_};
        return {first_error_node_, first_error_};
    }
    [[nodiscard]] bool has_errors() const
    {
        const std::lock_guard lock{mutex_};
        return first_error_ != nullptr;
    }

    std::atomic<bool> paused_{false};

private:
    std::atomic<Phase> phase_{Phase::running};
    const GraphOptions options_;
    mutable std::mutex mutex_;
    std::exception_ptr first_error_;
    std::string first_error_node_;
};

/// What all workers have in common: a strand, a way to be cancelled, counters and a turn.
class WorkerBase : public Sleeper {
public:
    WorkerBase(RunState& run, NodeRun& node, Lane& lane) noexcept : run_(run), node_(node), lane_(lane) {}
    virtual ~WorkerBase() = default;

    /// The worker's coroutine.
    [[nodiscard]] virtual asio::awaitable<void> work() = 0;
    [[nodiscard]] Lane& lane() noexcept { return lane_; }
    [[nodiscard]] asio::cancellation_signal& signal() noexcept { return signal_; }
    [[nodiscard]] WorkerClock& clock() noexcept { return clock_; }

    /// Puts the sleeping worker into its strand's run queue.
    void wake_up() { lane_.schedule(*this); }

    void count_out() noexcept { out_.add(); }
    void count_error() noexcept { err_.add(); }
    void count_retried() noexcept { retried_.add(); }
    void count_undelivered(std::uint64_t n = 1) noexcept { undelivered_.add(n); }

    void add_to(NodeStats& stats) const noexcept
    {
        stats.out += out_.get();
        stats.err += err_.get();
        stats.retried += retried_.get();
        stats.undelivered += undelivered_.get();
        clock_.add_to(stats);
    }

    /// Uses up one step of the turn; false when it is over. A turn bounds how long others on the strand must wait.
    [[nodiscard]] bool has_turn() noexcept { return --credit_ > 0; }
    [[nodiscard]] bool is_turn_over() const noexcept { return credit_ <= 0; }

    [[nodiscard]] bool is_cut_short() const noexcept { return run_.is_discarding() || (is_source_ && run_.is_stopping()); }
    [[nodiscard]] bool is_discarding() const noexcept { return run_.is_discarding(); }
    [[nodiscard]] bool is_stopping() const noexcept { return run_.is_stopping(); }
    [[nodiscard]] bool must_pause() const noexcept { return run_.is_paused(); }
    [[nodiscard]] NodeRun& node() noexcept { return node_; }

    void be_source() noexcept { is_source_ = true; }
    [[nodiscard]] bool is_source() const noexcept { return is_source_; }

    /// The run drains, and this worker goes on: waits of ours that only pass time end. On the worker's strand.
    virtual void on_drain() noexcept {}
    /// The run is not paused any more. On the worker's strand.
    void on_resume()
    {
        if (std::exchange(is_paused_, false))
            wake_up();
    }

    /// Deals with an error of an item.
    virtual void fail(const std::exception_ptr& error) = 0;
    /// Gives up the item in hand, if it is one.
    virtual void lose_item() noexcept = 0;
    /// Whether the worker has to sleep until its edges have room.
    [[nodiscard]] virtual bool must_wait() = 0;

    /// Sleeps until `wake_up`; it counts as `state` meanwhile.
    [[nodiscard]] asio::awaitable<void> wait(WorkerClock::State state)
    {
        begin(state);
        return suspend();
    }

    /// Sleeps until the run goes on.
    [[nodiscard]] asio::awaitable<void> pause()
    {
        is_paused_ = true;
        return wait(WorkerClock::idle);
    }

    /// Notes what the worker does from now on.
    void begin(WorkerClock::State state) noexcept
    {
        const auto now = clock_.change(state);
        if (state == WorkerClock::busy) {
            resumed_at_ = now;
            credit_ = turn_;
        }
    }

protected:
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
    Counter retried_;
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
    bool is_paused_ = false;
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
    virtual void make_workers(const std::function<Lane&()>& next_lane)
    {
        workers_.reserve(options_.workers);
        for (std::size_t i = 0; i < options_.workers; ++i)
            workers_.push_back(make_worker(next_lane()));
        live_workers_.store(workers_.size(), std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
    [[nodiscard]] WorkerBase& worker(std::size_t index) noexcept { return *workers_[index]; }
    [[nodiscard]] virtual NodeStats stats() const = 0;
    /// Makes the bodies of workers that each have their own, and destroys them.
    virtual void make_bodies() = 0;
    virtual void drop_bodies() noexcept = 0;
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

    /// Says that a body which sees the whole stream has returned; true for the last one.
    [[nodiscard]] bool body_returned() noexcept { return returned_bodies_.fetch_add(1, std::memory_order_acq_rel) + 1 == options_.workers; }

    void worker_ended() noexcept
    {
        if (live_workers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            for (NodeRun* const consumer : consumers_)
                consumer->producer_ended();
    }

    /// Makes every failure of this node halt the run, since it is where failed items go.
    void take_dead_letters() noexcept { takes_dead_letters_ = true; }

    void halt(const std::exception_ptr& error) { run_.halt(*this, error); }

    /// Records, logs and acts on an error of one item.
    void fail(const std::exception_ptr& error, std::string_view consequence = "item skipped")
    {
        const OnError on_error = options_.on_error == OnError::inherit ? run_.options().on_error : options_.on_error;
        const bool halts = on_error == OnError::halt || takes_dead_letters_;
        const std::uint64_t count = keep(error);
        if (halts || count <= lines_in_full || is_power_of_ten(count))
            run_.log(LogLevel::error, fmt::format("agdf: node '{}': {}{}: {}", name_, halts ? "halts the run" : consequence,
                                                  count > lines_in_full ? fmt::format(" (error {})", count) : std::string{},
                                                  describe(error)));
        if (count == lines_in_full && !halts)
            run_.log(LogLevel::error, fmt::format("agdf: node '{}': further errors are logged at 100, 1000, …", name_));
        if (halts)
            run_.halt(*this, error);
        else
            run_.note(*this, error);
    }

    /// Keeps an exception for the report, and returns how many there were.
    std::uint64_t keep(const std::exception_ptr& error)
    {
        const std::lock_guard lock{mutex_};
        if (run_.options().max_exceptions > 0) {
            if (exceptions_.size() == run_.options().max_exceptions)
                exceptions_.pop_front();
            exceptions_.push_back(error);
        }
        return ++errors_;
    }

    [[nodiscard]] std::vector<std::exception_ptr> exceptions() const
    {
        const std::lock_guard lock{mutex_};
        return {exceptions_.begin(), exceptions_.end()};
    }

    [[nodiscard]] RunState& run() noexcept { return run_; }

protected:
    [[nodiscard]] virtual std::unique_ptr<WorkerBase> make_worker(Lane& lane) = 0;
    /// Adds what the workers know.
    void add_workers_to(NodeStats& stats) const
    {
        stats.workers = workers_.size();
        for (const auto& worker : workers_)
            worker->add_to(stats);
    }

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
    std::vector<std::unique_ptr<WorkerBase>> workers_;
    std::vector<NodeRun*> consumers_;
    std::atomic<std::size_t> producers_{0};
    std::atomic<std::size_t> live_workers_{0};
    std::atomic<std::size_t> returned_bodies_{0};
    bool takes_dead_letters_ = false;
    mutable std::mutex mutex_;
    std::deque<std::exception_ptr> exceptions_;
    std::uint64_t errors_ = 0;
};

inline void RunState::note(const NodeRun& node, const std::exception_ptr& error)
{
    const std::lock_guard lock{mutex_};
    if (first_error_)
        return;
    first_error_ = error;
    first_error_node_ = node.name();
}

inline bool RunState::advance_with(Phase phase, const NodeRun& node, const std::exception_ptr& error)
{
    const std::lock_guard lock{mutex_};
    if (!advance(phase))
        return false;
    first_error_ = error;
    first_error_node_ = node.name();
    return true;
}

}  // namespace agdf::detail
