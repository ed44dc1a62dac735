#pragma once

// Testing: one node body, alone.

#include <agdf/graph.hpp>
#include <agdf/range.hpp>
#include <agdf/run.hpp>
#include <agdf/testing/virtual_time.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <deque>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf {

namespace testing {

/// What a body did with the items that a probe gave it.
template <class Out>
struct ProbeResult {
    std::vector<agdf::detail::Stored<Out>> outputs;  ///< what it yielded; empty for a body that yields nothing
    std::vector<std::exception_ptr> errors;          ///< of the items that failed, oldest first
    std::vector<std::string> error_texts;            ///< the same as texts, see `describe`
    std::vector<std::chrono::steady_clock::duration> sleeps;  ///< see `VirtualTime::sleeps`
    std::chrono::nanoseconds elapsed{};              ///< in virtual time
    NodeStats stats;                                 ///< of the node, whose name is "probe"
    Outcome outcome = Outcome::completed;
};

}  // namespace testing

namespace detail {

/// Items for a body whose input type is not known, so that it is not these of which the compiler complains.
struct AnyItems {
    template <class... Items>
    AnyItems(Items&&...)
    {
    }
};

/// Items of one type. It is not made from a vector's own parentheses, or {"a", "b"} would be a range of two pointers.
template <class T>
struct ProbeList {
    ProbeList() = default;
    ProbeList(std::initializer_list<T> list)
        requires std::copy_constructible<T>
        : items(list)
    {
    }
    ProbeList(std::vector<T> vector) noexcept : items(std::move(vector)) {}

    std::vector<T> items;
};

template <class Body, class Given>
using ProbeTraits = BodyTraits<std::decay_t<Body>, Given>;

/// What a probe is given: the body's items, in braces or as a vector.
template <class Body, class Given = Deduce>
using ProbeItems = std::conditional_t<ProbeTraits<Body, Given>::known_signature,
                                      ProbeList<Stored<typename ProbeTraits<Body, Given>::In>>, AnyItems>;

template <class Given, class Body, class Items>
[[nodiscard]] auto run_probe(Body&& body, [[maybe_unused]] Items given, NodeOptions options)
{
    using Traits = ProbeTraits<Body, Given>;
    using In = typename Traits::In;
    using Out = typename Traits::Out;
    auto& items = given.items;
    asio::io_context io;
    const testing::VirtualTime time{io};
    Graph graph{io, {.max_exceptions = std::max<std::size_t>(1'000, items.size()), .log = [](LogLevel, std::string_view) {}}};
    const auto node = [&] {
        if constexpr (std::is_same_v<Given, Deduce>)
            return graph.add_node("probe", std::forward<Body>(body), options);
        else
            return graph.template add_node<Given>("probe", std::forward<Body>(body), options);
    }();
    if constexpr (!std::is_void_v<In>) {
        // A deque, since the elements of a std::vector<bool> are none.
        std::deque<In> kept(std::move_iterator(items.begin()), std::move_iterator(items.end()));
        graph.add_edge(graph.add_node("items", from_range(std::move(kept))), node);
    }
    testing::ProbeResult<Out> result;
    if constexpr (!std::is_void_v<Out>)
        graph.add_edge(node, graph.add_node("outputs", collect(result.outputs)));

    const RunReport report = graph.run();
    result.errors = report.exceptions("probe");
    for (const std::exception_ptr& error : result.errors)
        result.error_texts.push_back(describe(error));
    result.sleeps = time.sleeps();
    result.elapsed = report.elapsed;
    result.stats = report.node("probe");
    result.outcome = report.outcome;
    return result;
}

}  // namespace detail

namespace testing {

/// Runs one body on some items, in a graph of its own and in virtual time, and returns all that it did.
///
/// Shape:          any body that `Graph::add_node` takes. One that takes a Receiver sees the items as its stream; one
///                 that takes nothing is called once, as a source.
/// Errors:         throws GraphError if an option is out of range. What the body throws is in the result.
/// Thread-safety:  the body runs on the calling thread, but for `blocking`. Not to be called in a coroutine, which it
///                 would hold up.
///
///     auto result = agdf::testing::probe(parse, {"1", "x"});
///     REQUIRE(result.outputs == std::vector{1});
///     REQUIRE(result.error_texts == std::vector<std::string>{"not a number: x"});
template <class Body>
[[nodiscard]] auto probe(Body&& body, agdf::detail::ProbeItems<Body> items = {}, NodeOptions options = {})
{
    constexpr bool known = agdf::detail::ProbeTraits<Body, agdf::detail::Deduce>::known_signature;
    static_assert(known,
                  "agdf::testing::probe(body, items): the input type of the body cannot be read off it; it is a generic lambda, "
                  "an overloaded function object, or not callable at all. Expected: a function, or a lambda with plain "
                  "parameter types. Name the type, probe<In>(body, items), or write it into the parameter.");
    if constexpr (known)
        return agdf::detail::run_probe<agdf::detail::Deduce>(std::forward<Body>(body), std::move(items), options);
}

/// The same for a body whose input type has to be given, as with `add_node<In>`.
///
///     auto result = agdf::testing::probe<int>([](auto x) { return 2 * x; }, {1, 2});
template <class In, class Body>
    requires(!std::same_as<std::remove_cvref_t<In>, std::remove_cvref_t<Body>>)
[[nodiscard]] auto probe(Body&& body, agdf::detail::ProbeItems<Body, In> items = {}, NodeOptions options = {})
{
    return agdf::detail::run_probe<In>(std::forward<Body>(body), std::move(items), options);
}

}  // namespace testing

}  // namespace agdf
