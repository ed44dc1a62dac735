// How the cost of an agdf graph grows with what it is made of.

#include "systems.hpp"

#include <agdf/agdf.hpp>

#include <fmt/core.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>
#include <vector>

#include <malloc.h>

namespace benchmark::with_agdf {

namespace {

using namespace std::chrono_literals;

agdf::Stream<Int> numbers(Int items)
{
    for (Int i = 0; i < items; ++i)
        co_yield i;
}

/// Starts the meter when all workers of the graph have been started and wait, and ends them only when the meter has been stopped.
agdf::Stream<Int> metered_numbers(Int items, Meter* meter)
{
    co_await agdf::sleep_for(50ms);
    meter->start();
    for (Int i = 0; i < items; ++i)
        co_yield i;
    co_await agdf::sleep_for(50ms);
}

/// A sum that stops the meter when it is complete.
struct MeteredSum {
    void add(Int x)
    {
        sum += x;
        if (++added == items)
            meter.stop();
    }

    Int items;
    Meter& meter;
    Int sum = 0;
    Int added = 0;
};

/// All that has been allocated and not freed, whoever did it; Asio's frames do not come from operator new.
double bytes_in_use()
{
    const auto info = mallinfo2();
    if (info.uordblks == 0)
        throw std::runtime_error("mallinfo2 says that nothing is allocated. Expected: glibc's own allocator. Do not replace it, or leave "
                                 "this measurement out with --filter.");
    return static_cast<double>(info.uordblks + info.hblkhd);
}

/// What is in use while a node's workers all wait for the source.
double bytes_with_workers(std::size_t workers)
{
    double bytes = 0;
    asio::io_context io;
    agdf::Graph graph{io};
    auto source = [&bytes]() -> agdf::Stream<Int> {
        co_await agdf::sleep_for(10ms);
        bytes = bytes_in_use();
    };
    graph.add_node("source", source) >> graph.add_node("work", f1, {.workers = workers}) >> graph.add_node("sum", [](Int) {});
    graph.run().throw_if_failed();
    return bytes;
}

constexpr std::size_t layer = 100;

/// What is in use between two layers of nodes at rest: each has `edges` from the first layer, or to the second one.
double bytes_with_edges(std::size_t edges)
{
    double bytes = 0;
    asio::io_context io;
    agdf::Graph graph{io};
    auto source = [&bytes]() -> agdf::Stream<Int> {
        co_await agdf::sleep_for(10ms);
        if (bytes == 0)
            bytes = bytes_in_use();
    };
    std::vector<agdf::Node<void, Int>> sources;
    std::vector<agdf::Node<Int, void>> sinks;
    for (std::size_t i = 0; i < layer; ++i) {
        sources.push_back(graph.add_node(fmt::format("source {}", i), source));
        sinks.push_back(graph.add_node(fmt::format("sink {}", i), [](Int) {}));
    }
    for (std::size_t i = 0; i < layer; ++i)
        for (std::size_t j = 0; j < edges; ++j)
            graph.add_edge(sources[i], sinks[(i + j) % layer]);
    graph.run().throw_if_failed();
    return bytes;
}

}  // namespace

Int chain(Int items, std::size_t hops, Meter& meter)
{
    asio::io_context io;
    agdf::Graph graph{io};
    MeteredSum sum{items, meter};
    auto last = graph.add_node("source", [items, &meter] { return metered_numbers(items, &meter); });
    for (std::size_t i = 1; i < hops; ++i)
        last = last >> graph.add_node(fmt::format("step {}", i), f1);
    last >> graph.add_node("sum", [&sum](Int x) { sum.add(x); });
    graph.run().throw_if_failed();
    return sum.sum;
}

Int many_workers(Int items, std::size_t workers, Meter& meter)
{
    asio::io_context io;
    agdf::Graph graph{io};
    MeteredSum sum{items, meter};
    auto source = graph.add_node("source", [items, &meter] { return metered_numbers(items, &meter); });
    source >> graph.add_node("first", f1) >> graph.add_node("second", f2, {.workers = workers}) >> graph.add_node("third", f3) >>
        graph.add_node("sum", [&sum](Int x) { sum.add(x); });
    graph.run().throw_if_failed();
    return sum.sum;
}

namespace {

/// W1 while another thread wakes each millisecond, and perhaps looks.
template <bool looks>
Int w1_beside_a_thread(const Setup& setup)
{
    asio::io_context io;
    agdf::Graph graph{io};
    Int sum = 0;
    graph.add_node("source", [items = setup.items] { return numbers(items); }) >> graph.add_node("first", f1) >>
        graph.add_node("second", f2) >> graph.add_node("third", f3) >> graph.add_node("sum", [&sum](Int x) { sum += x; });
    const std::jthread watcher{[&graph](const std::stop_token& stop) {
        for (; !stop.stop_requested(); std::this_thread::sleep_for(1ms))
            if (looks && graph.stats().size() != 5)
                std::terminate();
    }};
    graph.run().throw_if_failed();
    return sum;
}

}  // namespace

Int w1_watched(const Setup& setup) { return w1_beside_a_thread<true>(setup); }
Int w1_unwatched(const Setup& setup) { return w1_beside_a_thread<false>(setup); }

Int producer_ahead(Int items)
{
    asio::io_context io;
    agdf::Graph graph{io};
    Int sum = 0;
    auto source = [items]() -> agdf::Stream<Heavy> {
        for (Int i = 0; i < items; ++i)
            co_yield make_heavy(i);
    };
    auto sink = [&sum](Heavy heavy) -> asio::awaitable<void> {
        sum += heavy->value;
        if (heavy->value % 1'000 == 0)
            co_await agdf::sleep_for(1ms);
    };
    graph.add_node("source", source) >> graph.add_node("sum", sink);
    graph.run().throw_if_failed();
    return sum;
}

double bytes_of_an_idle_worker()
{
    constexpr std::size_t more = 10'000;
    const double few = bytes_with_workers(1);
    return (bytes_with_workers(1 + more) - few) / static_cast<double>(more);
}

double bytes_of_an_idle_edge()
{
    const double few = bytes_with_edges(1);
    return (bytes_with_edges(layer) - few) / static_cast<double>(layer * (layer - 1));
}

Int long_chain(Int nodes)
{
    asio::io_context io;
    agdf::Graph graph{io};
    Int sum = 0;
    auto last = graph.add_node("source", [] { return numbers(1); });
    for (Int i = 2; i < nodes; ++i)
        last = last >> graph.add_node(fmt::format("step {}", i), f1);
    last >> graph.add_node("sum", [&sum](Int x) { sum += x; });
    graph.run().throw_if_failed();
    return sum;
}

Int build_edges(Int nodes)
{
    asio::io_context io;
    agdf::Graph graph{io};
    std::vector<agdf::Node<Int, Int>> all;
    for (Int i = 0; i < nodes; ++i)
        all.push_back(graph.add_node(fmt::format("node {}", i), f1));
    Int edges = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = i + 1; j < all.size() && j <= i + 10; ++j, ++edges)
            graph.add_edge(all[i], all[j]);
    return edges;
}

}  // namespace benchmark::with_agdf
