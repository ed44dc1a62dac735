#pragma once

// Floor 5: finding a zip whose inputs cannot stay in step, or have not.

#include <agdf/detail/blueprint.hpp>
#include <agdf/detail/fmt.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace agdf::detail {

/// A zip, and the nodes from which items reach it.
struct ZipWays {
    std::vector<std::size_t> inputs;   // its own queue first
    std::vector<std::size_t> one_way;  // what fails here is missing at some of the inputs only
    std::vector<std::size_t> others;   // before all inputs, or where an error edge may lead to a replacement
};

/// Looks for what a zip cannot bear: two of its inputs come from the same node, and on the way of one of them, but not of
/// the other, something may drop or add items. Then pairs do not belong together, and once the queues of the other way are
/// full, the node that feeds both waits for the zip, and the zip for it.
class ZipCheck {
public:
    explicit ZipCheck(const Blueprint& blueprint) : blueprint_(blueprint) {}

    /// Returns a sentence on the first such way to `zip`; empty if there is none.
    [[nodiscard]] std::string warning_for(std::size_t zip) const
    {
        const std::vector<std::size_t> inputs = inputs_of(zip);
        const std::vector<std::vector<bool>> feeds = ancestors_of_each(inputs);
        for (std::size_t a = 0; a < inputs.size(); ++a)
            for (std::size_t b = 0; b < inputs.size(); ++b)
                for (std::size_t node = 0; node < blueprint_.size(); ++node) {
                    if (!feeds[a][node] || feeds[b][node])
                        continue;  // only what is on one of the two ways
                    const std::string culprit = culprit_at(node, inputs[a]);
                    if (culprit.empty())
                        continue;
                    const std::vector<bool> before = ancestors_of(node);
                    for (std::size_t origin = 0; origin < blueprint_.size(); ++origin)
                        if (before[origin] && feeds[b][origin])
                            return fmt::format(
                                "agdf::Graph: node '{}' reaches the zip '{}' on two ways, and on one of them {} may drop or add items. "
                                "Expected: as many items on both ways. Else pairs do not belong together, and the graph can stand "
                                "still when a queue is full: join the two by a key instead (agdf::join).",
                                blueprint_.node(origin).name(), blueprint_.node(zip).name(), culprit);
                }
        return {};
    }

    [[nodiscard]] ZipWays ways_to(std::size_t zip) const
    {
        ZipWays ways{inputs_of(zip), {}, {}};
        const std::vector<std::vector<bool>> feeds = ancestors_of_each(ways.inputs);
        for (std::size_t node = 0; node < blueprint_.size(); ++node) {
            const auto fed = static_cast<std::size_t>(
                std::count_if(feeds.begin(), feeds.end(), [node](const auto& ancestors) { return ancestors[node]; }));
            if (node == zip || fed == 0)
                continue;
            const auto& edges = blueprint_.edges_of(node);
            const bool replaces = std::any_of(edges.begin(), edges.end(), [](const auto& edge) { return edge.label == EdgeLabel::error; });
            (fed < feeds.size() && !replaces ? ways.one_way : ways.others).push_back(node);
        }
        return ways;
    }

private:
    /// The queues of a zip: its own and those of its further inputs.
    [[nodiscard]] std::vector<std::size_t> inputs_of(std::size_t zip) const
    {
        std::vector<std::size_t> inputs{zip};
        for (const std::size_t producer : blueprint_.producers_of(zip))
            if (is_input_of(producer, zip))
                inputs.push_back(producer);
        return inputs;
    }

    [[nodiscard]] bool is_input_of(std::size_t node, std::size_t zip) const
    {
        const auto& edges = blueprint_.edges_of(node);
        return edges.size() == 1 && edges.front().label == EdgeLabel::input && edges.front().to == zip;
    }

    [[nodiscard]] std::vector<std::vector<bool>> ancestors_of_each(const std::vector<std::size_t>& inputs) const
    {
        std::vector<std::vector<bool>> ancestors;
        for (const std::size_t input : inputs)
            ancestors.push_back(ancestors_of(input));
        return ancestors;
    }

    /// All nodes from which items reach `input`, itself included, not by way of the zip's other inputs.
    [[nodiscard]] std::vector<bool> ancestors_of(std::size_t input) const
    {
        std::vector<bool> seen(blueprint_.size());
        std::vector<std::size_t> stack{input};
        seen[input] = true;
        while (!stack.empty()) {
            const std::size_t node = stack.back();
            stack.pop_back();
            for (const std::size_t producer : blueprint_.producers_of(node))
                if (!seen[producer] && !(node == input && is_input_of(producer, input))) {
                    seen[producer] = true;
                    stack.push_back(producer);
                }
        }
        return seen;
    }

    /// What may change the number of items on the last step to `node`, or in it; empty if nothing does.
    [[nodiscard]] std::string culprit_at(std::size_t node, std::size_t input) const
    {
        const NodeSpec& spec = blueprint_.node(node);
        if ((node != input && spec.facts().may_filter) || spec.options().overflow != Overflow::wait)
            return fmt::format("'{}'", spec.name());
        for (const std::size_t producer : blueprint_.producers_of(node))
            for (const EdgeSpec& edge : blueprint_.edges_of(producer))
                if (edge.to == node && may_drop(edge))
                    return fmt::format("the edge from '{}' to '{}'", blueprint_.node(producer).name(), spec.name());
        return {};
    }

    [[nodiscard]] static bool may_drop(const EdgeSpec& edge)
    {
        return edge.label == EdgeLabel::where || edge.label == EdgeLabel::partition || edge.label == EdgeLabel::balance ||
               edge.label == EdgeLabel::error || (edge.maker && edge.maker->alternative() != no_alternative);
    }

    const Blueprint& blueprint_;
};

}  // namespace agdf::detail
