#pragma once

// Floor 1: a lock for what is shared by strands in one graph and belongs to a single one in another.

#include <agdf/detail/config.hpp>

#include <mutex>

namespace agdf::detail {

/// A mutex that does nothing if it is not needed.
///
/// What it guards takes some tens of nanoseconds, and going to sleep for it and being woken some thousands: so who finds it
/// locked tries again for about a microsecond before that.
class OptionalMutex {
public:
    explicit OptionalMutex(bool is_needed) noexcept : is_needed_(is_needed) {}

    void lock()
    {
        if (is_needed_ && !mutex_.try_lock()) [[unlikely]]
            lock_contended();
    }
    void unlock() noexcept
    {
        if (is_needed_)
            mutex_.unlock();
    }
    [[nodiscard]] bool is_needed() const noexcept { return is_needed_; }

private:
    AGDF_NOINLINE void lock_contended()
    {
        for (int tries = 0; tries < 50; ++tries) {
            pause();
            if (mutex_.try_lock())
                return;
        }
        mutex_.lock();
    }

    static void pause() noexcept
    {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();  // <immintrin.h> would cost each program a quarter of a second to compile
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    std::mutex mutex_;
    const bool is_needed_;
};

}  // namespace agdf::detail
