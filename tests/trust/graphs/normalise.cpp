#include "plan.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <tuple>

namespace graphs {

namespace {

constexpr std::size_t most_nodes = 50;
/// A queue in which nothing of these graphs ever has to wait for room.
constexpr Number endless = 100'000;

void clamp_node(NodePlan& node)
{
    const auto clamp = [](Number& number, Number least, Number most) { number = std::clamp(number, least, most); };
    clamp(node.shape, 0, static_cast<Number>(Shape::count) - 1);
    clamp(node.workers, 1, 16);
    clamp(node.queue, 1, endless);
    clamp(node.overflow, 0, 2);
    clamp(node.on_error, 0, 2);
    clamp(node.attempts, 1, 10);
    clamp(node.held, 1, 1'024);
    clamp(node.burst, 1, 1'000);
    clamp(node.size, 1, 1'000);
    clamp(node.ordered, 0, 2);
    clamp(node.setup, 0, 3);
    clamp(node.mode, 0, 2);
    clamp(node.starts, 0, 100);
    clamp(node.yields, 0, 10'000);
    clamp(node.limit, 0, 1'000);
    clamp(node.rate, 0, 1'000);
}

/// Leaves out what such a body cannot have, or what could not be foretold.
void fit_to_shape(NodePlan& node)
{
    const ShapeFacts& facts = node.facts();
    if (facts.whole) {
        node.attempts = 1;
        node.timeout = node.rate = node.limit = node.ordered = 0;
    }
    if (!facts.sleeps)
        node.sleep = 0;
    if (!facts.sleeps && !facts.blocking)
        node.timeout = 0;
    if (node.timeout > 0)
        node.timeout |= 1U;
    if (facts.two) {
        node.workers = 1;
        node.weight = node.fail = 0;  // once an input has ended, an error ends such a body for good
    }
    if (facts.two || facts.takes == Takes::failed || facts.takes == Takes::failed_nothing)
        node.starts = 0;
    if (facts.takes != Takes::item) {
        node.weight = 0;
        node.ordered = std::min<Number>(node.ordered, 1);
        node.flaky = 0;  // such items cannot be told from each other, nor attempts
    }
    if (facts.whole)
        node.flaky = 0;
    if (node.is() != Shape::whole && node.is() != Shape::whole_sink)
        node.take = 0;
    if (node.take > 0)
        node.workers = 1;
    if (node.is() != Shape::plain && node.is() != Shape::stream)
        node.per_worker = 0;
    const bool can_fail_inside = node.is() == Shape::reduce || node.is() == Shape::dedupe || (node.is() == Shape::batch && node.piece_bound > 0);
    if (facts.piece && !can_fail_inside)
        node.fail = 0;
    if (facts.whole && facts.piece && node.is() != Shape::batch && node.is() != Shape::window)
        node.piece_delay = 0;
    if (node.is() == Shape::window || node.is() == Shape::zip)
        node.piece_bound = 0;
    if (node.limit == 0)
        node.limit_group = 0;
    if (node.rate == 0)
        node.rate_group = 0;
}

void make_ranks_distinct(Plan& plan)
{
    std::vector<std::size_t> order(plan.nodes.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return plan.nodes[a].rank < plan.nodes[b].rank; });
    for (std::size_t i = 0; i < order.size(); ++i)
        plan.nodes[order[i]].rank = i;
}

void share_limits(Plan& plan)
{
    std::map<Number, const NodePlan*> limits;
    std::map<Number, const NodePlan*> rates;
    for (NodePlan& node : plan.nodes) {
        if (node.limit_group > 0)
            node.limit = limits.try_emplace(node.limit_group, &node).first->second->limit;
        if (node.rate_group > 0) {
            const NodePlan& first = *rates.try_emplace(node.rate_group, &node).first->second;
            node.rate = first.rate;
            node.burst = first.burst;
        }
    }
}

/// Whether the edge can be; its kind is made to fit.
[[nodiscard]] bool fit_edge(const Plan& plan, EdgePlan& edge)
{
    if (edge.from >= plan.nodes.size() || edge.to >= plan.nodes.size() || edge.kind >= static_cast<Number>(EdgeKind::count))
        return false;
    const NodePlan& from = plan.nodes[edge.from];
    const NodePlan& to = plan.nodes[edge.to];
    if (from.rank >= to.rank)
        return false;
    if (!to.facts().two)
        edge.port = 0;
    edge.port = std::min<Number>(edge.port, 1);
    if (edge.is() == EdgeKind::error)
        return !from.facts().whole && ((from.facts().takes == Takes::item && to.facts().takes == Takes::failed) ||
                                       (from.facts().takes == Takes::nothing && to.facts().takes == Takes::failed_nothing));
    if (from.facts().yields == Yields::nothing || (to.facts().takes != Takes::item && to.facts().takes != Takes::nothing))
        return false;
    if (from.facts().piece)
        edge.kind = static_cast<Number>(to.facts().takes == Takes::item ? EdgeKind::map : EdgeKind::plain);
    else if ((edge.is() == EdgeKind::map || edge.is_grouped()) && to.facts().takes != Takes::item)
        edge.kind = static_cast<Number>(EdgeKind::plain);
    if (edge.is() == EdgeKind::named && edge.port == 1)
        edge.kind = static_cast<Number>(EdgeKind::plain);
    if (!edge.is_grouped())
        edge.group = 0;
    edge.fail = edge.can_fail() ? std::min<Number>(edge.fail, 1'000) : 0;
    return true;
}

void fit_edges(Plan& plan)
{
    std::set<std::tuple<Number, Number, Number>> pairs;
    std::map<std::pair<Number, Number>, EdgePlan> groups;
    std::vector<EdgePlan> kept;
    for (EdgePlan edge : plan.edges) {
        if (!fit_edge(plan, edge))
            continue;
        if (edge.is_grouped()) {
            const EdgePlan& first = groups.try_emplace({edge.from, edge.group}, edge).first->second;
            edge.kind = first.kind;
            edge.salt = first.salt;
            edge.fail = first.fail;
        }
        // An item must not come to a node twice, or its attempts could not be told; agdf::map makes another of it.
        if (edge.is() != EdgeKind::map && !pairs.emplace(edge.from, edge.to, edge.port).second)
            continue;
        kept.push_back(edge);
    }
    plan.edges = std::move(kept);
}

/// A node that takes an item must get one from somewhere.
void feed_nodes(Plan& plan)
{
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        NodePlan& node = plan.nodes[i];
        bool fed[2] = {false, false};
        for (const EdgePlan& edge : plan.edges)
            if (edge.to == i)
                fed[edge.port] = true;
        if (node.facts().two && !(fed[0] && fed[1]))
            node.shape = static_cast<Number>(Shape::stream);
        if (node.facts().takes == Takes::failed && !fed[0])
            node.shape = static_cast<Number>(Shape::plain_void);
        if (node.facts().takes == Takes::failed_nothing && !fed[0])
            node.shape = static_cast<Number>(Shape::call);
        if (node.facts().takes == Takes::item && !fed[0])
            node.starts = std::max<Number>(node.starts, 1);
    }
}

/// Two ways that part and meet again at a node which reads them in step stand still once the queues there are full, as
/// is documented; so they never are.
void widen_meetings(Plan& plan)
{
    std::vector<std::size_t> by_rank(plan.nodes.size());
    for (std::size_t i = 0; i < by_rank.size(); ++i)
        by_rank[plan.nodes[i].rank] = i;
    std::vector<std::uint64_t> before(plan.nodes.size());
    for (const std::size_t i : by_rank) {
        std::uint64_t ports[2] = {0, 0};
        for (const EdgePlan& edge : plan.edges)
            if (edge.to == i)
                ports[edge.port] |= before[edge.from] | std::uint64_t{1} << edge.from;
        before[i] = ports[0] | ports[1];
        if (plan.nodes[i].facts().two && (ports[0] & ports[1]) != 0)
            plan.nodes[i].queue = endless;
    }
}

}  // namespace

void normalise(Plan& plan)
{
    if (plan.nodes.size() > most_nodes)
        plan.nodes.resize(most_nodes);
    std::string before;
    for (int i = 0; i < 10; ++i) {
        make_ranks_distinct(plan);
        for (NodePlan& node : plan.nodes) {
            clamp_node(node);
            fit_to_shape(node);
        }
        share_limits(plan);
        fit_edges(plan);
        feed_nodes(plan);
        widen_meetings(plan);
        const std::string now = print(plan);
        if (now == before)
            break;
        before = now;
    }
    plan.options.threads = std::clamp<Number>(plan.options.threads, 1, 8);
    plan.options.on_error = plan.options.on_error == 2 ? 2 : 1;
    plan.options.whole_run = std::min<Number>(plan.options.whole_run, 1);
    for (ActionPlan& action : plan.actions)
        action.kind = std::min(action.kind, static_cast<Number>(ActionKind::count) - 1);
}

}  // namespace graphs
