#pragma once

// Floor 3: what a worker counts, and what it does with its time.

#include <agdf/stats.hpp>

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
    void change(State state, Clock::time_point now) noexcept;

    [[nodiscard]] State state() const noexcept { return state_.load(std::memory_order_relaxed); }

    /// Adds this worker's time to a node's, with what has passed since its last suspension.
    void add_to(NodeStats& stats) const noexcept;

private:
    std::atomic<Clock::rep> spent_[3]{};
    std::atomic<Clock::rep> since_{0};
    std::atomic<std::uint32_t> changes_{0};  // twice as many; odd during one
    std::atomic<State> state_{ended};        // also before it begins
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/worker_clock.ipp>
#endif
