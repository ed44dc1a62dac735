#pragma once

// A plan on one thread, in virtual time, one handler after the other: each run of it does exactly the same.

#include "plan.hpp"

#include <string>
#include <vector>

namespace graphs {

/// Runs the plan, and returns what is wrong.
[[nodiscard]] std::vector<std::string> run_in_virtual_time(const Plan& plan);

/// Runs the plan on real threads.
///
/// @param threads  That run the context.
/// @param seed     Of what the threads do.
[[nodiscard]] std::vector<std::string> run_on_threads(const Plan& plan, std::size_t threads, Number seed);

}  // namespace graphs
