#pragma once

// Floor 5: giving each item to one of several nodes, and the other way round.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/mix.hpp>
#include <agdf/graph.hpp>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf {

namespace detail {

/// Stands for each node of a list in braces of which no other function takes them all.
struct AnyNode {
    template <class T>
    AnyNode(const T&) noexcept  // NOLINT: implicit, for the braces
    {
    }
};

/// Of the items of a variant only those are asked about that the nodes take; another one takes no turn.
template <class In, class Choose>
[[nodiscard]] auto among_own_items(Choose choose)
{
    return [choose = std::move(choose)]<class Out>(const Out& item, const auto& ports, std::size_t last) {
        if constexpr (AlternativeFor<Out, In>::exists) {
            if (item.index() != AlternativeFor<Out, In>::index)
                return last;
        }
        return choose(item, ports, last);
    };
}

template <class A, class B, class C, class D, class Choose>
void add_group(std::string_view function, Node<A, B> from, const std::vector<Node<C, D>>& to, EdgeLabel label, Choose choose)
{
    check_edge<B, C>();
    if constexpr (FlowsInto<B, C>) {
        if (to.empty())
            throw GraphError(fmt::format("agdf::{}: there is no node to choose from. Expected: one or more. Pass the nodes behind '{}'.", function,
                                         from.blueprint().node(from.last()).name()));
        using Maker = GroupEdgeMaker<B, C>;
        const auto shared = std::make_shared<const typename Maker::Choose>(among_own_items<C>(std::move(choose)));
        for (const Node<C, D>& node : to)
            if (&node.blueprint() != &from.blueprint())
                throw GraphError(fmt::format("agdf::{}: the nodes belong to different graphs. Expected: nodes of one graph. Add all to the same "
                                             "one.",
                                             function));
        from.blueprint().draw_all_or_none([&] {
            for (std::size_t i = 0; i < to.size(); ++i)
                from.blueprint().add_edge(from.last(), to[i].first(), label, make_as<const EdgeMaker, Maker>(shared, i == 0));
        });
    }
}

}  // namespace detail

/// Draws edges from `from` to each node of `to`, along which items of equal key always take the same one.
///
/// Shape:          `key(const Item&)` returns something with `std::hash`; which node gets which key is the same in every run of
///                 a program. Items are moved, never copied. Of a variant that is split by type, only the items that the
///                 nodes take are asked for their key; so it goes beside edges for the other types.
/// Errors:         as `add_edge`; none to choose from throws GraphError. If one of the edges is refused, none is drawn. What
///                 the key throws is an error of the item that `from` works on.
/// Thread-safety:  the key is called wherever the workers of `from` run.
///
///     agdf::partition(orders, [](const Order& order) { return order.customer; }, {north, south});
template <class A, class B, class Key, class C, class D>
void partition(Node<A, B> from, Key key, const std::vector<Node<C, D>>& to)
{
    constexpr bool fits = detail::is_refused<B> || [] {
        if constexpr (std::is_invocable_v<Key&, const B&>)
            return detail::HashedByValue<std::decay_t<std::invoke_result_t<Key&, const B&>>>;
        else
            return false;
    }();
    static_assert(fits,
                  "agdf::partition(from, key, to): the key cannot be used. Expected: a function of what 'from' yields, by const "
                  "reference, that returns a number, a string or another type with std::hash; a pointer to characters is none. Return such a "
                  "key.");
    if constexpr (fits && !detail::is_refused<B>) {
        using K = std::decay_t<std::invoke_result_t<Key&, const B&>>;
        detail::add_group("partition(from, key, to)", from, to, detail::EdgeLabel::partition,
                          [key = std::make_shared<Key>(std::move(key))](const B& item, const auto& ports, std::size_t) {
                              // Mixed, since the hash of a number is the number, and numbers in use are often even.
                              return detail::mix(std::hash<K>{}(std::invoke(*key, item))) % ports.size();
                          });
    }
}

/// The same for nodes of one type in braces.
template <class A, class B, class Key, class C, class D>
void partition(Node<A, B> from, Key key, std::initializer_list<Node<C, D>> to)
{
    partition(from, std::move(key), std::vector(to));
}

// Says what is wrong with other nodes in braces.
template <class A, class B, class Key>
void partition(Node<A, B>, Key, std::initializer_list<detail::AnyNode>)
{
    static_assert(detail::never<Key>,
                  "agdf::partition(from, key, to): the nodes in braces are of different types, or no nodes at all. Expected: one or more "
                  "handles that add_node has returned, all of which take and yield the same. Let their bodies do so.");
}

/// Draws edges from `from` to each node of `to`, of which each item takes the one where the fewest wait; among equals they take
/// turns.
///
/// Shape:   for nodes that do the same in different ways, such as two servers. (For nodes that are alike, one with more
///          `workers` does it.) When all queues are full, the producer waits at that node.
/// Errors:  as `partition`.
///
///     agdf::balance(requests, {server_a, server_b});
template <class A, class B, class C, class D>
void balance(Node<A, B> from, const std::vector<Node<C, D>>& to)
{
    detail::add_group("balance(from, to)", from, to, detail::EdgeLabel::balance, [](const B&, const auto& ports, std::size_t last) {
        std::size_t best = (last + 1) % ports.size();
        for (std::size_t i = 1; i < ports.size(); ++i) {
            const std::size_t other = (last + 1 + i) % ports.size();
            if (ports[other]->load() < ports[best]->load())
                best = other;
        }
        return best;
    });
}

/// The same for nodes of one type in braces.
template <class A, class B, class C, class D>
void balance(Node<A, B> from, std::initializer_list<Node<C, D>> to)
{
    balance(from, std::vector(to));
}

// Says what is wrong with other nodes in braces.
template <class A, class B>
void balance(Node<A, B>, std::initializer_list<detail::AnyNode>)
{
    static_assert(detail::never<A>,
                  "agdf::balance(from, to): the nodes in braces are of different types, or no nodes at all. Expected: one or more handles "
                  "that add_node has returned, all of which take and yield the same. Let their bodies do so.");
}

/// Draws an edge from each node of `from` to `to`, whose queue takes their items as they come. It is what plain edges do.
///
/// Errors:  as `add_edge`; if one of the edges is refused, none is drawn.
///
///     agdf::merge({north, south}, sums);
template <class A, class B, class C, class D>
void merge(const std::vector<Node<A, B>>& from, Node<C, D> to)
{
    to.blueprint().draw_all_or_none([&] {
        for (const Node<A, B>& node : from)
            (void)(node >> to);
    });
}

/// The same for nodes of one type in braces.
template <class A, class B, class C, class D>
void merge(std::initializer_list<Node<A, B>> from, Node<C, D> to)
{
    merge(std::vector(from), to);
}

// Says what is wrong with other nodes in braces.
template <class C, class D>
void merge(std::initializer_list<detail::AnyNode>, Node<C, D>)
{
    static_assert(detail::never<C>,
                  "agdf::merge(from, to): the nodes in braces are of different types, or no nodes at all. Expected: one or more handles "
                  "that add_node has returned, all of which take and yield the same. Draw an edge from each, node >> to.");
}

}  // namespace agdf
