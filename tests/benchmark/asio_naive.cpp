// The workloads with Asio's channels, as one writes them first: await each send and each receive, default executors, and
// with threads a strand for each coroutine.

#include "systems.hpp"

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/experimental/concurrent_channel.hpp>

#include <utility>

namespace benchmark::asio_naive {

namespace {

template <class T>
using Channel = asio::experimental::channel<void(asio::error_code, T)>;
template <class T>
using ThreadsChannel = asio::experimental::concurrent_channel<void(asio::error_code, T)>;

constexpr Int end_of_stream = -1;  // for a worker that shares its channel with others

template <class T, class Out>
asio::awaitable<void> send_numbers(Out& out, Int items, std::size_t readers = 0)
{
    for (Int i = 0; i < items; ++i) {
        T item = make_item<T>(i);
        co_await out.async_send(asio::error_code{}, std::move(item), asio::use_awaitable);
    }
    for (std::size_t i = 0; i < readers; ++i) {
        T end = make_item<T>(end_of_stream);
        co_await out.async_send(asio::error_code{}, std::move(end), asio::use_awaitable);
    }
}

template <class In, class Out, class Function>
asio::awaitable<void> apply(In& in, Out& out, Function function, Int items)
{
    for (Int i = 0; i < items; ++i) {
        auto item = co_await in.async_receive(asio::use_awaitable);
        auto result = function(std::move(item));
        co_await out.async_send(asio::error_code{}, std::move(result), asio::use_awaitable);
    }
}

template <class In>
asio::awaitable<void> sum_up(In& in, Int& sum, Int items)
{
    for (Int i = 0; i < items; ++i) {
        auto item = co_await in.async_receive(asio::use_awaitable);
        sum += value_of(item);
    }
}

struct OneThread {
    asio::io_context io;
    auto executor() { return io.get_executor(); }
    void run() { io.run(); }
};

struct ManyThreads {
    explicit ManyThreads(std::size_t threads) : pool(threads) {}
    asio::thread_pool pool;
    auto executor() { return asio::make_strand(pool); }
    void run() { pool.join(); }
};

template <class T, template <class> class Channels, class Context, class First, class Second, class Third>
Int run_chain(Context& context, const Setup& setup, First first, Second second, Third third)
{
    using C = Channels<T>;
    C a{context.executor(), setup.queue_size};
    C b{context.executor(), setup.queue_size};
    C c{context.executor(), setup.queue_size};
    C d{context.executor(), setup.queue_size};
    Int sum = 0;
    asio::co_spawn(context.executor(), send_numbers<T>(a, setup.items), asio::detached);
    asio::co_spawn(context.executor(), apply(a, b, first, setup.items), asio::detached);
    asio::co_spawn(context.executor(), apply(b, c, second, setup.items), asio::detached);
    asio::co_spawn(context.executor(), apply(c, d, third, setup.items), asio::detached);
    asio::co_spawn(context.executor(), sum_up(d, sum, setup.items), asio::detached);
    context.run();
    return sum;
}

asio::awaitable<void> send_to_both(Channel<Int>& first, Channel<Int>& second, Int items)
{
    for (Int i = 0; i < items; ++i) {
        co_await first.async_send(asio::error_code{}, i, asio::use_awaitable);
        co_await second.async_send(asio::error_code{}, i, asio::use_awaitable);
    }
}

asio::awaitable<void> await_timers(Channel<Int>& in, Channel<Int>& out)
{
    for (;;) {
        const Int x = co_await in.async_receive(asio::use_awaitable);
        if (x == end_of_stream)
            co_return;
        auto executor = co_await asio::this_coro::executor;
        asio::steady_timer timer{executor, timer_delay};
        co_await timer.async_wait(asio::use_awaitable);
        co_await out.async_send(asio::error_code{}, f1(x), asio::use_awaitable);
    }
}

asio::awaitable<void> compute_all(ThreadsChannel<Int>& in, ThreadsChannel<Int>& out)
{
    for (;;) {
        const Int x = co_await in.async_receive(asio::use_awaitable);
        if (x == end_of_stream)
            co_return;
        co_await out.async_send(asio::error_code{}, compute(x), asio::use_awaitable);
    }
}

asio::awaitable<void> many_outputs(Channel<Int>& in, Channel<Int>& out, Int inputs)
{
    for (Int n = 0; n < inputs; ++n) {
        const Int x = co_await in.async_receive(asio::use_awaitable);
        for (Int i = 0; i < outputs_per_input; ++i)
            co_await out.async_send(asio::error_code{}, output_of(x, i), asio::use_awaitable);
    }
}

asio::awaitable<Int> call(Int x) { co_return block(x); }

asio::awaitable<void> call_all(Channel<Int>& in, Channel<Int>& out, asio::thread_pool& pool)
{
    for (;;) {
        const Int x = co_await in.async_receive(asio::use_awaitable);
        if (x == end_of_stream)
            co_return;
        const Int y = co_await asio::co_spawn(pool, call(x), asio::use_awaitable);
        co_await out.async_send(asio::error_code{}, y, asio::use_awaitable);
    }
}

}  // namespace

Int w1(const Setup& setup)
{
    OneThread context;
    return run_chain<Int, Channel>(context, setup, f1, f2, f3);
}

Int w1_two_threads(const Setup& setup)
{
    ManyThreads context{setup.threads};
    return run_chain<Int, ThreadsChannel>(context, setup, f1, f2, f3);
}

Int w5(const Setup& setup)
{
    OneThread context;
    return run_chain<Heavy, Channel>(context, setup, on_payload<f1>, on_payload<f2>, on_payload<f3>);
}

Int w2(const Setup& setup)
{
    asio::io_context io;
    Channel<Int> a{io, setup.queue_size};
    Channel<Int> b{io, setup.queue_size};
    Channel<Int> c{io, setup.queue_size};
    Int sum = 0;
    asio::co_spawn(io, send_to_both(a, b, setup.items), asio::detached);
    asio::co_spawn(io, apply(a, c, f1, setup.items), asio::detached);
    asio::co_spawn(io, apply(b, c, f2, setup.items), asio::detached);
    asio::co_spawn(io, sum_up(c, sum, 2 * setup.items), asio::detached);
    io.run();
    return sum;
}

Int w3(const Setup& setup)
{
    asio::io_context io;
    Channel<Int> a{io, setup.queue_size};
    Channel<Int> b{io, setup.queue_size};
    Int sum = 0;
    asio::co_spawn(io, send_numbers<Int>(a, setup.items, timers), asio::detached);
    for (std::size_t i = 0; i < timers; ++i)
        asio::co_spawn(io, await_timers(a, b), asio::detached);
    asio::co_spawn(io, sum_up(b, sum, setup.items), asio::detached);
    io.run();
    return sum;
}

Int w4(const Setup& setup)
{
    asio::thread_pool pool{setup.threads};
    ThreadsChannel<Int> a{pool, setup.queue_size};
    ThreadsChannel<Int> b{pool, setup.queue_size};
    Int sum = 0;
    asio::co_spawn(asio::make_strand(pool), send_numbers<Int>(a, setup.items, setup.threads), asio::detached);
    for (std::size_t i = 0; i < setup.threads; ++i)
        asio::co_spawn(asio::make_strand(pool), compute_all(a, b), asio::detached);
    asio::co_spawn(asio::make_strand(pool), sum_up(b, sum, setup.items), asio::detached);
    pool.join();
    return sum;
}

Int w6(const Setup& setup)
{
    asio::io_context io;
    Channel<Int> a{io, setup.queue_size};
    Channel<Int> b{io, setup.queue_size};
    Int sum = 0;
    const Int inputs = setup.items / outputs_per_input;
    asio::co_spawn(io, send_numbers<Int>(a, inputs), asio::detached);
    asio::co_spawn(io, many_outputs(a, b, inputs), asio::detached);
    asio::co_spawn(io, sum_up(b, sum, inputs * outputs_per_input), asio::detached);
    io.run();
    return sum;
}

Int w7(const Setup& setup)
{
    asio::io_context io;
    asio::thread_pool pool{blocking_calls};
    Channel<Int> a{io, setup.queue_size};
    Channel<Int> b{io, setup.queue_size};
    Int sum = 0;
    asio::co_spawn(io, send_numbers<Int>(a, setup.items, blocking_calls), asio::detached);
    for (std::size_t i = 0; i < blocking_calls; ++i)
        asio::co_spawn(io, call_all(a, b, pool), asio::detached);
    asio::co_spawn(io, sum_up(b, sum, setup.items), asio::detached);
    io.run();
    return sum;
}

}  // namespace benchmark::asio_naive
