#pragma once

// Floor 4: the handle of a node, or of a chain of nodes.

#include <agdf/edge.hpp>
#include <agdf/options.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace agdf {

namespace detail {
class Blueprint;

template <class Out, class In>
constexpr void check_edge()
{
    static_assert(!std::is_void_v<Out>,
                  "agdf::Graph::add_edge(from, to): node 'from' yields nothing, it is a sink. Expected: a node whose body "
                  "returns Stream<O>, asio::awaitable<O> or O. Let its body return what 'to' shall get.");
    if constexpr (!std::is_void_v<Out> && !is_refused<Out, In>) {
        constexpr bool fits = FlowsInto<Out, In>;  // not the concept itself, on which compilers would go on for a page
        static_assert(fits,
                      "agdf::Graph::add_edge(from, to): what node 'from' yields does not fit node 'to'. Expected: the "
                      "same type, or one that converts without loss (see agdf::FlowsInto). Change one of the bodies, or "
                      "put agdf::map(function) on the edge.");
    }
}
}  // namespace detail

/// Names a node of a graph, or a chain of them, that takes `In` and yields `Out` (`void` = nothing).
///
/// It is a small value: copy it freely. It is valid for as long as its graph.
template <class In, class Out>
class Node {
public:
    using input_type = In;
    using output_type = Out;

    Node(detail::Blueprint& blueprint, std::size_t first, std::size_t last) noexcept
        : blueprint_(&blueprint), first_(first), last_(last)
    {
    }

    /// For the library: where the node is.
    [[nodiscard]] detail::Blueprint& blueprint() const noexcept { return *blueprint_; }
    [[nodiscard]] std::size_t first() const noexcept { return first_; }
    [[nodiscard]] std::size_t last() const noexcept { return last_; }

private:
    detail::Blueprint* blueprint_;
    std::size_t first_;
    std::size_t last_;
};

/// Names a node whose body has several receivers: as a Node it stands for the first of them, and `input<N>()` names the
/// queue of another.
///
///     auto zipped = graph.add_node("zip", agdf::zip<int, std::string>());
///     graph.add_edge(numbers, zipped.input<0>());
///     graph.add_edge(words, zipped.input<1>());
template <class Out, class In, class... More>
class NodeWithInputs : public Node<In, Out> {
public:
    NodeWithInputs(detail::Blueprint& blueprint, std::size_t index, std::array<std::size_t, sizeof...(More)> more) noexcept
        : Node<In, Out>(blueprint, index, index), more_(more)
    {
    }

    /// @return  A handle for an edge to one of the inputs; what comes out of it is what the node yields.
    template <std::size_t N>
    [[nodiscard]] auto input() const noexcept
    {
        static_assert(N <= sizeof...(More), "agdf::NodeWithInputs::input<N>(): the node has fewer inputs. Expected: a number from 0, "
                                            "below the number of receivers of its body. Take one of these.");
        using Item = std::tuple_element_t<N, std::tuple<In, More...>>;
        std::size_t first = this->first();
        if constexpr (N > 0)
            first = more_[N - 1];
        return Node<Item, Out>{this->blueprint(), first, this->last()};
    }

private:
    std::array<std::size_t, sizeof...(More)> more_;
};

namespace detail {

template <class T>
constexpr bool is_handle = requires(const T& handle) { []<class In, class Out>(const Node<In, Out>&) {}(handle); };

template <class T>
constexpr bool is_name = std::is_convertible_v<const T&, std::string_view> || std::is_convertible_v<T&, std::string_view> ||
                         std::is_convertible_v<T, std::string_view>;

/// Neither two handles nor two names.
template <class From, class To>
constexpr bool is_no_edge = !(is_handle<From> && is_handle<To>) && !(is_name<From> && is_name<To>);

}  // namespace detail

}  // namespace agdf
