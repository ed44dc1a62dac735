#pragma once

// One run of a scenario with a shortage, in a process of its own, and what became of it.

#include "allocations.hpp"
#include "scenario.hpp"

#include <cstddef>
#include <string>

namespace faults {

enum class Verdict {
    untouched,   ///< nothing failed: the scenario needs fewer allocations
    survived,    ///< an allocation failed, and the scenario ended without an exception all the same
    failed,      ///< it ended with an exception, and left nothing behind
    asio,        ///< Asio ended the program, at a place that is known
    waking,      ///< a coroutine could not be woken from another thread, which ends the program
    terminated,  ///< somebody else did
    hung,
    leaked,
    broken,      ///< a promise was not kept, or the process died
};

struct Trial {
    Verdict verdict = Verdict::broken;
    std::string text;
};

/// Runs it once without a fault, in this process, so that what is made once and for all is there.
void warm_up(const Scenario& scenario);

[[nodiscard]] Trial try_with(const Scenario& scenario, Shortage shortage);

}  // namespace faults
