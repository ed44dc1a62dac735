#pragma once

// What a body does with an item: told by the item's value and the node's salt alone, so that the bodies and the model
// that foretells them need not talk to each other.

#include "plan.hpp"

namespace graphs {

struct Script {
    Number outputs = 0;     ///< if it does not fail
    Number fail_after = 0;  ///< outputs of an attempt that fails
    Number flaky = 0;       ///< attempts that fail at first
    bool fatal = false;     ///< the others fail as well
};

[[nodiscard]] inline Script script_of(const NodePlan& node, Number value)
{
    const ShapeFacts& facts = node.facts();
    const Number dice = mix(value, node.salt);
    Script script;
    if (node.is() == Shape::source)
        script.outputs = node.yields;
    else if (facts.streams)
        script.outputs = dice % (node.yields + 1);
    else if (facts.yields != Yields::nothing)
        script.outputs = facts.filters ? dice % 2 : 1;
    script.fatal = (dice >> 8U) % 1'000 < node.fail;
    script.flaky = (dice >> 20U) % 1'000 < node.flaky ? 1 + (dice >> 32U) % 3 : 0;
    script.fail_after = facts.streams ? (dice >> 40U) % (script.outputs + 1) : 0;
    return script;
}

/// In ms, before the output with this index, or before the end.
[[nodiscard]] inline Number sleep_before(const NodePlan& node, Number value, Number output)
{
    const Number dice = mix(value, node.salt, 1'000 + output);
    return node.sleep == 0 || dice % 3 == 0 ? 0 : 2 * ((dice >> 8U) % (node.sleep + 1));
}

[[nodiscard]] inline Number output_of(const NodePlan& node, Number value, Number output) { return mix(value, node.salt, 1 + output); }
/// What a whole-stream body yields when it sees the end.
[[nodiscard]] inline Number last_output_of(const NodePlan& node) { return mix(node.salt, 0xE7D); }
/// What the items of nodes that take nothing stand for.
[[nodiscard]] inline Number unit_of(const NodePlan& node) { return mix(node.salt, 0x111); }
[[nodiscard]] inline Number start_item_of(const NodePlan& node, Number index) { return mix(node.salt, 0x57A27, index); }
[[nodiscard]] inline Number letter_of(Number value, Number attempts) { return mix(value, 0xDEAD, attempts); }

[[nodiscard]] inline bool passes(const EdgePlan& edge, Number value) { return mix(value, edge.salt) % 4 != 0; }
[[nodiscard]] inline Number mapped(const EdgePlan& edge, Number value) { return mix(value, edge.salt, 2); }
[[nodiscard]] inline bool fails(const EdgePlan& edge, Number value) { return mix(value, edge.salt, 6) % 1'000 < edge.fail; }

/// Of the items that must not overtake each other.
[[nodiscard]] inline Number order_key_of(Number value) { return value % 3; }
[[nodiscard]] inline Number weight_of(Number value) { return 1 + value % 3; }
[[nodiscard]] inline Number key_of(const NodePlan& node, Number value) { return mix(value, 3) % node.size; }
[[nodiscard]] inline Number total_of(Number key, Number sum) { return mix(key, sum, 4); }
[[nodiscard]] inline Number most_keys_of(const NodePlan& node) { return node.piece_bound > 0 ? node.piece_bound : 100'000; }
/// One number for the two items of a row.
[[nodiscard]] inline Number row_of(Number a, Number b) { return mix(a, b, 5); }
constexpr Number padding = 0x9AD;

enum class Ending { finished, flaky, fatal, timed_out, overflown };

struct Attempt {
    Number outputs = 0;
    Ending ending = Ending::finished;
};

/// What comes of an attempt, from 1.
[[nodiscard]] inline Attempt attempt_of(const NodePlan& node, Number value, Number number)
{
    const Script script = script_of(node, value);
    const ShapeFacts& facts = node.facts();
    const bool fails = script.fatal || number <= script.flaky;
    const bool is_held = number < node.attempts && facts.yields != Yields::nothing;
    const bool is_timed = node.timeout > 0 && facts.sleeps;
    Attempt attempt;
    Number slept = 0;
    for (;; ++attempt.outputs) {
        slept += sleep_before(node, value, attempt.outputs);
        if (is_timed && slept > node.timeout)
            attempt.ending = Ending::timed_out;
        else if (fails && attempt.outputs == script.fail_after)
            attempt.ending = number <= script.flaky ? Ending::flaky : Ending::fatal;
        else if (attempt.outputs == script.outputs)
            return attempt;
        else if (is_held && attempt.outputs == node.held)
            attempt.ending = Ending::overflown;
        else if (!facts.streams) {
            ++attempt.outputs;
            return attempt;
        } else {
            continue;
        }
        return attempt;
    }
}

/// Whether an attempt that ended like this is followed by another.
[[nodiscard]] inline bool is_tried_again(const NodePlan& node, Ending ending, Number number)
{
    return number < node.attempts && ending != Ending::overflown && (node.when == 0 || ending == Ending::flaky);
}

[[nodiscard]] inline bool halts(const Plan& plan, const NodePlan& node)
{
    const Takes takes = node.facts().takes;
    return takes == Takes::failed || takes == Takes::failed_nothing || node.on_error == 2 || (node.on_error == 0 && plan.options.on_error == 2);
}

}  // namespace graphs
