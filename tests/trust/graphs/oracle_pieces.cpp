// What must come of the ready-made bodies.

#include "oracle.hpp"
#include "script.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace graphs {

void foretell_piece(const NodePlan& node, NodeForecast& is, const Flow inputs[2], const EdgeErrors& edges);

namespace {

/// Items that do not fail in the body's function; the others are counted.
[[nodiscard]] std::vector<Number> good_ones(const NodePlan& node, NodeForecast& is, const Flow& input)
{
    std::vector<Number> good;
    for (const Number value : input.values)
        if (script_of(node, value).fatal)
            ++is.err;
        else
            good.push_back(value);
    return good;
}

void foretell_batches(const NodePlan& node, NodeForecast& is, const std::vector<Number>& items)
{
    const bool weighs = node.is() == Shape::batch && node.piece_bound > 0;
    // Without weights the sizes do not depend on the order.
    is.outputs.known = is.outputs.known && is.outputs.exact && node.workers == 1 && node.piece_delay == 0 && (!weighs || is.outputs.ordered);
    is.outputs.ordered = true;
    if (!is.outputs.known)
        return;
    Number size = 0;
    Number weight = 0;
    const auto flush = [&] {
        if (size > 0)
            is.outputs.values.push_back(size);
        size = weight = 0;
    };
    for (const Number value : items) {
        const Number more = weighs ? weight_of(value) : 0;
        if (weighs && size > 0 && weight + more > node.piece_bound)
            flush();
        ++size;
        weight += more;
        if (size >= node.size || (weighs && weight >= node.piece_bound))
            flush();
    }
    flush();
}

struct Entry {
    Number key;
    Number sum = 0;
    Number first = 0;
};

/// Keys in the order of their last change; the one that has not changed for the longest time makes room.
void foretell_keys(const NodePlan& node, NodeForecast& is, const std::vector<Number>& items)
{
    const bool is_bounded = node.size > most_keys_of(node);
    is.outputs.known = is.outputs.known && is.outputs.exact && node.workers == 1 && (!is_bounded || is.outputs.ordered);
    if (!is.outputs.known)
        return;
    const bool reduces = node.is() == Shape::reduce;
    std::vector<Entry> entries;
    Number firsts = 0;
    for (const Number value : items) {
        const Number key = key_of(node, value);
        const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
        Entry entry{.key = key, .first = firsts};
        if (found != entries.end()) {
            entry = *found;
            entries.erase(found);
        } else {
            ++firsts;
            if (entries.size() == most_keys_of(node)) {
                if (reduces)
                    is.outputs.values.push_back(total_of(entries.front().key, entries.front().sum));
                entries.erase(entries.begin());
            }
            if (!reduces)
                is.outputs.values.push_back(key);
        }
        entry.sum += value;
        entries.push_back(entry);
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.first < b.first; });
    if (reduces)
        for (const Entry& entry : entries)
            is.outputs.values.push_back(total_of(entry.key, entry.sum));
}

void foretell_zip(const NodePlan& node, NodeForecast& is, const Flow inputs[2])
{
    const std::size_t sizes[2] = {inputs[0].values.size(), inputs[1].values.size()};
    is.is_exact = inputs[0].exact && inputs[1].exact && inputs[0].known && inputs[1].known;
    is.outputs.known = is.contents.known = is.is_exact;
    is.outputs.shrinks = false;
    const bool longest = node.mode == 1;
    const std::size_t rows = longest ? std::max(sizes[0], sizes[1]) : std::min(sizes[0], sizes[1]);
    is.err = node.mode == 2 && sizes[0] != sizes[1] ? 1 : 0;
    if (!is.is_exact) {
        is.err = node.mode == 2 ? 1 : 0;
        return;
    }
    if (!longest)
        for (std::size_t i = 0; i < 2; ++i)
            is.undelivered[i] = sizes[i] - rows;
    is.outputs.values.assign(rows, 1);
    is.contents.known = inputs[0].ordered && inputs[1].ordered;
    for (std::size_t i = 0; i < rows; ++i)
        is.contents.values.push_back(row_of(i < sizes[0] ? inputs[0].values[i] : padding, i < sizes[1] ? inputs[1].values[i] : padding));
}

void foretell_outputs(const NodePlan& node, NodeForecast& is, const Flow inputs[2])
{
    if (node.is() == Shape::zip)
        return foretell_zip(node, is, inputs);
    const Flow& input = inputs[0];
    is.is_exact = input.exact && input.known;
    is.outputs = {.values = {}, .known = input.known, .exact = input.exact, .ordered = input.ordered, .shrinks = false, .keys = {}};
    is.contents = is.outputs;
    const std::vector<Number> items = good_ones(node, is, input);
    if (node.is() == Shape::batch || node.is() == Shape::window) {
        is.contents.values = items;
        is.contents.ordered = input.ordered && node.workers == 1;
        foretell_batches(node, is, items);
    } else {
        is.contents.known = false;
        foretell_keys(node, is, items);
    }
}

}  // namespace

void foretell_piece(const NodePlan& node, NodeForecast& is, const Flow inputs[2], const EdgeErrors& edges)
{
    is.seen.known = false;  // nobody looks into such a body
    foretell_outputs(node, is, inputs);
    if (is.outputs.known && is.outputs.exact)
        is.err += edges.losses_of(is.outputs.values);
    if (edges.are_possible())  // there is an item at least in each output, of which others come if a run is cut short
        is.more_err = inputs[0].values.size() + inputs[1].values.size();
}

}  // namespace graphs
