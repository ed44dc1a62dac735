#pragma once

// Floor 3: what a worker counts, and what it does with its time.

#include <agdf/detail/counter.hpp>
#include <agdf/stats.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace agdf::detail {

/// What a worker does with its time, added up at suspensions only.
///
/// Thread-safety: the worker writes, anybody reads.
class WorkerClock {
public:
    using Clock = std::chrono::steady_clock;
    /// `ended` also as long as the worker has not begun.
    enum State : unsigned char { idle, busy, blocked, ended };

    /// Adds the time since the last change to the present state, and changes it.
    void change(State state, Clock::time_point now) noexcept
    {
        const State before = state_.load(std::memory_order_relaxed);
        if (before != ended)
            spent_[before].add(static_cast<std::uint64_t>(now.time_since_epoch().count() - since_.load(std::memory_order_relaxed)));
        since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        state_.store(state, std::memory_order_relaxed);
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
    std::atomic<State> state_{ended};  // also before it begins
};

}  // namespace agdf::detail
