#pragma once

// All that is left to chance in a schedule comes out of its seed.

#include <cstddef>
#include <cstdint>

namespace schedules {

/// SplitMix64: small, fast, and the same everywhere.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    [[nodiscard]] std::uint64_t next() noexcept
    {
        state_ += 0x9e3779b97f4a7c15U;
        return mix(state_);
    }

    /// A number from 0 to `end` - 1.
    [[nodiscard]] std::size_t below(std::size_t end) noexcept { return static_cast<std::size_t>((next() >> 32) * end >> 32); }

    /// A number from `first` to `last`.
    [[nodiscard]] int between(int first, int last) noexcept
    {
        return first + static_cast<int>(below(static_cast<std::size_t>(last - first) + 1));
    }

    [[nodiscard]] bool percent(int chance) noexcept { return between(0, 99) < chance; }

    /// A number that depends on the others only: the same whenever it is asked for.
    [[nodiscard]] static std::uint64_t mix(std::uint64_t n) noexcept
    {
        n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9U;
        n = (n ^ (n >> 27)) * 0x94d049bb133111ebU;
        return n ^ (n >> 31);
    }

private:
    std::uint64_t state_;
};

}  // namespace schedules
