#pragma once

// Floor 5: a graph without the types of its items.

#include <agdf/detail/blueprint.hpp>
#include <agdf/detail/fmt.hpp>

#include <algorithm>
#include <numeric>

namespace agdf::detail {

AGDF_DECL Blueprint::Blueprint() = default;
AGDF_DECL Blueprint::~Blueprint() = default;

AGDF_DECL std::size_t Blueprint::add_node(std::unique_ptr<const NodeSpec> node, std::size_t more_inputs)
{
    const Fail fail = [&](const std::string& what) {
        throw GraphError(fmt::format("agdf::Graph::add_node: node '{}': {}", node->name(), what));
    };
    if (node->name().empty())
        fail("the name is empty. Expected: a name, since errors and statistics go by it. Pass one.");
    if (by_name_.contains(node->name()))
        fail("there is a node of this name already. Expected: a name for each node. Choose another.");
    if (node->facts().is_empty)
        fail("the body is an empty function: a null pointer, or a std::function without a target. Expected: something to call. Set it "
             "before it is added.");
    for (std::size_t n = 1; n <= more_inputs; ++n)
        if (by_name_.contains(input_name(node->name(), n)))
            fail(fmt::format("one of its inputs would be called '{}', and there is a node of this name already. Expected: a name for "
                             "each node. Choose another.",
                             input_name(node->name(), n)));
    check_range(fail, "workers", node->options().workers, 1, 1'000'000);
    check_range(fail, "queue_size", node->options().queue_size, 1, 1'000'000'000);
    check_policies(fail, *node);
    const std::size_t index = nodes_.size();
    const auto place = by_name_.emplace(node->name(), index).first;
    try {
        edges_.resize(index + 1);
        producers_.resize(index + 1);
        edges_to_.resize(index + 1);
        order_.resize(index + 1);
        order_.back() = ++greatest_;
        if (node->facts().meets_in_step)
            zips_.push_back(index);
        const std::lock_guard lock{growing_};
        nodes_.push_back(std::move(node));  // last, since it is what makes it a node
    } catch (...) {
        by_name_.erase(place);
        std::erase(zips_, index);
        throw;
    }
    return index;
}

AGDF_DECL std::vector<NodeStats> Blueprint::stats() const
{
    const std::lock_guard lock{growing_};
    std::vector<NodeStats> all(nodes_.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].name = nodes_[i]->name();
        all[i].queue_size = nodes_[i]->options().queue_size;
        all[i].workers = nodes_[i]->options().workers;
    }
    return all;
}

AGDF_DECL std::string Blueprint::input_name(std::string_view node, std::size_t input)
{
    return fmt::format("{}[{}]", node, input);
}

/// Adds a further queue of a node whose body has several receivers.
AGDF_DECL std::size_t Blueprint::add_input(std::size_t node, std::unique_ptr<const NodeSpec> input)
{
    const std::size_t index = add_node(std::move(input));
    (void)put_in_order(index, node);
    edges_[index].push_back({node, EdgeLabel::input, nullptr});
    producers_[node].push_back(index);
    return index;
}

AGDF_DECL void Blueprint::add_edge(std::size_t from, std::size_t to, EdgeLabel label, std::unique_ptr<const EdgeMaker> maker)
{
    const Fail fail = [&](const std::string& what) {
        throw GraphError(fmt::format("agdf::Graph::add_edge('{}', '{}'): {}", nodes_[from]->name(), nodes_[to]->name(), what));
    };
    const bool plain = label == EdgeLabel::none;
    const std::uint64_t ends = std::uint64_t{from} << 32 | to;
    if (plain && plain_edges_.contains(ends))
        fail("this edge is there already, and a second one would deliver every item twice. Expected: one edge between "
             "two nodes. Remove one.");
    if (const EdgeSpec* const rival = rival_of(from, *maker))
        fail(fmt::format("node '{}' yields {}, which cannot be copied, and has an edge to '{}' already. Expected: one "
                         "edge, since each edge gets its own item. Yield a std::shared_ptr, or split the node.",
                         nodes_[from]->name(), nodes_[from]->out().name, nodes_[rival->to]->name()));
    if (plain)
        plain_edges_.insert(ends);
    try {
        add_checked(from, to, label, std::move(maker), fail);
    } catch (...) {
        if (plain)
            plain_edges_.erase(ends);
        throw;
    }
}

AGDF_DECL void Blueprint::add_edge(std::string_view from_name, std::string_view to_name)
{
    const std::size_t from = index_of("add_edge", from_name);
    const std::size_t to = index_of("add_edge", to_name);
    const NodeSpec& source = *nodes_[from];
    const NodeSpec& destination = *nodes_[to];
    if (source.out().is_void)
        throw GraphError(fmt::format("agdf::Graph::add_edge('{}', '{}'): node '{}' yields nothing, it is a sink. Expected: a "
                                     "node whose body returns Stream<O>, asio::awaitable<O> or O. Let its body return what "
                                     "'{}' shall get.",
                                     from_name, to_name, from_name, to_name));
    auto maker = source.make_edge_to(destination);
    if (!maker)
        throw GraphError(fmt::format("agdf::Graph::add_edge('{}', '{}'): '{}' yields {}, but '{}' takes {}. Expected: the same "
                                     "type, or a pair, tuple or array of what it takes. Change one of the bodies, or give "
                                     "the edge by handles, which allows conversions and agdf::map(function).",
                                     from_name, to_name, from_name, source.out().name, to_name, destination.in().name));
    add_edge(from, to, EdgeLabel::none, std::move(maker));
}

AGDF_DECL void Blueprint::add_error_edge(std::size_t from, std::size_t to, std::unique_ptr<const EdgeMaker> maker)
{
    const Fail fail = [&](const std::string& what) {
        throw GraphError(fmt::format("agdf::Graph::add_error_edge('{}', '{}'): {}", nodes_[from]->name(), nodes_[to]->name(), what));
    };
    if (nodes_[from]->facts().sees_whole_stream)
        fail(fmt::format("the body of '{}' sees its whole stream, so no single item is to blame when it fails. Expected: a body "
                         "that is called for each item. Catch the error in the body, and yield what it cannot use.",
                         nodes_[from]->name()));
    for (const EdgeSpec& edge : edges_[from])
        if (edge.to == to && edge.label == EdgeLabel::error)
            fail("this error edge is there already, and a second one would deliver every failed item twice. Expected: one "
                 "between two nodes. Remove one.");
    add_checked(from, to, EdgeLabel::error, std::move(maker), fail);
}

AGDF_DECL void Blueprint::add_error_edge(std::string_view from_name, std::string_view to_name)
{
    const std::size_t from = index_of("add_error_edge", from_name);
    const std::size_t to = index_of("add_error_edge", to_name);
    auto maker = nodes_[to]->make_error_edge_from(*nodes_[from]);
    if (!maker)
        throw GraphError(fmt::format("agdf::Graph::add_error_edge('{0}', '{1}'): '{1}' takes {2}, which is not what remains of a "
                                     "failed item of '{0}'. Expected: agdf::Failed<{3}>, of an item that can be copied. Let the "
                                     "body of '{1}' take that, and the items of '{0}' be copyable, a std::shared_ptr for instance.",
                                     from_name, to_name, nodes_[to]->in().name, nodes_[from]->in().name));
    add_error_edge(from, to, std::move(maker));
}

AGDF_DECL std::size_t Blueprint::index_of(std::string_view function, std::string_view name) const
{
    const auto found = by_name_.find(std::string{name});
    if (found != by_name_.end())
        return found->second;
    std::string names;
    for (const auto& node : nodes_)
        names += (names.empty() ? "'" : ", '") + node->name() + "'";
    throw GraphError(fmt::format("agdf::Graph::{}: node '{}' is not in the graph. Expected: {}. Add the node first, or "
                                 "correct the name.",
                                 function, name, names.empty() ? "a node, but there is none yet" : "one of " + names));
}

AGDF_DECL void Blueprint::check_policies(const Fail& fail, const NodeSpec& node)
{
    const NodeOptions& options = node.options();
    check_retry(fail, options.retry);
    if (options.timeout < options.timeout.zero())
        fail("the option .timeout is negative. Expected: a duration, or zero for no limit. Set it in this range.");
    const bool of_items = options.retry.attempts > 1 || options.timeout > options.timeout.zero() || options.rate_limit ||
                          options.limit || options.ordered || options.ordered_by_key;
    if (of_items && node.facts().sees_whole_stream)
        fail("the options .retry, .timeout, .rate_limit, .limit, .ordered and .ordered_by_key are about single items, but the "
             "body sees its whole stream. Expected: none of them here. Set them at a node whose body is called for each item.");
    if (options.retry.attempts > 1 && !node.facts().can_repeat)
        fail(fmt::format("the option .retry needs the item a second time, but {} cannot be copied, and the body takes it away. "
                         "Expected: a copyable item, or a body that takes it by reference. Change one of them.",
                         node.in().name));
    const auto check_item = [&](std::string_view option, const detail::ItemNumber& function) {
        if (function && function.type() != node.in().id)
            fail(fmt::format("the function in the option .{} takes {}, but the node takes {}. Expected: the node's own type. "
                             "Let the function take that by const reference.",
                             option, function.name_of_type(), node.in().is_void ? "nothing" : node.in().name));
    };
    if (node.facts().meets_in_step && options.workers > 1)
        fail(fmt::format("the option .workers is {}, but the body takes one item from each of its inputs at a time, and several of it "
                         "would mix them up. Expected: 1. Leave it out.",
                         options.workers));
    check_item("ordered_by_key", options.ordered_by_key.hash());
    check_item("queue_weight", options.queue_weight.weight());
    if (options.queue_weight && options.queue_weight.most() == 0)
        fail("the option .queue_weight allows a weight of 0. Expected: 1 or more. Set it to what may wait at the node.");
}

AGDF_DECL void check_range(const Fail& fail, std::string_view option, std::size_t value, std::size_t least, std::size_t most)
{
    if (value < least || value > most)
        fail(fmt::format("the option .{} is {}. Expected: from {} to {}. Set it in this range.", option, value, least, most));
}

AGDF_DECL void Blueprint::add_checked(std::size_t from, std::size_t to, EdgeLabel label, std::unique_ptr<const EdgeMaker> maker, const Fail& fail)
{
    const std::string cycle = put_in_order(from, to);
    if (!cycle.empty())
        fail(fmt::format("the edge would close a cycle: {}. Expected: items flow one way. Remove one of its edges.", cycle));
    if (drawn_.size() == drawn_.capacity())
        drawn_.reserve(2 * drawn_.size() + 16);  // now, since nothing may fail further down
    producers_[to].push_back(from);
    try {
        edges_[from].push_back({to, label, std::move(maker)});
    } catch (...) {
        producers_[to].pop_back();
        throw;
    }
    ++edges_to_[to];
    drawn_.emplace_back(from, to);
    if (!zips_.empty() && on_edge_)
        on_edge_();
}

AGDF_DECL void Blueprint::draw_all_or_none(const std::function<void()>& draw)
{
    const std::size_t before = drawn_.size();
    try {
        draw();
    } catch (...) {
        while (drawn_.size() > before)
            take_back_last_edge();
        throw;
    }
}

AGDF_DECL void Blueprint::take_back_last_edge()
{
    const auto [from, to] = drawn_.back();
    drawn_.pop_back();
    if (edges_[from].back().label == EdgeLabel::none)
        plain_edges_.erase(std::uint64_t{from} << 32 | to);
    edges_[from].pop_back();
    producers_[to].pop_back();
    --edges_to_[to];
}

AGDF_DECL std::vector<std::size_t> Blueprint::positions() const
{
    std::vector<std::size_t> in_order(nodes_.size());
    std::iota(in_order.begin(), in_order.end(), std::size_t{0});
    std::sort(in_order.begin(), in_order.end(), [this](std::size_t a, std::size_t b) { return order_[a] < order_[b]; });
    std::vector<std::size_t> positions(in_order.size());
    for (std::size_t i = 0; i < in_order.size(); ++i)
        positions[in_order[i]] = i;
    return positions;
}

/// The edge that would need a copy of the same item; null if there is none.
AGDF_DECL const EdgeSpec* Blueprint::rival_of(std::size_t from, const EdgeMaker& maker) const
{
    if (nodes_[from]->facts().yields_copyable)
        return nullptr;
    for (const EdgeSpec& edge : edges_[from]) {
        const std::size_t mine = maker.alternative();
        const std::size_t other = edge.maker->alternative();
        if (maker.group() && maker.group() == edge.maker->group())
            continue;
        if (edge.label != EdgeLabel::error && (mine == other || mine == no_alternative || other == no_alternative))
            return &edge;
    }
    return nullptr;
}

/// Keeps the nodes in an order in which all edges point forward, and returns the cycle if there can be none.
///
/// An edge that points forward already, as they do in most programs, costs nothing, and so does one from a node without
/// producers or to one without consumers, which goes to that end of the order: that is how a graph comes into being from its
/// sinks to its sources. Another one costs a search of the nodes between its ends (Pearce and Kelly, "A dynamic topological
/// sort algorithm", 2007).
AGDF_DECL std::string Blueprint::put_in_order(std::size_t from, std::size_t to)
{
    if (from == to)
        return fmt::format("{0} -> {0}", nodes_[from]->name());
    const std::int64_t low = order_[to];
    const std::int64_t high = order_[from];
    if (high < low)
        return {};
    if (producers_[from].empty()) {
        order_[from] = --least_;
        return {};
    }
    if (edges_[to].empty()) {
        order_[to] = ++greatest_;
        return {};
    }
    std::unordered_map<std::size_t, std::size_t> came_from;
    std::vector<std::size_t> after;
    std::vector<std::size_t> stack{to};
    came_from.emplace(to, to);
    while (!stack.empty()) {
        const std::size_t node = stack.back();
        stack.pop_back();
        after.push_back(node);
        for (const EdgeSpec& edge : edges_[node]) {
            if (edge.to == from)
                return path(came_from, from, to, node);
            if (order_[edge.to] < high && came_from.emplace(edge.to, node).second)
                stack.push_back(edge.to);
        }
    }
    std::unordered_set<std::size_t> seen{from};
    std::vector<std::size_t> before;
    stack.push_back(from);
    while (!stack.empty()) {
        const std::size_t node = stack.back();
        stack.pop_back();
        before.push_back(node);
        for (const std::size_t producer : producers_[node])
            if (order_[producer] > low && seen.insert(producer).second)
                stack.push_back(producer);
    }
    const auto by_order = [this](std::size_t a, std::size_t b) { return order_[a] < order_[b]; };
    std::sort(before.begin(), before.end(), by_order);
    std::sort(after.begin(), after.end(), by_order);
    before.insert(before.end(), after.begin(), after.end());
    std::vector<std::int64_t> places;
    for (const std::size_t node : before)
        places.push_back(order_[node]);
    std::sort(places.begin(), places.end());
    for (std::size_t i = 0; i < before.size(); ++i)
        order_[before[i]] = places[i];
    return {};
}

AGDF_DECL std::string Blueprint::path(const std::unordered_map<std::size_t, std::size_t>& came_from, std::size_t from,
                                      std::size_t to, std::size_t node) const
{
    std::vector<std::size_t> cycle{from};
    for (; node != to; node = came_from.at(node))
        cycle.push_back(node);
    cycle.insert(cycle.end(), {to, from});
    std::reverse(cycle.begin(), cycle.end());

    // Of a long one the middle is left out: nobody would read it.
    constexpr std::size_t most = 24, ends = most / 2;
    std::string text;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
        if (cycle.size() > most && i == ends) {
            text += fmt::format(" -> ({} more)", cycle.size() - most);
            i = cycle.size() - ends;
        }
        text += fmt::format("{}{}", i == 0 ? "" : " -> ", nodes_[cycle[i]]->name());
    }
    return text;
}

}  // namespace agdf::detail
