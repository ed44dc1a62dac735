#pragma once

// Floor 4: what is said of a body that is none.

#include <agdf/concepts.hpp>

#include <type_traits>

namespace agdf::detail {

/// Whether somebody has called a coroutine instead of handing it over.
template <class T>
constexpr bool is_call_result = false;
template <class O>
constexpr bool is_call_result<Stream<O>> = true;
template <class O, class Executor>
constexpr bool is_call_result<asio::awaitable<O, Executor>> = true;

/// Says in one sentence what is wrong with a body; the most basic fault first, and only one.
template <class B, class Traits>
consteval bool check_body()
{
    constexpr bool result = is_call_result<B>;
    static_assert(!result,
                  "agdf::Graph::add_node(name, body): the body is the Stream or asio::awaitable that a call has returned. Expected: the "
                  "function itself, which is called for each item, or for each run. Pass it without its parentheses.");
    using Fit = BodyFit<Traits>;
    static_assert(result || Fit::known,
                  "agdf::Graph::add_node(name, body): the input type of the body cannot be read off it; it is a generic "
                  "lambda, an overloaded function object, a std::ref, a pointer to a member, or not callable at all. Expected: a "
                  "function, or a lambda with plain parameter types. Name the type, add_node<In>(name, body), or write it "
                  "into the parameter.");
    static_assert(result || !Fit::known || Fit::passes,
                  "agdf::Graph::add_node(name, body): the body cannot be called with its item. Expected: Stream<O>(I), "
                  "asio::awaitable<O>(I), O(I), or the same with Receiver<I>, with the elements of a tuple, or with no "
                  "parameter. Take the item by value or by const reference.");
    static_assert(!Fit::mixes,
                  "agdf::Graph::add_node(name, body): the body takes a Receiver beside something else, or by reference. "
                  "Expected: receivers alone, by value. Bring what else it needs by capture, or as one more Receiver.");
    static_assert(Fit::coroutine,
                  "agdf::Graph::add_node(name, body): the body returns an asio::awaitable with an executor of its own. "
                  "Expected: asio::awaitable<O>, with the default executor. Drop the second template argument.");
    static_assert(Fit::items,
                  "agdf::Graph::add_node(name, body): the body takes or returns a type that cannot travel between nodes. "
                  "Expected: an object type that can be moved. Wrap it in a std::unique_ptr or std::shared_ptr.");
    static_assert(Fit::pool,
                  "agdf::Graph::add_node(name, blocking(body)): the body is a coroutine, or takes a Receiver. Expected: a "
                  "plain function O(I), std::optional<O>(I) or void(I), since it runs in the thread pool. Drop "
                  "blocking(…), and co_await agdf::run_blocking(f) where it blocks.");
    static_assert(Fit::whole,
                  "agdf::Graph::add_node(name, body): the body takes a Receiver but is a plain function, which cannot await "
                  "its items. Expected: Stream<O>(Receiver<I>) or asio::awaitable<void>(Receiver<I>). Make it a coroutine.");
    return !result && Fit::all;
}

/// What was refused when it was made.
template <class B, class Traits>
    requires(is_refused<typename Traits::F>)
consteval bool check_body()
{
    return false;
}

}  // namespace agdf::detail
