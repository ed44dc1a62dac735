#pragma once

// The contract as a plain sequential program: what must come of a plan, as far as that does not depend on who runs when.

#include "plan.hpp"

#include <vector>

namespace graphs {

/// Items that flow somewhere.
struct Flow {
    std::vector<Number> values;
    bool known = true;    ///< else nothing is said of them
    bool exact = true;    ///< it is these; else it may be any part of them
    bool ordered = true;  ///< in this order
    bool shrinks = true;  ///< if less comes in, then a part of these comes out
    std::vector<Number> keys;  ///< if not empty: in this order among those of equal key
};

/// What a node must do.
struct NodeForecast {
    Flow arrivals[2];  ///< at its queues; start items are not among them
    Flow seen;         ///< by its bodies, once for each attempt
    Flow outputs;
    Flow letters;      ///< along its error edges
    Flow contents;     ///< of what a ready-made body yields
    Number starts = 0;
    Number err = 0;
    Number retried = 0;
    Number undelivered[2] = {0, 0};
    bool may_drop[2] = {false, false};
    bool is_exact = true;  ///< err, retried and undelivered are these; else at most these, and undelivered is not known
};

struct Forecast {
    std::vector<NodeForecast> nodes;
    Number items = 0;
    bool must_halt = false;
    bool may_halt = false;
    bool setup_fails = false;
};

[[nodiscard]] Forecast foretell(const Plan& plan);

}  // namespace graphs
