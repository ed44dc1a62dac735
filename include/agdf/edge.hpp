#pragma once

// Floor 3: what an edge may do with an item on its way, and which items fit where.

#include <agdf/concepts.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace agdf {

/// A predicate on an edge; made by `agdf::where`.
template <class Predicate>
struct Where {
    Predicate predicate;
};

/// A function on an edge; made by `agdf::map`.
template <class Function>
struct Map {
    Function function;
};

/// Lets only the items through for which `predicate(const Item&)` is true. The others are not offered to the node
/// behind the edge, and not counted there.
///
/// Errors:         what the predicate throws is an error of the item that the edge's source works on; a stream ends at its
///                 `co_yield` then. A source and a body that sees its whole stream lose that output alone, and go on.
/// Thread-safety:  called wherever the source's workers run.
///
///     graph.add_edge(orders, express, agdf::where([](const Order& order) { return order.express; }));
template <class Predicate>
[[nodiscard]] Where<std::decay_t<Predicate>> where(Predicate&& predicate)
{
    return {std::forward<Predicate>(predicate)};
}

/// Turns each item into what `function(Item)` returns.
///
/// A function that takes `Item&&` gets a copy, or the item itself if no edge was drawn after this one.
///
/// Errors, Thread-safety: as `where`.
///
///     graph.add_edge(orders, mailer, agdf::map([](const Order& order) { return order.email; }));
template <class Function>
[[nodiscard]] Map<std::decay_t<Function>> map(Function&& function)
{
    return {std::forward<Function>(function)};
}

namespace detail {

/// The edge as it is, without `where` or `map`.
struct Plain {};

template <class Shape>
struct IsWhere : std::false_type {};
template <class Predicate>
struct IsWhere<Where<Predicate>> : std::true_type {};
template <class Shape>
struct IsMap : std::false_type {};
template <class Function>
struct IsMap<Map<Function>> : std::true_type {};

// A small copyable class made from a class that owns something (string to string_view, vector to span) would point
// into an item that is gone by the time it is used; so would a reference in a tuple.
template <class To, class From>
concept Borrows = (std::is_class_v<To> && std::is_trivially_copyable_v<To> && !std::is_trivially_copyable_v<From>) ||
                  (std::is_reference_v<To> && !std::is_reference_v<From>);

template <class To, class From>
struct ConvertsWithin : std::bool_constant<KeepsArithmetic<To, From> && !Borrows<To, From>> {};
template <class To, class From>
struct ConvertsWithin<std::optional<To>, From> : ConvertsWithin<To, From> {};
template <class To, class From>
struct ConvertsWithin<std::optional<To>, std::optional<From>> : ConvertsWithin<To, From> {};
template <class To>
struct ConvertsWithin<std::optional<To>, std::nullopt_t> : std::true_type {};
template <class... A, class From>
struct ConvertsWithin<std::variant<A...>, From>
    : std::bool_constant<(std::is_same_v<A, From> || ...) || ((!std::is_convertible_v<From, A> || !Borrows<A, From>) && ...)> {};

// Of two tuples each element is looked at; std::tuple itself would convert a double to an int.
template <class From, class To>
concept ConvertsSafely =
    std::is_same_v<From, To> || (!(IsTupleLike<From>::value && IsTupleLike<To>::value) && std::is_convertible_v<From, To> &&
                                 !Borrows<To, From> && ConvertsWithin<To, From>::value);

template <class From, class To, class = void>
struct ElementsFit : std::false_type {};
template <class From, class To>
struct ElementsFit<From, To,
                   std::enable_if_t<IsTupleLike<From>::value && IsTupleLike<To>::value &&
                                    std::tuple_size<From>::value == std::tuple_size<To>::value>> {
    template <std::size_t... N>
    static constexpr bool all(std::index_sequence<N...>)
    {
        return (ConvertsSafely<std::tuple_element_t<N, From>, std::tuple_element_t<N, To>> && ...);
    }
    static constexpr bool value = all(std::make_index_sequence<std::tuple_size<To>::value>{});
};

/// An item as a whole fits a node.
template <class From, class To>
concept FitsWhole = ConvertsSafely<From, To> || ElementsFit<From, To>::value;

constexpr std::size_t no_alternative = std::numeric_limits<std::size_t>::max();

/// Which alternative of a variant goes along an edge to a node that takes `To`: the one of that type, else the only one that
/// fits. A node that takes the variant itself gets them all.
template <class From, class To>
struct AlternativeFor {
    static constexpr bool exists = false;
    static constexpr std::size_t index = no_alternative;
};
template <class... A, class To>
    requires(!FitsWhole<std::variant<A...>, To>)
struct AlternativeFor<std::variant<A...>, To> {
    static constexpr std::size_t index = [] {
        constexpr bool same[] = {std::is_same_v<A, To>...};
        constexpr bool fits[] = {FitsWhole<A, To>...};
        for (const bool* const matches : {same, fits}) {
            std::size_t found = no_alternative;
            std::size_t count = 0;
            for (std::size_t i = 0; i < sizeof...(A); ++i)
                if (matches[i]) {
                    found = i;
                    ++count;
                }
            if (count == 1)
                return found;
        }
        return no_alternative;
    }();
    static constexpr bool exists = index != no_alternative;
};

}  // namespace detail

/// Whether items of type `From` can flow into a node that takes `To`: the same type, a conversion that loses nothing and
/// borrows nothing, a tuple with such elements, a variant with such an alternative (the edge passes only the items that
/// hold it), or a node that takes nothing (`void`). Nothing flows from a node that yields nothing.
///
///     static_assert(agdf::FlowsInto<std::variant<int, std::string>, int>);
///     static_assert(agdf::FlowsInto<int, long>);
///     static_assert(agdf::FlowsInto<std::pair<int, int>, std::tuple<int, long>>);
///     static_assert(!agdf::FlowsInto<double, int>);
///     static_assert(!agdf::FlowsInto<std::string, std::string_view>);  // would dangle
///     static_assert(!agdf::FlowsInto<double, std::optional<int>>);     // would lose digits
///     static_assert(!agdf::FlowsInto<void, void>);
template <class From, class To>
concept FlowsInto =
    !std::is_void_v<From> && (std::is_void_v<To> || detail::FitsWhole<From, To> || detail::AlternativeFor<From, To>::exists);

namespace detail {

/// Makes the item that a node takes from one that another yields; the latter is moved from if it is an rvalue.
template <class To, class From>
[[nodiscard]] Stored<To> convert(From&& item)
{
    using Source = std::remove_cvref_t<From>;
    if constexpr (std::is_void_v<To>)
        return Unit{};
    else if constexpr (std::is_same_v<Source, To> || ConvertsSafely<Source, To>)
        return std::forward<From>(item);
    else if constexpr (AlternativeFor<Source, To>::exists)
        return convert<To>(std::get<AlternativeFor<Source, To>::index>(std::forward<From>(item)));
    else
        return [&]<std::size_t... N>(std::index_sequence<N...>) -> To {
            using std::get;
            return To{static_cast<std::tuple_element_t<N, To>>(get<N>(std::forward<From>(item)))...};
        }(std::make_index_sequence<std::tuple_size<To>::value>{});
}

}  // namespace detail

}  // namespace agdf
