#pragma once

// Floor 1: how the library counts.

#include <agdf/detail/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace agdf::detail {

/// A counter with one writer at a time and any number of readers.
class Counter {
public:
    void add(std::uint64_t n = 1) noexcept
    {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

    /// Counts from here on what its user counts anyway: nobody else adds meanwhile.
    class Since {
    public:
        explicit Since(Counter& counter) noexcept : before_(counter.get()), counter_(counter) {}
        AGDF_ALWAYS_INLINE void set(std::uint64_t n) const noexcept { counter_.value_.store(before_ + n, std::memory_order_relaxed); }

    private:
        const std::uint64_t before_;
        Counter& counter_;
    };

private:
    std::atomic<std::uint64_t> value_{0};
};

/// The most that something ever was. Who reads it notes first what it sees itself, since it must not seem to have been less later.
///
/// Thread-safety: safe.
class Peak {
public:
    void note(std::size_t value) noexcept
    {
        std::size_t peak = value_.load(std::memory_order_relaxed);
        while (value > peak && !value_.compare_exchange_weak(peak, value, std::memory_order_relaxed)) {}
    }
    [[nodiscard]] std::size_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> value_{0};
};

}  // namespace agdf::detail
