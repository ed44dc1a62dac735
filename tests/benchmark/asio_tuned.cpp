// The workloads with Asio's channels, as an expert tunes them: try first and await only if that fails, executors of
// concrete types, no strand where a coroutine is on its own anyway, timers that are used again.

#include "systems.hpp"

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/experimental/concurrent_channel.hpp>

#include <utility>

namespace benchmark::asio_tuned {

namespace {

constexpr Int end_of_stream = -1;  // for a worker that shares its channel with others

struct OneThread {
    using Executor = asio::io_context::executor_type;
    template <class T>
    using Channel = asio::experimental::channel<Executor, void(asio::error_code, T)>;

    explicit OneThread(std::size_t = 1) {}
    Executor executor() { return io.get_executor(); }
    void run() { io.run(); }

    asio::io_context io{1};
};

struct ManyThreads {
    using Executor = asio::thread_pool::executor_type;
    template <class T>
    using Channel = asio::experimental::concurrent_channel<Executor, void(asio::error_code, T)>;

    explicit ManyThreads(std::size_t threads) : pool(threads) {}
    Executor executor() { return pool.get_executor(); }
    void run() { pool.join(); }

    asio::thread_pool pool;
};

template <class Context>
using Task = asio::awaitable<void, typename Context::Executor>;
template <class Context>
constexpr asio::use_awaitable_t<typename Context::Executor> use_task{};
template <class Context, class T>
using Channel = typename Context::template Channel<T>;

template <class T, class In>
bool try_receive(In& in, T& into)
{
    return in.try_receive([&into](asio::error_code, T item) { into = std::move(item); });
}

template <class T, class Out>
bool try_send(Out& out, T& item)
{
    return out.try_send(asio::error_code{}, std::move(item));  // left alone if there is no room
}

template <class X, class T>
Task<X> send_numbers(Channel<X, T>& out, Int items, std::size_t readers = 0)
{
    const Int all = items + static_cast<Int>(readers);
    for (Int i = 0; i < all; ++i) {
        T item = make_item<T>(i < items ? i : end_of_stream);
        if (!try_send(out, item))
            co_await out.async_send(asio::error_code{}, std::move(item), use_task<X>);
    }
}

template <class X, class T, class Function>
Task<X> apply(Channel<X, T>& in, Channel<X, T>& out, Function function, Int items)
{
    for (Int i = 0; i < items; ++i) {
        T item{};
        if (!try_receive(in, item)) {
            auto received = co_await in.async_receive(use_task<X>);
            item = std::move(received);
        }
        T result = function(std::move(item));
        if (!try_send(out, result))
            co_await out.async_send(asio::error_code{}, std::move(result), use_task<X>);
    }
}

/// The same for one of several workers.
template <class X, class Function>
Task<X> apply_to_the_end(Channel<X, Int>& in, Channel<X, Int>& out, Function function)
{
    for (;;) {
        Int x = 0;
        if (!try_receive(in, x)) {
            const Int received = co_await in.async_receive(use_task<X>);
            x = received;
        }
        if (x == end_of_stream)
            co_return;
        Int result = function(x);
        if (!try_send(out, result))
            co_await out.async_send(asio::error_code{}, result, use_task<X>);
    }
}

template <class X, class T>
Task<X> sum_up(Channel<X, T>& in, Int& result, Int items)
{
    Int sum = 0;
    for (Int i = 0; i < items; ++i) {
        T item{};
        if (!try_receive(in, item)) {
            auto received = co_await in.async_receive(use_task<X>);
            item = std::move(received);
        }
        sum += value_of(item);
    }
    result = sum;
}

template <class X, class T, class First, class Second, class Third>
Int run_chain(const Setup& setup, First first, Second second, Third third)
{
    X context{setup.threads};
    Channel<X, T> a{context.executor(), setup.queue_size};
    Channel<X, T> b{context.executor(), setup.queue_size};
    Channel<X, T> c{context.executor(), setup.queue_size};
    Channel<X, T> d{context.executor(), setup.queue_size};
    Int sum = 0;
    asio::co_spawn(context.executor(), send_numbers<X, T>(a, setup.items), asio::detached);
    asio::co_spawn(context.executor(), apply<X, T>(a, b, first, setup.items), asio::detached);
    asio::co_spawn(context.executor(), apply<X, T>(b, c, second, setup.items), asio::detached);
    asio::co_spawn(context.executor(), apply<X, T>(c, d, third, setup.items), asio::detached);
    asio::co_spawn(context.executor(), sum_up<X, T>(d, sum, setup.items), asio::detached);
    context.run();
    return sum;
}

/// A node of several workers on several threads.
template <class Function>
Int run_workers(const Setup& setup, std::size_t workers, std::size_t threads, Function function)
{
    using X = ManyThreads;
    X context{threads};
    Channel<X, Int> a{context.executor(), setup.queue_size};
    Channel<X, Int> b{context.executor(), setup.queue_size};
    Int sum = 0;
    asio::co_spawn(context.executor(), send_numbers<X, Int>(a, setup.items, workers), asio::detached);
    for (std::size_t i = 0; i < workers; ++i)
        asio::co_spawn(context.executor(), apply_to_the_end<X>(a, b, function), asio::detached);
    asio::co_spawn(context.executor(), sum_up<X, Int>(b, sum, setup.items), asio::detached);
    context.run();
    return sum;
}

using One = OneThread;
using OneChannel = Channel<One, Int>;

Task<One> send_to_both(OneChannel& first, OneChannel& second, Int items)
{
    for (Int i = 0; i < items; ++i) {
        if (!first.try_send(asio::error_code{}, i))
            co_await first.async_send(asio::error_code{}, i, use_task<One>);
        if (!second.try_send(asio::error_code{}, i))
            co_await second.async_send(asio::error_code{}, i, use_task<One>);
    }
}

Task<One> await_timers(OneChannel& in, OneChannel& out, One::Executor executor)
{
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, One::Executor> timer{executor};
    for (;;) {
        Int x = 0;
        if (!try_receive(in, x)) {
            const Int received = co_await in.async_receive(use_task<One>);
            x = received;
        }
        if (x == end_of_stream)
            co_return;
        timer.expires_after(timer_delay);
        co_await timer.async_wait(use_task<One>);
        Int result = f1(x);
        if (!try_send(out, result))
            co_await out.async_send(asio::error_code{}, result, use_task<One>);
    }
}

Task<One> many_outputs(OneChannel& in, OneChannel& out, Int inputs)
{
    for (Int n = 0; n < inputs; ++n) {
        Int x = 0;
        if (!try_receive(in, x)) {
            const Int received = co_await in.async_receive(use_task<One>);
            x = received;
        }
        for (Int i = 0; i < outputs_per_input; ++i) {
            Int output = output_of(x, i);
            if (!try_send(out, output))
                co_await out.async_send(asio::error_code{}, output, use_task<One>);
        }
    }
}

}  // namespace

Int w1(const Setup& setup) { return run_chain<One, Int>(setup, f1, f2, f3); }
Int w1_two_threads(const Setup& setup) { return run_chain<ManyThreads, Int>(setup, f1, f2, f3); }
Int w5(const Setup& setup) { return run_chain<One, Heavy>(setup, on_payload<f1>, on_payload<f2>, on_payload<f3>); }

Int w2(const Setup& setup)
{
    One context;
    OneChannel a{context.io, setup.queue_size};
    OneChannel b{context.io, setup.queue_size};
    OneChannel c{context.io, setup.queue_size};
    Int sum = 0;
    asio::co_spawn(context.io, send_to_both(a, b, setup.items), asio::detached);
    asio::co_spawn(context.io, apply<One, Int>(a, c, f1, setup.items), asio::detached);
    asio::co_spawn(context.io, apply<One, Int>(b, c, f2, setup.items), asio::detached);
    asio::co_spawn(context.io, sum_up<One, Int>(c, sum, 2 * setup.items), asio::detached);
    context.run();
    return sum;
}

Int w3(const Setup& setup)
{
    One context;
    OneChannel a{context.io, setup.queue_size};
    OneChannel b{context.io, setup.queue_size};
    Int sum = 0;
    asio::co_spawn(context.io, send_numbers<One, Int>(a, setup.items, timers), asio::detached);
    for (std::size_t i = 0; i < timers; ++i)
        asio::co_spawn(context.io, await_timers(a, b, context.executor()), asio::detached);
    asio::co_spawn(context.io, sum_up<One, Int>(b, sum, setup.items), asio::detached);
    context.run();
    return sum;
}

Int w4(const Setup& setup) { return run_workers(setup, setup.threads, setup.threads, compute); }

Int w6(const Setup& setup)
{
    One context;
    OneChannel a{context.io, setup.queue_size};
    OneChannel b{context.io, setup.queue_size};
    Int sum = 0;
    const Int inputs = setup.items / outputs_per_input;
    asio::co_spawn(context.io, send_numbers<One, Int>(a, inputs), asio::detached);
    asio::co_spawn(context.io, many_outputs(a, b, inputs), asio::detached);
    asio::co_spawn(context.io, sum_up<One, Int>(b, sum, inputs * outputs_per_input), asio::detached);
    context.run();
    return sum;
}

// Workers that block their threads, and a thread more for the source and the sum.
Int w7(const Setup& setup) { return run_workers(setup, blocking_calls, blocking_calls + 1, block); }

}  // namespace benchmark::asio_tuned
