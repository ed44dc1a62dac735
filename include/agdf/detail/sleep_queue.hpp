#pragma once

// Floor 2: the sleeps of an execution context, all of them behind one timer of Asio's.
//
// A timer each would cost a dispatch through a strand, with its allocations, for every sleep that ends. Here a
// wake-up takes out all that are due, and posts once for many of them.

#include <agdf/detail/asio.hpp>
#include <agdf/detail/lane.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

namespace agdf::detail {

class Sleep;

/// Who sleeps on a context, by the time at which that ends.
///
/// Thread-safety: safe.
class SleepQueue {
public:
    using time_point = std::chrono::steady_clock::time_point;

    SleepQueue() = default;
    SleepQueue(const SleepQueue&) = delete;
    SleepQueue& operator=(const SleepQueue&) = delete;

    /// Destroys the coroutines that sleep here, since their context goes.
    void abandon() noexcept;

private:
    friend class Sleep;
    using Sleeps = std::multimap<time_point, Sleep*>;

    /// What Asio's timer calls: where it runs, since nothing but posts is done there.
    struct Wake {
        using executor_type = asio::system_executor;

        SleepQueue* queue;

        [[nodiscard]] executor_type get_executor() const noexcept { return {}; }
        void operator()(const asio::error_code&) const noexcept { queue->wake_due(); }
    };

    void add(Sleep& sleep, time_point deadline);
    void end_early(Sleep& sleep) noexcept;
    void remove(Sleep& sleep) noexcept;

    // With the lock:
    void arm(time_point deadline);
    [[nodiscard]] Sleep* take_first();
    [[nodiscard]] Sleep* take_due();

    void wake_due() noexcept;

    std::mutex mutex_;
    Sleeps sleeps_;
    // While somebody sleeps it has one wait under way, so that to end a sleep early asks for no memory.
    std::optional<asio::steady_timer> timer_;
    time_point armed_for_{};
    bool is_armed_ = false;
};

/// One sleep, in the frame of the coroutine that sleeps.
class Sleep final : public Sleeper {
public:
    /// Errors: throws without memory, or without a descriptor for the context's first timer.
    Sleep(SleepQueue& queue, asio::any_io_executor executor, SleepQueue::time_point deadline);
    AGDF_DECL ~Sleep() override;

    /// Whether it ended because Asio cancelled the coroutine.
    [[nodiscard]] bool was_cancelled() const noexcept { return was_cancelled_; }

private:
    friend class SleepQueue;
    friend class SleepBatch;

    void on_suspended() override { is_asleep_.store(true, std::memory_order_release); }
    AGDF_DECL void on_cancel(asio::cancellation_type type) override;

    SleepQueue& queue_;
    const asio::any_io_executor executor_;
    SleepQueue::Sleeps::iterator place_{};
    Sleep* next_ = nullptr;  // of those that end together
    std::atomic<bool> is_asleep_{false};
    bool is_queued_ = false;
    bool was_cancelled_ = false;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/sleep_queue.ipp>
#endif
