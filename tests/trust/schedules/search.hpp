#pragma once

// Running scenarios through schedules.

#include "scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace schedules {

struct Schedule {
    const ScenarioEntry* scenario = nullptr;
    std::uint64_t seed = 0;
    std::optional<std::size_t> destroy_at;  ///< the step at which everything is destroyed
    bool is_traced = false;
};

struct Finding {
    std::string broken;      ///< the first promise that did not hold; empty if all did
    std::size_t steps = 0;   ///< how many handlers ran
};

[[nodiscard]] Finding explore(const Schedule& schedule);

/// The command that runs this schedule alone.
[[nodiscard]] std::string command_of(const Schedule& schedule);

/// Prints the command of the schedule that runs when the program crashes or hangs.
void watch_for_crashes();

}  // namespace schedules
