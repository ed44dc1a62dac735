#include "oracle.hpp"

#include "script.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

namespace graphs {

void foretell_piece(const NodePlan& node, NodeForecast& is, const Flow inputs[2]);

namespace {

constexpr std::size_t most_values = 20'000;

/// Adds what one more edge brings.
void join(Flow& flow, const Flow& more)
{
    const bool was_empty = flow.values.empty() && flow.known;
    const bool brings_none = more.values.empty() && more.known;
    flow.ordered = (was_empty && more.ordered) || (brings_none && flow.ordered);
    flow.known = flow.known && more.known;
    flow.exact = flow.exact && more.exact;
    flow.shrinks = flow.shrinks && more.shrinks;
    flow.keys = was_empty ? more.keys : brings_none ? flow.keys : std::vector<Number>{};
    flow.values.insert(flow.values.end(), more.values.begin(), more.values.end());
}

template <class Predicate>
void keep_if(Flow& flow, const Predicate& predicate)
{
    std::size_t kept = 0;
    for (std::size_t i = 0; i < flow.values.size(); ++i)
        if (predicate(flow.values[i])) {
            flow.values[kept] = flow.values[i];
            if (!flow.keys.empty())
                flow.keys[kept] = flow.keys[i];
            ++kept;
        }
    flow.values.resize(kept);
    if (!flow.keys.empty())
        flow.keys.resize(kept);
}

[[nodiscard]] Flow along(const Plan& plan, std::size_t index, const Flow& outputs)
{
    const EdgePlan& edge = plan.edges[index];
    Flow flow = outputs;
    if (edge.is() == EdgeKind::where)
        keep_if(flow, [&](Number value) { return passes(edge, value); });
    if (edge.is() == EdgeKind::map)
        for (Number& value : flow.values)
            value = mapped(edge, value);
    if (!edge.is_grouped())
        return flow;
    std::size_t members = 0;
    std::size_t mine = 0;
    for (std::size_t i = 0; i < plan.edges.size(); ++i)
        if (plan.edges[i].is_grouped() && plan.edges[i].from == edge.from && plan.edges[i].group == edge.group) {
            if (i == index)
                mine = members;
            ++members;
        }
    if (members == 1)
        return flow;
    if (edge.is() == EdgeKind::balance) {
        flow.exact = flow.ordered = false;
        flow.keys.clear();
    } else {  // the same key takes the same edge; that the hash decides which is how it is done, and not promised
        keep_if(flow, [&](Number value) { return agdf::detail::mix(std::hash<Number>{}(value)) % members == mine; });
    }
    return flow;
}

/// The bodies of single items.
void foretell_items(const NodePlan& node, NodeForecast& is, const Flow& input, bool no_letters)
{
    const ShapeFacts& facts = node.facts();
    const bool alone = node.workers == 1 || (input.values.size() <= 1 && input.known && input.exact);
    is.is_exact = input.exact && input.known;
    for (Flow* const flow : {&is.seen, &is.outputs, &is.letters}) {
        flow->known = input.known;
        flow->exact = input.exact;
        flow->shrinks = input.shrinks;
    }
    if (node.starts > 0 && node.attempts > 1)
        is.letters.shrinks = false;  // a stop ends the attempts on a start item
    const bool by_key = node.ordered == 2 && input.ordered && !is.outputs.ordered && !alone;
    is.seen.ordered = is.letters.ordered = input.ordered && alone;
    is.outputs.ordered = input.ordered && (alone || node.ordered == 1);
    for (std::size_t i = 0; i < input.values.size(); ++i)
        for (Number number = 1;; ++number) {
            const Number value = input.values[i];
            const Attempt attempt = attempt_of(node, value, number);
            is.seen.values.push_back(value);
            if (!input.keys.empty() && alone)
                is.seen.keys.push_back(input.keys[i]);
            const bool failed = attempt.ending != Ending::finished;
            if (failed && is_tried_again(node, attempt.ending, number)) {
                ++is.retried;
                continue;
            }
            if (facts.yields != Yields::nothing)
                for (Number output = 0; output < attempt.outputs; ++output) {
                    is.outputs.values.push_back(output_of(node, value, output));
                    if (by_key)
                        is.outputs.keys.push_back(order_key_of(value));
                }
            if (failed) {
                ++is.err;
                if (!no_letters)
                    is.letters.values.push_back(letter_of(facts.takes == Takes::nothing ? 0 : value, number));
            }
            break;
        }
}

/// The scripted bodies that see their whole stream.
void foretell_whole(const NodePlan& node, NodeForecast& is, const Flow& input)
{
    const ShapeFacts& facts = node.facts();
    const bool ends_early = node.take > 0 && (!input.known || input.values.size() >= node.take);
    const bool is_cut = node.take > 0 && input.values.size() > node.take;
    const bool depends = node.take > 0 && (!input.exact || (is_cut && !input.ordered));
    is.is_exact = input.exact && input.known && !depends;
    for (Flow* const flow : {&is.seen, &is.outputs}) {
        flow->known = input.known;
        flow->exact = is.is_exact;
        flow->ordered = input.ordered && node.workers == 1;
        flow->shrinks = input.shrinks && node.take == 0;
    }
    const std::size_t taken = is_cut && !depends ? node.take : input.values.size();
    is.undelivered[0] = is_cut ? input.values.size() - node.take : 0;
    for (std::size_t i = 0; i < taken; ++i) {
        const Attempt attempt = attempt_of(node, input.values[i], 1);
        is.seen.values.push_back(input.values[i]);
        if (facts.yields != Yields::nothing)
            for (Number output = 0; output < attempt.outputs; ++output)
                is.outputs.values.push_back(output_of(node, input.values[i], output));
        if (attempt.ending != Ending::finished)
            ++is.err;
    }
    if (facts.yields != Yields::nothing && (!ends_early || depends))
        is.outputs.values.insert(is.outputs.values.end(), node.workers, last_output_of(node));
}

/// What comes into the queue and is not dropped.
[[nodiscard]] Flow kept(const NodePlan& node, NodeForecast& is, std::size_t port)
{
    Flow flow = is.arrivals[port];
    is.may_drop[port] = node.overflow != 0 && (!flow.known || flow.values.size() > node.queue || (node.weight > 0 && port == 0 && !flow.values.empty()));
    if (is.may_drop[port]) {
        flow.exact = flow.ordered = false;
        flow.keys.clear();
    }
    return flow;
}

/// By turns, as the body with two inputs reads them.
[[nodiscard]] Flow taken_by_turns(const Flow& a, const Flow& b)
{
    Flow flow{.values = {}, .known = a.known && b.known, .exact = a.exact && b.exact, .ordered = a.ordered && b.ordered, .shrinks = a.shrinks && b.shrinks, .keys = {}};
    for (std::size_t i = 0; i < std::max(a.values.size(), b.values.size()); ++i)
        for (const Flow* const from : {&a, &b})
            if (i < from->values.size())
                flow.values.push_back(from->values[i]);
    return flow;
}

void foretell_node(const Plan& plan, std::size_t index, bool has_starts, Forecast& forecast)
{
    const NodePlan& node = plan.nodes[index];
    NodeForecast& is = forecast.nodes[index];
    const ShapeFacts& facts = node.facts();
    bool fed = false;
    for (std::size_t i = 0; i < plan.edges.size(); ++i) {
        const EdgePlan& edge = plan.edges[i];
        if (edge.to != index)
            continue;
        fed = true;
        const NodeForecast& from = forecast.nodes[edge.from];
        join(is.arrivals[edge.port], edge.is() == EdgeKind::error ? from.letters : along(plan, i, from.outputs));
    }
    for (Flow& flow : is.arrivals)
        if (flow.values.size() > most_values) {
            flow.values.clear();
            forecast.items = std::numeric_limits<std::uint32_t>::max();
        }
    is.starts = node.starts > 0 ? node.starts : facts.takes == Takes::nothing && !fed && !has_starts ? 1 : 0;
    Flow inputs[2] = {kept(node, is, 0), kept(node, is, 1)};
    if (is.starts > 0) {
        Flow starts;
        for (Number i = 0; i < is.starts; ++i)
            starts.values.push_back(start_item_of(node, i));
        join(inputs[0], starts);
    }
    if (facts.takes == Takes::nothing) {
        inputs[0].keys.clear();
        std::fill(inputs[0].values.begin(), inputs[0].values.end(), unit_of(node));
    }
    const bool halting = halts(plan, node);
    if (facts.piece)
        foretell_piece(node, is, inputs);
    else if (facts.two)
        foretell_whole(node, is, taken_by_turns(inputs[0], inputs[1]));
    else if (facts.whole)
        foretell_whole(node, is, inputs[0]);
    else
        foretell_items(node, is, inputs[0], halting);
    const bool is_known = is.arrivals[0].known && is.arrivals[1].known;
    forecast.must_halt = forecast.must_halt || (halting && is.is_exact && is.err > 0);
    forecast.may_halt = forecast.may_halt || (halting && (is.err > 0 || !is_known));
    forecast.setup_fails = forecast.setup_fails || node.setup == 3;
    forecast.items += is.arrivals[0].values.size() + is.arrivals[1].values.size() + is.outputs.values.size() + is.seen.values.size();
}

}  // namespace

Forecast foretell(const Plan& plan)
{
    Forecast forecast;
    forecast.nodes.resize(plan.nodes.size());
    std::vector<std::size_t> order(plan.nodes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return plan.nodes[a].rank < plan.nodes[b].rank; });
    const bool has_starts = std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& node) { return node.starts > 0; });
    for (const std::size_t index : order)
        foretell_node(plan, index, has_starts, forecast);
    return forecast;
}

}  // namespace graphs
