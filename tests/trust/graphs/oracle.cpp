#include "oracle.hpp"

#include "script.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

namespace graphs {

void foretell_piece(const NodePlan& node, NodeForecast& is, const Flow inputs[2], const EdgeErrors& edges);

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
    if (edge.fail > 0)
        keep_if(flow, [&](Number value) { return !fails(edge, value); });
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
        if (plan.edges[i].is_of_group(edge)) {
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

/// The outputs of an item's last attempt, up to the one at which an edge throws; that of a source goes on after it. Returns how
/// many errors of edges there are.
[[nodiscard]] Number foretell_outputs(const NodePlan& node, NodeForecast& is, Number value, Number outputs, bool goes_on,
                                      const EdgeErrors& edges)
{
    Number errors = 0;
    for (Number i = 0; i < outputs && (errors == 0 || goes_on); ++i) {
        const Number output = output_of(node, value, i);
        is.outputs.values.push_back(output);
        errors += edges.lose(output) ? 1 : 0;
    }
    return errors;
}

/// The bodies of single items.
void foretell_items(const NodePlan& node, NodeForecast& is, const Flow& input, bool no_letters, const EdgeErrors& edges)
{
    const ShapeFacts& facts = node.facts();
    const bool alone = node.workers == 1 || (input.values.size() <= 1 && input.known && input.exact);
    is.is_exact = input.exact && input.known;
    for (Flow* const flow : {&is.seen, &is.outputs, &is.letters}) {
        flow->known = input.known;
        flow->exact = input.exact;
        flow->shrinks = input.shrinks;
    }
    if (is.starts > 0 && node.attempts > 1)
        is.letters.shrinks = false;  // a stop ends the attempts on a start item, and on a source
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
            bool failed = attempt.ending != Ending::finished;
            if (failed && is_tried_again(node, attempt.ending, number)) {
                ++is.retried;
                continue;
            }
            Number failures = 0;
            if (facts.yields != Yields::nothing) {
                const bool goes_on = is.is_source && facts.streams;
                const Number errors = foretell_outputs(node, is, value, attempt.outputs, goes_on, edges);
                if (by_key)
                    is.outputs.keys.resize(is.outputs.values.size(), order_key_of(value));
                if (goes_on)
                    failures = errors;
                else
                    failed = failed || errors > 0;
            }
            failures += failed ? 1 : 0;
            is.err += failures;
            if (!no_letters)
                is.letters.values.insert(is.letters.values.end(), failures, letter_of(facts.takes == Takes::nothing ? 0 : value, number));
            break;
        }
}

/// The scripted bodies that see their whole stream.
void foretell_whole(const NodePlan& node, NodeForecast& is, const Flow& input, const EdgeErrors& edges)
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
    const bool sees_end = !ends_early || depends;
    if (facts.yields != Yields::nothing && sees_end)
        is.outputs.values.insert(is.outputs.values.end(), node.workers, last_output_of(node));
    is.err += edges.losses_of(is.outputs.values);
    if (!sees_end && edges.lose(last_output_of(node)))
        is.more_err = node.workers;  // a run that is cut short may show it the end
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
    bool fed_in_run = false;
    for (std::size_t i = 0; i < plan.edges.size(); ++i) {
        const EdgePlan& edge = plan.edges[i];
        if (edge.to != index)
            continue;
        fed = true;
        const NodeForecast& from = forecast.nodes[edge.from];
        fed_in_run = fed_in_run || from.is_active;
        join(is.arrivals[edge.port], edge.is() == EdgeKind::error ? from.letters : along(plan, i, from.outputs));
    }
    for (Flow& flow : is.arrivals)
        if (flow.values.size() > most_values) {
            flow.values.clear();
            forecast.items = std::numeric_limits<std::uint32_t>::max();
        }
    is.starts = node.starts > 0 ? node.starts : facts.takes == Takes::nothing && !fed && !has_starts ? 1 : 0;
    is.is_active = is.starts > 0 || fed_in_run || facts.whole;  // which may yield at the end of a stream without items
    is.is_source = is.starts > 0 && !fed_in_run && facts.takes == Takes::nothing;
    const EdgeErrors edges{plan, index};
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
        foretell_piece(node, is, inputs, edges);
    else if (facts.two)
        foretell_whole(node, is, taken_by_turns(inputs[0], inputs[1]), edges);
    else if (facts.whole)
        foretell_whole(node, is, inputs[0], edges);
    else
        foretell_items(node, is, inputs[0], halting, edges);
    for (const Number value : is.outputs.values)
        is.uncounted += edges.refuse(value) ? 1 : 0;
    const bool is_known = is.arrivals[0].known && is.arrivals[1].known;
    forecast.must_halt = forecast.must_halt || (halting && is.is_exact && is.err > 0);
    forecast.may_halt = forecast.may_halt || (halting && (is.err > 0 || is.more_err > 0 || !is_known));
    forecast.setup_fails = forecast.setup_fails || node.setup == 3;
    forecast.items += is.arrivals[0].values.size() + is.arrivals[1].values.size() + is.outputs.values.size() + is.seen.values.size();
}

}  // namespace

EdgeErrors::EdgeErrors(const Plan& plan, Number from)
{
    for (const EdgePlan& edge : plan.edges) {
        if (edge.from != from || edge.is() == EdgeKind::error)
            continue;
        all_can_fail_ = all_can_fail_ && edge.fail > 0;
        const auto is_the_same = [&](const EdgePlan& other) { return other.is_of_group(edge); };
        if (edge.fail > 0 && std::none_of(failing_.begin(), failing_.end(), is_the_same))
            failing_.push_back(edge);
    }
}

bool EdgeErrors::lose(Number value) const
{
    return std::any_of(failing_.begin(), failing_.end(), [&](const EdgePlan& edge) { return fails(edge, value); });
}

bool EdgeErrors::refuse(Number value) const
{
    const auto fails_here = [&](const EdgePlan& edge) { return fails(edge, value); };
    return are_possible() && all_can_fail_ && std::all_of(failing_.begin(), failing_.end(), fails_here);
}

Number EdgeErrors::losses_of(const std::vector<Number>& values) const
{
    return static_cast<Number>(std::count_if(values.begin(), values.end(), [this](Number value) { return lose(value); }));
}

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
