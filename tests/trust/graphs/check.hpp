#pragma once

// Whether a run has kept the contract.

#include "build.hpp"
#include "oracle.hpp"

namespace graphs {

/// What is known of a run beside its report.
struct Conditions {
    bool first = true;             ///< nothing has used the limiters before
    bool stopped_by_us = false;    ///< stop or cancel were called, or the graph went
    bool exact = true;             ///< unless it was cut short, it must have done what was foretold
    bool virtual_time = true;
};

/// Adds to the complaints of `built` what is wrong.
void check(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions);

/// What holds at any time of a run.
void check_stats(const Plan& plan, Built& built, const std::vector<agdf::NodeStats>& stats);

}  // namespace graphs
