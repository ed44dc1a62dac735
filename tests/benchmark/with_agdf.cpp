// The workloads as graphs of agdf.

#include "systems.hpp"

#include <agdf/agdf.hpp>

#include <string>
#include <utility>

namespace benchmark::with_agdf {

namespace {

template <class T>
agdf::Stream<T> numbers(Int items)
{
    for (Int i = 0; i < items; ++i)
        co_yield make_item<T>(i);
}

/// source -> first -> second -> third -> sum
template <class T, class First, class Second, class Third>
Int run_chain(const Setup& setup, First first, Second second, Third third)
{
    asio::io_context io;
    agdf::Graph graph{io, {.threads = setup.threads}};
    Int sum = 0;
    const agdf::NodeOptions options{.queue_size = setup.queue_size};
    auto source = graph.add_node("source", [items = setup.items] { return numbers<T>(items); });
    auto sink = graph.add_node("sum", [&sum](T item) { sum += value_of(item); }, options);
    source >> graph.add_node("first", first, options) >> graph.add_node("second", second, options) >>
        graph.add_node("third", third, options) >> sink;
    graph.run().throw_if_failed();
    return sum;
}

/// source -> work -> sum
template <class Body>
Int run_work(Int items, Body body, agdf::NodeOptions work, agdf::GraphOptions options = {})
{
    asio::io_context io;
    agdf::Graph graph{io, std::move(options)};
    Int sum = 0;
    graph.add_node("source", [items] { return numbers<Int>(items); }) >> graph.add_node("work", std::move(body), std::move(work)) >>
        graph.add_node("sum", [&sum](Int x) { sum += x; });
    graph.run().throw_if_failed();
    return sum;
}

template <auto function>
agdf::Stream<Int> stream_of(Int x)
{
    const Int y = function(x);
    co_yield y;
}

template <auto function>
asio::awaitable<Int> awaitable_of(Int x)
{
    co_return function(x);
}

asio::awaitable<Int> after_a_timer(Int x)
{
    co_await agdf::sleep_for(timer_delay);
    co_return f1(x);
}

agdf::Stream<Int> many_outputs(Int x)
{
    for (Int i = 0; i < outputs_per_input; ++i)
        co_yield output_of(x, i);
}

}  // namespace

Int w1(const Setup& setup) { return run_chain<Int>(setup, f1, f2, f3); }
Int w1_stream(const Setup& setup) { return run_chain<Int>(setup, stream_of<f1>, stream_of<f2>, stream_of<f3>); }
Int w1_awaitable(const Setup& setup) { return run_chain<Int>(setup, awaitable_of<f1>, awaitable_of<f2>, awaitable_of<f3>); }
Int w5(const Setup& setup) { return run_chain<Heavy>(setup, on_payload<f1>, on_payload<f2>, on_payload<f3>); }

Int w2(const Setup& setup)
{
    asio::io_context io;
    agdf::Graph graph{io, {.threads = setup.threads}};
    Int sum = 0;
    auto source = graph.add_node("source", [items = setup.items] { return numbers<Int>(items); });
    auto sink = graph.add_node("sum", [&sum](Int x) { sum += x; });
    source >> graph.add_node("first", f1) >> sink;
    source >> graph.add_node("second", f2) >> sink;
    graph.run().throw_if_failed();
    return sum;
}

Int w3(const Setup& setup) { return run_work(setup.items, after_a_timer, {.workers = timers}); }
Int w4(const Setup& setup) { return run_work(setup.items, compute, {.workers = setup.threads}, {.threads = setup.threads}); }
Int w6(const Setup& setup) { return run_work(setup.items / outputs_per_input, many_outputs, {}); }

// The threads bound the calls; with more workers than that the next call is ready when a thread is free.
Int w7(const Setup& setup)
{
    const auto blocking_call = agdf::blocking([](Int x) { return block(x); });
    return run_work(setup.items, blocking_call, {.workers = 2 * blocking_calls}, {.blocking_threads = blocking_calls});
}

}  // namespace benchmark::with_agdf
