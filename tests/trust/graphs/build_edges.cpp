// The edges.

#include "build.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace graphs {

namespace {

using Total = std::pair<Number, Number>;
using Row = std::tuple<Item, Item>;

/// What a ready-made body has yielded, as a number; it notes what was in it if it is the first edge that asks.
[[nodiscard]] Number read(Station& station, const std::vector<Item>& items, bool notes)
{
    for (const Item& item : items) {
        if (item.value() == Item::moved_from)
            station.complain("a batch with an item that somebody had moved from");
        if (!notes)
            continue;
        station.contents.add(item.value());
        station.finished.fetch_add(1, std::memory_order_relaxed);
    }
    if (items.empty())
        station.complain("an empty batch");
    return items.size();
}
[[nodiscard]] Number read(Station&, const Total& total, bool) { return total_of(total.first, total.second); }
[[nodiscard]] Number read(Station& station, const Row& row, bool notes)
{
    if (notes)
        station.contents.add(row_of(std::get<0>(row).value(), std::get<1>(row).value()));
    return 1;
}
[[nodiscard]] Number read(Station& station, const Item& item, bool) { return key_of(station.node(), item.value()); }

/// Makes an edge throw where its plan says so.
class Trap {
public:
    Trap(Built& built, const Plan& plan, const EdgePlan& edge) : station_(built.stations[edge.from]), edge_(edge)
    {
        for (const EdgePlan& other : plan.edges) {
            if (&other == &edge)
                break;
            if (other.from == edge.from && other.fail > 0)
                before_.push_back(other);
        }
    }

    /// Several edges that throw at one output are one error of it.
    void throw_if_due(Number value) const
    {
        if (!fails(edge_, value))
            return;
        if (std::none_of(before_.begin(), before_.end(), [&](const EdgePlan& other) { return fails(other, value); }))
            station_->edge_errors.fetch_add(1, std::memory_order_relaxed);
        throw EdgeError();
    }

private:
    std::shared_ptr<Station> station_;
    EdgePlan edge_;
    std::vector<EdgePlan> before_;  // that can throw, of the same source
};

struct Edge {
    Built& built;
    const EdgePlan& plan;
    bool is_first;  ///< of its source
    Trap trap;
};

template <class Out>
void add_mapped(const Edge& edge)
{
    auto read_and_map = [station = edge.built.stations[edge.plan.from], plan = edge.plan, is_first = edge.is_first,
                         trap = edge.trap](const Out& out) {
        const Number value = read(*station, out, is_first);
        trap.throw_if_due(value);
        return Item{mapped(plan, value)};
    };
    edge.built.graph->add_edge(edge.built.node<void, Out>(edge.plan.from), edge.built.node<Item, void>(edge.plan.to, edge.plan.port),
                               agdf::map(std::move(read_and_map)));
}

template <class Out>
void add_piece_edge(const Edge& edge, bool takes_item)
{
    if (takes_item)
        add_mapped<Out>(edge);
    else
        edge.built.graph->add_edge(edge.built.node<void, Out>(edge.plan.from), edge.built.node<void, void>(edge.plan.to));
}

template <class In>
void add_item_edge(const Edge& edge)
{
    agdf::Graph<>& graph = *edge.built.graph;
    const auto from = edge.built.node<void, Item>(edge.plan.from);
    const auto to = edge.built.node<In, void>(edge.plan.to, edge.plan.port);
    const EdgePlan plan = edge.plan;
    switch (plan.is()) {
    case EdgeKind::named:
        graph.add_edge(edge.built.stations[plan.from]->name(), edge.built.stations[plan.to]->name());
        break;
    case EdgeKind::where:
        graph.add_edge(from, to, agdf::where([plan, trap = edge.trap](const Item& item) {
            trap.throw_if_due(item.value());
            return passes(plan, item.value());
        }));
        break;
    case EdgeKind::map:
        if constexpr (!std::is_void_v<In>)
            graph.add_edge(from, to, agdf::map([plan, trap = edge.trap](const Item& item) {
                trap.throw_if_due(item.value());
                return Item{mapped(plan, item.value())};
            }));
        break;
    default:
        graph.add_edge(from, to);
    }
}

void add_error_edge(const Edge& edge)
{
    agdf::Graph<>& graph = *edge.built.graph;
    if (edge.built.stations[edge.plan.from]->node().facts().takes == Takes::item)
        graph.add_error_edge(edge.built.node<Item, void>(edge.plan.from), edge.built.node<agdf::Failed<Item>, void>(edge.plan.to));
    else
        graph.add_error_edge(edge.built.node<void, void>(edge.plan.from), edge.built.node<agdf::Failed<void>, void>(edge.plan.to));
}

void add_group(Built& built, const Plan& plan, const EdgePlan& first)
{
    std::vector<agdf::Node<Item, void>> to;
    for (const EdgePlan& edge : plan.edges)
        if (edge.is_of_group(first))
            to.push_back(built.node<Item, void>(edge.to, edge.port));
    const auto from = built.node<void, Item>(first.from);
    if (first.is() == EdgeKind::balance)
        agdf::balance(from, to);
    else
        agdf::partition(from, [trap = Trap(built, plan, first)](const Item& item) {
            trap.throw_if_due(item.value());
            return item.value();
        }, to);
}

void add_edge(const Edge& edge, bool takes_item)
{
    switch (edge.built.stations[edge.plan.from]->node().facts().yields) {
    case Yields::items:
        return add_piece_edge<std::vector<Item>>(edge, takes_item);
    case Yields::total:
        return add_piece_edge<Total>(edge, takes_item);
    case Yields::pair:
        return add_piece_edge<Row>(edge, takes_item);
    default:
        break;
    }
    if (edge.built.stations[edge.plan.from]->node().facts().piece)
        add_piece_edge<Item>(edge, takes_item);
    else if (takes_item)
        add_item_edge<Item>(edge);
    else
        add_item_edge<void>(edge);
}

}  // namespace

void add_edges(Built& built, const Plan& plan)
{
    std::set<std::pair<Number, Number>> groups;
    std::set<Number> sources;
    for (const EdgePlan& edge : plan.edges) {
        const bool takes_item = plan.nodes[edge.to].facts().takes == Takes::item;
        const bool is_first = takes_item && edge.is() != EdgeKind::error && sources.insert(edge.from).second;
        const Edge now{built, edge, is_first, Trap(built, plan, edge)};
        if (edge.is_grouped()) {
            if (groups.emplace(edge.from, edge.group).second)
                add_group(built, plan, edge);
        } else if (edge.is() == EdgeKind::error) {
            add_error_edge(now);
        } else {
            add_edge(now, takes_item);
        }
    }
}

}  // namespace graphs
