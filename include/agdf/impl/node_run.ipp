#pragma once

// Floor 3: a node in a run, its workers and its errors.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/node_run.hpp>

namespace agdf::detail {

AGDF_DECL NodeRun::NodeRun(RunState& run, std::string name, NodeOptions options)
    : run_(run), name_(std::move(name)), options_(std::move(options))
{
}

AGDF_DECL NodeRun::~NodeRun() = default;

AGDF_DECL void NodeRun::make_workers(const std::function<Lane&()>& next_lane)
{
    workers_.reserve(options_.workers);
    for (std::size_t i = 0; i < options_.workers; ++i)
        workers_.push_back(make_worker(next_lane()));
    live_workers_.store(workers_.size(), std::memory_order_relaxed);
}

AGDF_DECL void NodeRun::producer_ended() noexcept
{
    if (producers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        close_input();
}

AGDF_DECL void NodeRun::worker_ended() noexcept
{
    if (live_workers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        for (NodeRun* const consumer : consumers_)
            consumer->producer_ended();
}

AGDF_DECL void NodeRun::fail(const std::exception_ptr& error, std::string_view consequence)
{
    const OnError on_error = options_.on_error == OnError::inherit ? run_.options().on_error : options_.on_error;
    const bool halts = on_error == OnError::halt || (takes_dead_letters_ && !has_error_edge_);
    keep_and_log(error, halts ? "halts the run" : consequence, halts);
    if (halts)
        run_.halt(*this, error);
    else
        run_.note(*this, error);
}

AGDF_DECL void NodeRun::keep_and_log(const std::exception_ptr& error, std::string_view consequence, bool at_any_rate)
{
    const std::uint64_t count = keep(error);
    if (at_any_rate || count <= lines_in_full || is_power_of_ten(count)) {
        run_.log(LogLevel::error, fmt::format("agdf: node '{}': {}{}: {}", name_, consequence,
                                              count > lines_in_full ? fmt::format(" (error {})", count) : std::string{},
                                              describe(error)));
        // Another thread may drop the error from the list later. That it was read before is known to the count in exception_ptr,
        // which is in the standard library's binary, where a thread sanitizer does not look. It does see a lock.
        const std::lock_guard lock{mutex_};
    }
    if (count == lines_in_full && !at_any_rate)
        run_.log(LogLevel::error, fmt::format("agdf: node '{}': further errors are logged at 100, 1000, …", name_));
}

AGDF_DECL std::uint64_t NodeRun::keep(const std::exception_ptr& error)
{
    const std::lock_guard lock{mutex_};
    if (run_.options().max_exceptions > 0) {
        if (exceptions_.size() == run_.options().max_exceptions)
            exceptions_.pop_front();
        exceptions_.push_back(error);
    }
    return ++errors_;
}

AGDF_DECL std::vector<std::exception_ptr> NodeRun::exceptions() const
{
    const std::lock_guard lock{mutex_};
    return {exceptions_.begin(), exceptions_.end()};
}

AGDF_DECL void NodeRun::add_workers_to(NodeStats& stats) const
{
    stats.workers = workers_.size();
    for (const auto& worker : workers_)
        worker->add_to(stats);
}

AGDF_DECL bool NodeRun::is_power_of_ten(std::uint64_t n) noexcept
{
    while (n % 10 == 0)
        n /= 10;
    return n == 1;
}

AGDF_DECL void RunState::note(const NodeRun& node, const std::exception_ptr& error)
{
    const std::lock_guard lock{mutex_};
    if (first_error_)
        return;
    first_error_ = error;
    first_error_node_ = node.name();
}

AGDF_DECL bool RunState::advance_with(Phase phase, const NodeRun& node, const std::exception_ptr& error)
{
    const std::lock_guard lock{mutex_};
    if (!advance(phase))
        return false;
    first_error_ = error;
    first_error_node_ = node.name();
    return true;
}

}  // namespace agdf::detail
