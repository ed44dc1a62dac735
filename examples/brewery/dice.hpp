#pragma once

#include <cstddef>
#include <cstdint>

namespace brewery {

/// Random numbers that are the same on every machine, which the distributions of <random> do not promise.
/// Source: splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    std::uint64_t roll()
    {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    std::uint64_t below(std::uint64_t bound) { return roll() % bound; }

    /// True about once in `n` times.
    bool once_in(std::uint64_t n) { return below(n) == 0; }

    /// From 0 up to, not including, 1.
    double fraction() { return static_cast<double>(roll() >> 11) * 0x1p-53; }

    template <class Array>
    auto pick(const Array& choices)
    {
        return choices[static_cast<std::size_t>(below(choices.size()))];
    }

private:
    std::uint64_t state_;
};

}  // namespace brewery
