// The workloads with oneTBB, where it is found.

#ifdef AGDF_BENCHMARK_TBB

#include "systems.hpp"

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace benchmark {

namespace {

namespace flow = oneapi::tbb::flow;

/// Runs a function with that many threads, the caller's included.
template <class Function>
void on_threads(std::size_t threads, Function function)
{
    const oneapi::tbb::global_control control{oneapi::tbb::global_control::max_allowed_parallelism, threads};
    oneapi::tbb::task_arena arena{static_cast<int>(threads)};
    arena.execute(function);
}

/// A source; `next` outlives it, since a pipeline calls it as a constant.
template <class T, class Make>
auto numbers(Int items, Int& next, Make make)
{
    return [items, &next, make](oneapi::tbb::flow_control& control) -> T {
        if (next < items)
            return make(next++);
        control.stop();
        return T{};
    };
}

Int item(Int x) { return x; }

}  // namespace

namespace tbb_graph {

namespace {

/// Messages are copied, so what is heavy is shared.
using Shared = std::shared_ptr<Payload>;

Shared make_shared_payload(Int x)
{
    Shared shared = std::make_shared<Payload>();
    shared->value = x;
    return shared;
}
template <auto function>
constexpr auto on_shared = [](const Shared& shared) {
    shared->value = function(shared->value);
    return shared;
};
Int value(Int x) { return x; }
Int value(const Shared& shared) { return shared->value; }

/// Lightweight nodes call one another. Others are tasks, and a limiter bounds how many items are under way.
template <class T, class Policy, bool limited, class Make, class First, class Second, class Third>
Int run_chain(const Setup& setup, Make make, First first, Second second, Third third)
{
    Int sum = 0;
    Int next = 0;
    on_threads(setup.threads, [&] {
        flow::graph graph;
        flow::input_node<T> source{graph, numbers<T>(setup.items, next, make)};
        flow::limiter_node<T> limiter{graph, setup.queue_size};
        flow::function_node<T, T, Policy> a{graph, flow::serial, first};
        flow::function_node<T, T, Policy> b{graph, flow::serial, second};
        flow::function_node<T, T, Policy> c{graph, flow::serial, third};
        flow::function_node<T, flow::continue_msg, Policy> sink{graph, flow::serial, [&sum](const T& item) -> flow::continue_msg {
            sum += value(item);
            return {};
        }};
        if constexpr (limited) {
            flow::make_edge(source, limiter);
            flow::make_edge(limiter, a);
            flow::make_edge(sink, limiter.decrementer());
        } else {
            flow::make_edge(source, a);
        }
        flow::make_edge(a, b);
        flow::make_edge(b, c);
        flow::make_edge(c, sink);
        source.activate();
        graph.wait_for_all();
    });
    return sum;
}

/// source -> a node of several workers -> sum
template <class Function>
Int run_work(const Setup& setup, std::size_t workers, Function function)
{
    Int sum = 0;
    Int next = 0;
    on_threads(setup.threads, [&] {
        flow::graph graph;
        flow::input_node<Int> source{graph, numbers<Int>(setup.items, next, item)};
        flow::limiter_node<Int> limiter{graph, setup.queue_size};
        flow::function_node<Int, Int> work{graph, workers, function};
        flow::function_node<Int> sink{graph, flow::serial, [&sum](Int x) -> flow::continue_msg {
            sum += x;
            return {};
        }};
        flow::make_edge(source, limiter);
        flow::make_edge(limiter, work);
        flow::make_edge(work, sink);
        flow::make_edge(sink, limiter.decrementer());
        source.activate();
        graph.wait_for_all();
    });
    return sum;
}

/// A thread that gives items back to a graph when their time has come; first in, first due.
class Timers {
public:
    using Node = flow::async_node<Int, Int>;
    using Gateway = Node::gateway_type;

    void start(Int item, Gateway& gateway)
    {
        gateway.reserve_wait();
        const std::lock_guard lock{mutex_};
        waiting_.push_back({Clock::now() + timer_delay, item, &gateway});
        if (waiting_.size() == 1)
            changed_.notify_one();
    }

private:
    using Clock = std::chrono::steady_clock;
    struct Waiting {
        Clock::time_point due;
        Int item;
        Gateway* gateway;
    };

    void run(const std::stop_token& stop)
    {
        std::unique_lock lock{mutex_};
        while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
            const Waiting first = waiting_.front();
            lock.unlock();
            std::this_thread::sleep_until(first.due);
            first.gateway->try_put(f1(first.item));
            first.gateway->release_wait();
            lock.lock();
            waiting_.pop_front();
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Waiting> waiting_;
    std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

}  // namespace

Int w1_lightweight(const Setup& setup) { return run_chain<Int, flow::lightweight, false>(setup, item, f1, f2, f3); }
Int w1_limited(const Setup& setup) { return run_chain<Int, flow::queueing, true>(setup, item, f1, f2, f3); }
Int w5(const Setup& setup)
{
    return run_chain<Shared, flow::lightweight, false>(setup, make_shared_payload, on_shared<f1>, on_shared<f2>, on_shared<f3>);
}

Int w2(const Setup& setup)
{
    Int sum = 0;
    Int next = 0;
    on_threads(setup.threads, [&] {
        flow::graph graph;
        flow::input_node<Int> source{graph, numbers<Int>(setup.items, next, item)};
        flow::function_node<Int, Int, flow::lightweight> a{graph, flow::serial, f1};
        flow::function_node<Int, Int, flow::lightweight> b{graph, flow::serial, f2};
        flow::function_node<Int, flow::continue_msg, flow::lightweight> sink{graph, flow::serial, [&sum](Int x) -> flow::continue_msg {
            sum += x;
            return {};
        }};
        flow::make_edge(source, a);
        flow::make_edge(source, b);
        flow::make_edge(a, sink);
        flow::make_edge(b, sink);
        source.activate();
        graph.wait_for_all();
    });
    return sum;
}

Int w3(const Setup& setup)
{
    Int sum = 0;
    Int next = 0;
    Timers all;
    on_threads(setup.threads, [&] {
        flow::graph graph;
        flow::input_node<Int> source{graph, numbers<Int>(setup.items, next, item)};
        flow::limiter_node<Int> limiter{graph, timers};
        Timers::Node await_timer{graph, flow::unlimited, [&all](Int x, Timers::Gateway& gateway) { all.start(x, gateway); }};
        flow::function_node<Int> sink{graph, flow::serial, [&sum](Int x) -> flow::continue_msg {
            sum += x;
            return {};
        }};
        flow::make_edge(source, limiter);
        flow::make_edge(limiter, await_timer);
        flow::make_edge(await_timer, sink);
        flow::make_edge(sink, limiter.decrementer());
        source.activate();
        graph.wait_for_all();
    });
    return sum;
}

Int w4(const Setup& setup) { return run_work(setup, setup.threads, compute); }

Int w6(const Setup& setup)
{
    using Many = flow::multifunction_node<Int, std::tuple<Int>, flow::lightweight>;
    Int sum = 0;
    Int next = 0;
    on_threads(setup.threads, [&] {
        flow::graph graph;
        flow::input_node<Int> source{graph, numbers<Int>(setup.items / outputs_per_input, next, item)};
        Many many{graph, flow::serial, [](Int x, Many::output_ports_type& ports) {
            for (Int i = 0; i < outputs_per_input; ++i)
                std::get<0>(ports).try_put(output_of(x, i));
        }};
        flow::function_node<Int, flow::continue_msg, flow::lightweight> sink{graph, flow::serial, [&sum](Int x) -> flow::continue_msg {
            sum += x;
            return {};
        }};
        flow::make_edge(source, many);
        flow::make_edge(flow::output_port<0>(many), sink);
        source.activate();
        graph.wait_for_all();
    });
    return sum;
}

Int w7(const Setup& setup)
{
    return run_work({.items = setup.items, .queue_size = setup.queue_size, .threads = blocking_calls}, blocking_calls, block);
}

}  // namespace tbb_graph

namespace tbb_pipeline {

namespace {

using oneapi::tbb::filter_mode;
using oneapi::tbb::make_filter;

template <class T, class First, class Second, class Third>
Int run_chain(const Setup& setup, First first, Second second, Third third)
{
    Int sum = 0;
    Int next = 0;
    on_threads(setup.threads, [&] {
        constexpr auto serial = filter_mode::serial_in_order;
        oneapi::tbb::parallel_pipeline(setup.queue_size, make_filter<void, T>(serial, numbers<T>(setup.items, next, make_item<T>)) &
                                                             make_filter<T, T>(serial, first) & make_filter<T, T>(serial, second) &
                                                             make_filter<T, T>(serial, third) &
                                                             make_filter<T, void>(serial, [&sum](const T& x) { sum += value_of(x); }));
    });
    return sum;
}

}  // namespace

Int w1(const Setup& setup) { return run_chain<Int>(setup, f1, f2, f3); }
Int w5(const Setup& setup) { return run_chain<Heavy>(setup, on_payload<f1>, on_payload<f2>, on_payload<f3>); }

Int w4(const Setup& setup)
{
    Int sum = 0;
    Int next = 0;
    on_threads(setup.threads, [&] {
        oneapi::tbb::parallel_pipeline(setup.queue_size,
                                       make_filter<void, Int>(filter_mode::serial_in_order, numbers<Int>(setup.items, next, item)) &
                                           make_filter<Int, Int>(filter_mode::parallel, &compute) &
                                           make_filter<Int, void>(filter_mode::serial_in_order, [&sum](Int x) { sum += x; }));
    });
    return sum;
}

}  // namespace tbb_pipeline

}  // namespace benchmark

#endif
