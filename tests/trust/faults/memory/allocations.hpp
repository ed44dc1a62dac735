#pragma once

// Every allocation of this program goes through here: it is counted, and the n-th one fails if that is asked for.

#include <cstddef>

namespace faults {

/// Which allocations fail from now on.
struct Shortage {
    std::size_t first = 0;    ///< counted from 1; zero = none
    bool lasts = false;       ///< from then on there is as much memory as was in use, so only what is freed can be had again
};

/// Starts counting anew.
void begin_shortage(Shortage shortage) noexcept;
/// From here on nothing fails. Returns how many allocations there were since `begin_shortage`.
std::size_t end_shortage() noexcept;
/// How many allocations have failed since `begin_shortage`.
[[nodiscard]] std::size_t failed_allocations() noexcept;
/// How many blocks have been allocated and not been freed.
[[nodiscard]] long live_allocations() noexcept;

/// While it lives, nothing fails on this thread: for what belongs to the test and not to what is tested.
class Plenty {
public:
    Plenty() noexcept;
    Plenty(const Plenty&) = delete;
    Plenty& operator=(const Plenty&) = delete;
    ~Plenty();
};

}  // namespace faults
