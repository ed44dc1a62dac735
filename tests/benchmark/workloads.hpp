#pragma once

// Which programs take turns, and what agdf must reach among them.

#include "measure.hpp"
#include "work.hpp"

#include <functional>
#include <string>
#include <vector>

namespace benchmark {

struct Sizes {
    Int items = 300'000;
    bool huge = false;  ///< growth up to 10^8 items
};

/// A workload to be; made when it is its turn, since the right sum takes time too.
struct WorkloadMaker {
    std::string name;
    std::function<Workload(const Sizes&)> make;
};

[[nodiscard]] std::vector<WorkloadMaker> all_workloads();

}  // namespace benchmark
