#pragma once

// Floor 5: what a graph consists of, without the types of its items: nodes, edges, and that they form no cycle.

#include <agdf/detail/node_spec.hpp>
#include <agdf/error.hpp>
#include <agdf/node.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace agdf::detail {

/// The nodes and edges of a graph. It only grows.
class Blueprint {
public:
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] const NodeSpec& node(std::size_t index) const noexcept { return *nodes_[index]; }
    [[nodiscard]] const std::shared_ptr<const NodeSpec>& shared_node(std::size_t index) const noexcept { return nodes_[index]; }
    [[nodiscard]] const std::vector<EdgeSpec>& edges_of(std::size_t index) const noexcept { return edges_[index]; }
    [[nodiscard]] bool has_producers(std::size_t index) const noexcept { return !producers_[index].empty(); }

    std::size_t add_node(std::shared_ptr<const NodeSpec> node)
    {
        const auto fail = [&](std::string_view what) {
            throw GraphError(fmt::format("agdf::Graph::add_node: node '{}': {}", node->name(), what));
        };
        if (node->name().empty())
            fail("the name is empty. Expected: a name, since errors and statistics go by it. Pass one.");
        if (by_name_.contains(node->name()))
            fail("there is a node of this name already. Expected: a name for each node. Choose another.");
        check_range(fail, "workers", node->options().workers, 1, 1'000'000);
        check_range(fail, "queue_size", node->options().queue_size, 1, 1'000'000'000);
        const std::size_t index = nodes_.size();
        nodes_.push_back(std::move(node));
        edges_.emplace_back();
        producers_.emplace_back();
        order_.push_back(index);
        by_name_.emplace(nodes_.back()->name(), index);
        return index;
    }

    void add_edge(std::size_t from, std::size_t to, EdgeLabel label, std::shared_ptr<const EdgeMaker> maker)
    {
        const auto fail = [&](const std::string& what) {
            throw GraphError(fmt::format("agdf::Graph::add_edge('{}', '{}'): {}", nodes_[from]->name(), nodes_[to]->name(), what));
        };
        const bool plain = label == EdgeLabel::none;
        if (plain && plain_edges_.contains(std::uint64_t{from} << 32 | to))
            fail("this edge is there already, and a second one would deliver every item twice. Expected: one edge between "
                 "two nodes. Remove one.");
        if (!nodes_[from]->yields_copyable() && !edges_[from].empty())
            fail(fmt::format("node '{}' yields {}, which cannot be copied, and has an edge to '{}' already. Expected: one "
                             "edge, since each edge gets its own item. Yield a std::shared_ptr, or split the node.",
                             nodes_[from]->name(), nodes_[from]->out().name, nodes_[edges_[from].front().to]->name()));
        const std::string cycle = put_in_order(from, to);
        if (!cycle.empty())
            fail(fmt::format("the edge would close a cycle: {}. Expected: items flow one way. Remove one of its edges.", cycle));
        edges_[from].push_back({to, label, std::move(maker)});
        producers_[to].push_back(from);
        if (plain)
            plain_edges_.insert(std::uint64_t{from} << 32 | to);
    }

    void add_edge(std::string_view from_name, std::string_view to_name)
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

    [[nodiscard]] std::size_t index_of(std::string_view function, std::string_view name) const
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

    template <class Fail>
    static void check_range(const Fail& fail, std::string_view option, std::size_t value, std::size_t least, std::size_t most)
    {
        if (value < least || value > most)
            fail(fmt::format("the option .{} is {}. Expected: from {} to {}. Set it in this range.", option, value, least, most));
    }

private:
    /// Keeps the nodes in an order in which all edges point forward, and returns the cycle if there can be none.
    ///
    /// An edge that points forward already, as they do in most programs, costs nothing; another one costs a search of
    /// the nodes between its ends (Pearce and Kelly, "A dynamic topological sort algorithm", 2007).
    std::string put_in_order(std::size_t from, std::size_t to)
    {
        if (from == to)
            return fmt::format("{0} -> {0}", nodes_[from]->name());
        const std::size_t low = order_[to];
        const std::size_t high = order_[from];
        if (high < low)
            return {};
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
        std::vector<std::size_t> places;
        for (const std::size_t node : before)
            places.push_back(order_[node]);
        std::sort(places.begin(), places.end());
        for (std::size_t i = 0; i < before.size(); ++i)
            order_[before[i]] = places[i];
        return {};
    }

    [[nodiscard]] std::string path(const std::unordered_map<std::size_t, std::size_t>& came_from, std::size_t from,
                                   std::size_t to, std::size_t node) const
    {
        std::string text = nodes_[from]->name();
        for (; node != to; node = came_from.at(node))
            text = fmt::format("{} -> {}", nodes_[node]->name(), text);
        return fmt::format("{} -> {} -> {}", nodes_[from]->name(), nodes_[to]->name(), text);
    }

    std::vector<std::shared_ptr<const NodeSpec>> nodes_;
    std::vector<std::vector<EdgeSpec>> edges_;
    std::vector<std::vector<std::size_t>> producers_;
    std::vector<std::size_t> order_;
    std::unordered_map<std::string, std::size_t> by_name_;
    std::unordered_set<std::uint64_t> plain_edges_;  // both ends in one number
};

}  // namespace agdf::detail
