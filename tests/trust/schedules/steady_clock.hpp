#pragma once

// The library looks at the steady clock to share out the strands fairly: how long a turn is depends on how fast the machine
// just was. So that a seed says all, this program has a steady clock of its own; the linker prefers it to the one in the
// standard library.

#include <chrono>
#include <cstdint>

namespace schedules {

/// What that clock shows to this thread: it goes on with each look by a time of chance, often none, seldom more than a turn or
/// a slice may take.
void begin_steady_clock(std::uint64_t seed) noexcept;

/// What the calling thread does when it looks at that clock for the next time.
void on_next_look(void (*action)()) noexcept;

/// Real time, for the limits of a search.
[[nodiscard]] std::chrono::system_clock::time_point real_now() noexcept;

}  // namespace schedules
