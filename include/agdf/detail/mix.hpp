#pragma once

// Floor 0: a number whose bits all depend on all bits of another.

#include <cstdint>

namespace agdf::detail {

/// The last part of SplitMix64 (Steele, Lea and Flood, 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t z) noexcept
{
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
}

}  // namespace agdf::detail
