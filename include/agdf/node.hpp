#pragma once

// Floor 4: the handle of a node, or of a chain of nodes.

#include <agdf/edge.hpp>
#include <agdf/options.hpp>

#include <cstddef>

namespace agdf {

namespace detail {
class Blueprint;

template <class Out, class In>
constexpr void check_edge()
{
    static_assert(!std::is_void_v<Out>,
                  "agdf::Graph::add_edge(from, to): node 'from' yields nothing, it is a sink. Expected: a node whose body "
                  "returns Stream<O>, asio::awaitable<O> or O. Let its body return what 'to' shall get.");
    if constexpr (!std::is_void_v<Out>) {
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

}  // namespace agdf
