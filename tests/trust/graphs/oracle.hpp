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
    Number more_err = 0;   ///< beside them, at most: what an edge may throw at outputs that are not known
    Number uncounted = 0;  ///< outputs that no edge took, since all of them threw
    Number retried = 0;
    Number undelivered[2] = {0, 0};
    bool may_drop[2] = {false, false};
    bool is_active = false;  ///< it may yield something in a run
    bool is_source = false;  ///< its body is called by the start alone
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

/// What the edges of a node throw, by the value of the output.
class EdgeErrors {
public:
    EdgeErrors(const Plan& plan, Number from);

    [[nodiscard]] bool are_possible() const noexcept { return !failing_.empty(); }
    [[nodiscard]] bool lose(Number value) const;    ///< an edge throws at it
    [[nodiscard]] bool refuse(Number value) const;  ///< all edges do
    [[nodiscard]] Number losses_of(const std::vector<Number>& values) const;

private:
    std::vector<EdgePlan> failing_;  // one of each group
    bool all_can_fail_ = true;
};

}  // namespace graphs
