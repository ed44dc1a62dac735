#pragma once

// From a plan that fails to a small one that fails in the same way.

#include "plan.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace graphs {

/// What a plan does wrong; empty if nothing.
using Symptom = std::string;

/// What a complaint says, without the numbers and names in it.
[[nodiscard]] Symptom symptom_of(const std::vector<std::string>& complaints);

/// Calls a function in a process of its own, and returns what it complains of, or how it ended.
///
/// @param seconds  It may take.
/// @param quiet    Nothing is printed.
[[nodiscard]] Symptom symptom_in_child(const std::function<std::vector<std::string>()>& run, unsigned seconds, bool quiet);

struct Shrunk {
    Plan plan;
    std::size_t tries = 0;
};

/// @param symptom_of_plan  Runs a plan.
[[nodiscard]] Shrunk shrink(Plan plan, const std::function<Symptom(const Plan&)>& symptom_of_plan);

}  // namespace graphs
