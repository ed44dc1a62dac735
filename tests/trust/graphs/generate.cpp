#include "oracle.hpp"
#include "plan.hpp"

#include <algorithm>
#include <numeric>

namespace graphs {

namespace {

/// Numbers drawn one after the other.
class Dice {
public:
    explicit Dice(Number seed) noexcept : state_(mix(seed, 0x6772617068)) {}

    [[nodiscard]] Number next() noexcept { return mix(state_++); }
    [[nodiscard]] Number below(Number n) noexcept { return n == 0 ? 0 : next() % n; }
    [[nodiscard]] Number between(Number least, Number most) noexcept { return least + below(most - least + 1); }
    [[nodiscard]] bool chance(Number permille) noexcept { return below(1'000) < permille; }
    /// Mostly small.
    [[nodiscard]] Number few(Number most) noexcept { return below(1 + below(most + 1)); }
    /// Of one, more or less small.
    template <class T, std::size_t n>
    [[nodiscard]] T one_of(const T (&values)[n]) noexcept
    {
        return values[below(n)];
    }

private:
    Number state_;
};

[[nodiscard]] Shape draw_shape(Dice& dice, bool first)
{
    constexpr Shape sources[] = {Shape::source, Shape::source, Shape::source, Shape::source, Shape::source, Shape::make, Shape::make_awaitable,
                                 Shape::call, Shape::stream, Shape::plain};
    constexpr Shape steps[] = {Shape::stream, Shape::stream, Shape::stream, Shape::awaitable, Shape::awaitable_optional, Shape::plain, Shape::plain,
                               Shape::plain_ref, Shape::plain_optional};
    constexpr Shape sinks[] = {Shape::plain_void, Shape::plain_void, Shape::awaitable_void, Shape::whole_sink};
    constexpr Shape wholes[] = {Shape::whole, Shape::whole, Shape::whole_sink, Shape::two, Shape::batch, Shape::window, Shape::reduce, Shape::dedupe, Shape::zip};
    constexpr Shape rare[] = {Shape::make, Shape::make_awaitable, Shape::call, Shape::source};
    constexpr Shape dead[] = {Shape::dead_sink, Shape::dead_sink, Shape::dead_stream, Shape::dead_void};
    constexpr Shape pool[] = {Shape::blocking, Shape::blocking_optional, Shape::blocking_void};
    if (first)
        return dice.one_of(sources);
    const Number roll = dice.below(1'000);
    return roll < 430 ? dice.one_of(steps) : roll < 570 ? dice.one_of(sinks) : roll < 780 ? dice.one_of(wholes) : roll < 850 ? dice.one_of(rare)
           : roll < 930 ? dice.one_of(dead) : roll < 940 ? dice.one_of(pool) : Shape::source;
}

void draw_policies(Dice& dice, NodePlan& node)
{
    constexpr Number queues[] = {1, 1, 2, 3, 4, 8, 1'024};
    node.queue = dice.one_of(queues);
    if (dice.chance(350))
        node.workers = dice.between(2, dice.chance(200) ? 16 : 4);
    if (dice.chance(60))
        node.overflow = dice.between(1, 2);
    if (dice.chance(80))
        node.on_error = dice.between(1, 2);
    if (dice.chance(250))
        node.fail = dice.between(1, dice.chance(100) ? 1'000 : 150);
    if (dice.chance(200))
        node.flaky = dice.between(1, 500);
    if (dice.chance(220)) {
        node.attempts = dice.between(2, 4);
        node.delay = dice.few(50);
        node.when = dice.below(2);
        node.asks = dice.chance(200);
        if (dice.chance(150))
            node.held = dice.between(1, 3);
    }
    if (dice.chance(400))
        node.sleep = dice.few(20);
    if (dice.chance(120))
        node.timeout = 1 + 2 * dice.few(30);
    if (dice.chance(80)) {
        node.rate = dice.between(1, 1'000);
        node.burst = dice.between(1, 4);
        node.rate_group = dice.chance(400) ? 1 : 0;
    }
    if (dice.chance(100)) {
        node.limit = dice.between(1, 4);
        node.limit_group = dice.chance(400) ? 1 : 0;
    }
    if (dice.chance(150))
        node.ordered = dice.between(1, 2);
    if (dice.chance(60))
        node.weight = dice.between(1, 20);
    if (dice.chance(40))
        node.setup = dice.chance(60) ? 3 : dice.between(1, 2);
    node.per_worker = dice.chance(100);
}

[[nodiscard]] NodePlan draw_node(Dice& dice, bool first, Number scale)
{
    NodePlan node;
    node.shape = static_cast<Number>(draw_shape(dice, first));
    node.salt = dice.below(1'000'000);
    node.yields = node.is() == Shape::source ? dice.few(40 * scale) : dice.few(4);
    if (dice.chance(30))
        node.starts = dice.between(1, 5);
    if (dice.chance(600))
        draw_policies(dice, node);
    if (dice.chance(150))
        node.take = dice.between(1, 6);
    node.size = dice.between(1, 6);
    if (node.facts().piece && node.workers > 1 && dice.chance(800))
        node.workers = 1;
    if (dice.chance(150))
        node.piece_delay = dice.between(1, 40);
    if (dice.chance(250))
        node.piece_bound = dice.between(1, 8);
    node.mode = dice.below(3);
    return node;
}

[[nodiscard]] EdgePlan draw_edge(Dice& dice, const Plan& plan, std::size_t from, std::size_t to)
{
    constexpr EdgeKind kinds[] = {EdgeKind::plain, EdgeKind::plain, EdgeKind::plain, EdgeKind::plain, EdgeKind::named, EdgeKind::where, EdgeKind::map};
    EdgePlan edge{.from = from, .to = to, .kind = static_cast<Number>(dice.one_of(kinds)), .port = dice.below(2), .salt = dice.below(1'000'000)};
    const Takes takes = plan.nodes[to].facts().takes;
    if (takes == Takes::failed || takes == Takes::failed_nothing)
        edge.kind = static_cast<Number>(EdgeKind::error);
    return edge;
}

void draw_edges(Dice& dice, Plan& plan, const std::vector<std::size_t>& by_rank)
{
    for (std::size_t rank = 1; rank < by_rank.size(); ++rank) {
        const std::size_t to = by_rank[rank];
        const Number wanted = dice.chance(80) ? 0 : 1 + dice.few(3) + (plan.nodes[to].facts().two ? 2 : 0);
        for (Number i = 0; i < wanted; ++i) {
            // Mostly from near by, so that the graphs are deep as well.
            const std::size_t back = dice.chance(700) ? 1 + dice.few(std::min<Number>(rank - 1, 4)) : 1 + dice.below(rank);
            plan.edges.push_back(draw_edge(dice, plan, by_rank[rank - back], to));
        }
    }
    Number group = 0;
    for (std::size_t rank = 0; rank + 2 < by_rank.size(); ++rank) {
        if (!dice.chance(60))
            continue;
        const Number kind = static_cast<Number>(dice.chance(500) ? EdgeKind::partition : EdgeKind::balance);
        const Number members = dice.between(1, 3);
        ++group;
        for (Number i = 0; i < members; ++i) {
            const std::size_t to = by_rank[rank + 1 + dice.below(by_rank.size() - rank - 1)];
            plan.edges.push_back({.from = by_rank[rank], .to = to, .kind = kind, .port = dice.below(2), .group = group});
        }
    }
}

/// Edges that throw at some of the outputs, in some of the graphs.
void draw_failing_edges(Dice& dice, Plan& plan)
{
    if (!dice.chance(250))
        return;
    for (EdgePlan& edge : plan.edges) {
        if (edge.is() == EdgeKind::error || !dice.chance(333))
            continue;
        if (edge.is() == EdgeKind::plain || edge.is() == EdgeKind::named)
            edge.kind = static_cast<Number>(dice.chance(500) ? EdgeKind::where : EdgeKind::map);
        if (edge.is_grouped())
            edge.salt = dice.below(1'000'000);
        edge.fail = dice.chance(100) ? 1'000 : dice.chance(100) ? dice.below(1'000) : 125;
    }
}

void draw_actions(Dice& dice, Plan& plan)
{
    constexpr ActionKind common[] = {ActionKind::stop, ActionKind::stop, ActionKind::cancel, ActionKind::pause, ActionKind::destroy_graph, ActionKind::destroy_context};
    if (!dice.chance(500))
        return;
    const Number count = 1 + dice.few(3);
    for (Number i = 0; i < count; ++i) {
        const ActionKind kind = dice.one_of(common);
        const Number when = dice.below(1'001);
        plan.actions.push_back({static_cast<Number>(kind), when});
        if (kind == ActionKind::pause)
            plan.actions.push_back({static_cast<Number>(ActionKind::resume), dice.between(when, 1'000)});
        if (dice.chance(300))
            plan.actions.push_back({static_cast<Number>(ActionKind::stats), dice.below(1'001)});
    }
}

}  // namespace

Plan generate(Number seed, Number scale, bool threads)
{
    Dice dice{seed};
    Plan plan;
    const Number count = dice.chance(700) ? dice.between(1, 7) : dice.chance(800) ? dice.between(3, 16) : dice.between(10, 50);
    std::vector<std::size_t> by_rank(count);
    std::iota(by_rank.begin(), by_rank.end(), std::size_t{0});
    for (std::size_t i = by_rank.size(); i > 1; --i)
        std::swap(by_rank[i - 1], by_rank[dice.below(i)]);
    plan.nodes.resize(count);
    for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
        plan.nodes[by_rank[rank]] = draw_node(dice, rank == 0, scale);
        plan.nodes[by_rank[rank]].rank = rank;
    }
    draw_edges(dice, plan, by_rank);
    draw_actions(dice, plan);
    Dice dice_of_edges{mix(seed, 0xED6E)};  // of their own: a seed means the same graph as before, but for them
    draw_failing_edges(dice_of_edges, plan);
    plan.options.threads = dice.chance(threads ? 1'000 : 300) ? dice.between(2, 4) : 1;
    plan.options.on_error = dice.chance(40) ? 2 : 1;
    if (dice.chance(50))
        plan.options.max_exceptions = dice.below(4);
    plan.options.whole_run = dice.chance(500);
    if (threads && dice.chance(750))
        for (NodePlan& node : plan.nodes)
            node.timeout = 0;  // which make what comes of a run a matter of luck
    normalise(plan);
    // A graph multiplies items from node to node; too many would take long and show nothing more.
    for (int i = 0; foretell(plan).items > 400 * scale; ++i) {
        for (NodePlan& node : plan.nodes)
            node.yields /= 2;
        if (i > 3)
            plan.edges.resize(plan.edges.size() - plan.edges.size() / 8 - 1);
        normalise(plan);
    }
    return plan;
}

}  // namespace graphs
