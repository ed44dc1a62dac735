#pragma once

// Floor 3: what a dead-letter node gets.

#include <agdf/detail/callable.hpp>
#include <agdf/detail/config.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>

namespace agdf {

/// An item that failed for good, and all that is known about it; it flows along an error edge.
///
///     graph.add_error_edge(parse, graph.add_node("rejects", [](agdf::Failed<std::string> line) {
///         fmt::print("{}: {} ({} attempts)\n", line.item, agdf::describe(line.error), line.attempts);
///     }));
template <class I>
struct Failed {
    I item;                                      ///< as it came to the node
    std::string node;                            ///< the node where it failed
    std::exception_ptr error;                    ///< what the last attempt threw
    std::size_t attempts = 1;                    ///< how often it was tried
    std::chrono::system_clock::time_point time;  ///< when it failed for good: with an order, when its turn had come
};

/// The failure of a source, or of a body that takes nothing.
template <>
struct Failed<void> {
    std::string node;
    std::exception_ptr error;
    std::size_t attempts = 1;
    std::chrono::system_clock::time_point time;
};

namespace detail {

template <class I, class... Seen>
struct Copies<Failed<I>, Seen...> : std::bool_constant<std::is_void_v<I> || copies_within<I, Seen...>> {};

template <class T>
struct IsFailed {
    static constexpr bool value = false;
};
template <class I>
struct IsFailed<Failed<I>> {
    static constexpr bool value = true;
    using Item = I;
};

}  // namespace detail

}  // namespace agdf
