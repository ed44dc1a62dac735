#pragma once

// Floor 2: node bodies with a state of their own for each worker.

#include <agdf/concepts.hpp>

#include <type_traits>
#include <utility>

namespace agdf {

/// A function that makes node bodies; made by `agdf::per_worker`.
template <class Make>
class PerWorker {
public:
    explicit PerWorker(Make make) : make_(std::move(make)) {}

    [[nodiscard]] auto operator()() { return make_(); }

private:
    Make make_;
};

/// Returns a body that `make` makes anew for each worker of the node, in each run; so a body with several workers can keep
/// a connection, a buffer or a parser without sharing it.
///
/// Shape:          `make()` returns any node body, which is then the node's shape.
/// Errors:         what `make` throws halts the run before any item flows, as a `setup` does.
/// Resumes:        `make` is called on a strand of the graph, after the node's `setup`; the bodies are destroyed before its
///                 `teardown`.
///
///     auto make = [] { return [parser = Parser{}](std::string text) mutable { return parser.parse(text); }; };
///     graph.add_node("parse", agdf::per_worker(make), {.workers = 4});
template <class Make>
[[nodiscard]] auto per_worker(Make&& make)
{
    using Maker = std::decay_t<Make>;
    constexpr bool callable = std::is_invocable_v<Maker&> && std::is_copy_constructible_v<Maker>;
    static_assert(callable,
                  "agdf::per_worker(make): make cannot be called without arguments, or cannot be copied. Expected: a copyable callable "
                  "that takes nothing and returns a node body. Wrap the body, [] { return body; }.");
    if constexpr (callable)
        return PerWorker<Maker>{std::forward<Make>(make)};
    else
        return detail::Refused{};
}

}  // namespace agdf
