#pragma once

// Floor 6: a graph as a picture.

#include <agdf/graph.hpp>

#include <string>

namespace agdf {

namespace detail {

// Templates, so that they cost the build of those programs only that use them.
template <class Core>
[[nodiscard]] std::string draw_mermaid(const Core& core);
template <class Core>
[[nodiscard]] std::string draw_dot(const Core& core);

}  // namespace detail

/// Returns the graph as a Mermaid flowchart, with each node's counts once there has been a run.
///
/// Thread-safety: as `Graph::stats`, as long as nobody changes the graph meanwhile.
///
///     fmt::print("{}", agdf::to_mermaid(graph));
template <class Executor>
[[nodiscard]] std::string to_mermaid(const Graph<Executor>& graph)
{
    return detail::draw_mermaid(*graph.core());
}

/// Returns the graph in the DOT language of Graphviz, with each node's counts once there has been a run.
///
/// Thread-safety: as `to_mermaid`.
template <class Executor>
[[nodiscard]] std::string to_dot(const Graph<Executor>& graph)
{
    return detail::draw_dot(*graph.core());
}

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/picture.ipp>
#endif
