#pragma once

// Floor 3: a node in a run, its workers and its errors.

#include <agdf/detail/worker_base.hpp>

#include <fmt/core.h>

#include <atomic>
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
