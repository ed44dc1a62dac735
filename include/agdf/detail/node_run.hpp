#pragma once

// Floor 3: a node in a run, its workers and its errors.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/worker_base.hpp>

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
    NodeRun(RunState& run, std::string name, NodeOptions options);
    NodeRun(const NodeRun&) = delete;
    NodeRun& operator=(const NodeRun&) = delete;
    AGDF_DECL virtual ~NodeRun();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const NodeOptions& options() const noexcept { return options_; }

    /// Makes the workers, each on the next lane.
    AGDF_DECL virtual void make_workers(const std::function<Lane&()>& next_lane);
    [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
    [[nodiscard]] WorkerBase& worker(std::size_t index) noexcept { return *workers_[index]; }
    /// Destroys the workers, with what is left of their bodies, while all nodes are still whole.
    void drop_workers() noexcept { workers_.clear(); }
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

    [[nodiscard]] bool has_producers() const noexcept { return producers_.load(std::memory_order_relaxed) > 0; }
    /// The queue ends when the last producer has: counted, never inferred from an order.
    void producer_ended() noexcept;

    /// Says that a body which sees the whole stream has returned; true for the last one.
    [[nodiscard]] bool body_returned() noexcept { return returned_bodies_.fetch_add(1, std::memory_order_acq_rel) + 1 == options_.workers; }

    void worker_ended() noexcept;

    /// Makes every failure of this node halt the run, since it is where failed items go; unless it passes them on itself.
    void take_dead_letters() noexcept { takes_dead_letters_ = true; }
    void pass_on_dead_letters() noexcept { has_error_edge_ = true; }

    void halt(const std::exception_ptr& error) { run_.halt(*this, error); }

    /// Records, logs and acts on an error of one item.
    void fail(const std::exception_ptr& error, std::string_view consequence = "item skipped");

    /// The same for an error beside that of an item, which counts for nothing.
    ///
    /// @param at_any_rate  Logs it, however many there have been.
    void keep_and_log(const std::exception_ptr& error, std::string_view consequence, bool at_any_rate = false);

    /// Keeps an exception for the report, and returns how many there were.
    std::uint64_t keep(const std::exception_ptr& error);

    [[nodiscard]] std::vector<std::exception_ptr> exceptions() const;

    [[nodiscard]] RunState& run() noexcept { return run_; }

protected:
    [[nodiscard]] virtual std::unique_ptr<WorkerBase> make_worker(Lane& lane) = 0;
    /// Adds what the workers know.
    void add_workers_to(NodeStats& stats) const;

    RunState& run_;

private:
    static constexpr std::uint64_t lines_in_full = 10;

    static bool is_power_of_ten(std::uint64_t n) noexcept;

    const std::string name_;
    const NodeOptions options_;
    std::vector<std::unique_ptr<WorkerBase>> workers_;
    std::vector<NodeRun*> consumers_;
    std::atomic<std::size_t> producers_{0};
    std::atomic<std::size_t> live_workers_{0};
    std::atomic<std::size_t> returned_bodies_{0};
    bool takes_dead_letters_ = false;
    bool has_error_edge_ = false;
    mutable std::mutex mutex_;
    std::deque<std::exception_ptr> exceptions_;
    std::uint64_t errors_ = 0;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/node_run.ipp>
#endif
