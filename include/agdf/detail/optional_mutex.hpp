#pragma once

// Floor 1: a lock for what is shared by strands in one graph and belongs to a single one in another.

#include <agdf/detail/config.hpp>

#include <atomic>
#include <chrono>
#include <thread>

namespace agdf::detail {

/// A mutex that does nothing if it is not needed.
///
/// It is not std::mutex, since that one has to ask as it unlocks whether somebody sleeps for it, and so waits until the
/// processor has published all that was written under it: as long as everything else together. Here the unlocking is a plain
/// store. What it guards takes some tens of nanoseconds; if it takes longer, whoever has the lock has lost its processor, and
/// who waits gives way, soon by sleeping.
class OptionalMutex {
public:
    explicit OptionalMutex(bool is_needed) noexcept : is_needed_(is_needed) {}

    void lock() noexcept
    {
        if (is_needed_ && is_locked_.exchange(true, std::memory_order_acquire)) [[unlikely]]
            lock_contended();
    }
    void unlock() noexcept
    {
        if (is_needed_)
            is_locked_.store(false, std::memory_order_release);
    }
    [[nodiscard]] bool is_needed() const noexcept { return is_needed_; }

private:
    AGDF_NOINLINE void lock_contended() noexcept
    {
        constexpr int awake = 100;
        constexpr int yielding = 20;
        for (int tries = 0;; ++tries) {
            if (tries < awake)
                pause();
            else if (tries < awake + yielding)
                std::this_thread::yield();
            else
                std::this_thread::sleep_for(std::chrono::microseconds(50));
            if (!is_locked_.load(std::memory_order_relaxed) && !is_locked_.exchange(true, std::memory_order_acquire))
                return;
        }
    }

    static void pause() noexcept
    {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();  // <immintrin.h> would cost each program a quarter of a second to compile
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    std::atomic<bool> is_locked_{false};
    const bool is_needed_;
};

}  // namespace agdf::detail
