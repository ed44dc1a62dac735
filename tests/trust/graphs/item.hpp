#pragma once

// The one type of item that travels in all these graphs, so that the program compiles fast.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

namespace graphs {

using Number = std::uint64_t;

/// A number that cannot be told from a random one, made of others (SplitMix64's last step).
[[nodiscard]] constexpr Number mix(Number a, Number b = 0, Number c = 0) noexcept
{
    Number z = a + b * 0x9E3779B97F4A7C15U + c * 0xD1B54A32D192ED03U + 0x632BE59BD9B4E019U;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
}

/// A number on its way. It counts how many of its kind are alive, and one that was moved from can be told.
///
/// The counters are relaxed on purpose: they must not order what the library fails to order.
class Item {
public:
    static constexpr Number moved_from = 0xDEADDEADDEADDEADU;

    explicit Item(Number value) noexcept : value_(value), id_(next_id_.fetch_add(1, std::memory_order_relaxed)) { count(1); }
    Item(const Item& other) noexcept : value_(other.value_), id_(other.id_) { count(1); }
    Item(Item&& other) noexcept : value_(std::exchange(other.value_, moved_from)), id_(other.id_) { count(1); }
    Item& operator=(const Item&) noexcept = default;
    Item& operator=(Item&& other) noexcept
    {
        id_ = other.id_;
        value_ = std::exchange(other.value_, moved_from);
        return *this;
    }
    ~Item() { count(-1); }

    [[nodiscard]] Number value() const noexcept { return value_; }
    /// The same for all copies of an item, and for nothing else.
    [[nodiscard]] Number id() const noexcept { return id_; }

    [[nodiscard]] static std::int64_t alive() noexcept { return alive_.load(std::memory_order_relaxed); }
    /// A call in the pool finishes alone, as soon as its thread gets its turn on a busy machine: gives it some seconds for that.
    static void wait_for_last() noexcept
    {
        for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10}; alive() != 0 && std::chrono::steady_clock::now() < end;)
            std::this_thread::yield();
    }
    static void begin_anew() noexcept
    {
        alive_ = 0;
        next_id_ = 0;
    }

private:
    static void count(std::int64_t n) noexcept { alive_.fetch_add(n, std::memory_order_relaxed); }

    static inline std::atomic<std::int64_t> alive_{0};
    static inline std::atomic<Number> next_id_{0};
    Number value_;
    Number id_;
};

}  // namespace graphs
