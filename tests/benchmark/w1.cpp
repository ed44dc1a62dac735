// Workload W1: a source of N integers -> f1 -> f2 -> f3 -> a sink that sums, one worker each, queues of 1,024 items.
//
// agdf against Asio's own channels, as one writes them first. The systems take turns in rounds of one process, every sum
// is checked, and what counts is the ratio of the medians: absolute times on a shared machine prove nothing.
//
//      agdf_benchmark [items]

#include <agdf/agdf.hpp>

#include <asio/experimental/channel.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace {

using Int = std::int64_t;

constexpr std::size_t queue_size = 1'024;
constexpr int rounds = 7;

Int f1(Int x) { return x + 1; }
Int f2(Int x) { return x * 3; }
Int f3(Int x) { return x ^ 0x5bd1e995; }

Int expected_sum(Int items)
{
    Int sum = 0;
    for (Int i = 0; i < items; ++i)
        sum += f3(f2(f1(i)));
    return sum;
}

// --- agdf ------------------------------------------------------------------------------------------------------

agdf::Stream<Int> numbers_to(Int items)
{
    for (Int i = 0; i < items; ++i)
        co_yield i;
}

template <class F1, class F2, class F3>
Int run_graph(Int items, F1 first, F2 second, F3 third)
{
    asio::io_context io;
    agdf::Graph graph{io};
    Int sum = 0;
    const agdf::NodeOptions options{.queue_size = queue_size};
    auto source = graph.add_node("source", [items] { return numbers_to(items); }, options);
    auto sink = graph.add_node("sink", [&sum](Int x) { sum += x; }, options);
    source >> graph.add_node("f1", first, options) >> graph.add_node("f2", second, options) >>
        graph.add_node("f3", third, options) >> sink;
    graph.run().throw_if_failed();
    return sum;
}

Int run_plain(Int items) { return run_graph(items, f1, f2, f3); }

template <Int (*F)(Int)>
agdf::Stream<Int> stream_of(Int x)
{
    const Int y = F(x);
    co_yield y;
}
Int run_stream(Int items) { return run_graph(items, stream_of<f1>, stream_of<f2>, stream_of<f3>); }

template <Int (*F)(Int)>
asio::awaitable<Int> awaitable_of(Int x)
{
    co_return F(x);
}
Int run_awaitable(Int items) { return run_graph(items, awaitable_of<f1>, awaitable_of<f2>, awaitable_of<f3>); }

// --- Asio channels, as one writes them first -------------------------------------------------------------------

using AsioChannel = asio::experimental::channel<void(asio::error_code, Int)>;

asio::awaitable<void> send_numbers(AsioChannel& out, Int items)
{
    for (Int i = 0; i < items; ++i)
        co_await out.async_send(asio::error_code{}, i, asio::use_awaitable);
}

asio::awaitable<void> apply(AsioChannel& in, AsioChannel& out, Int (*function)(Int), Int items)
{
    for (Int i = 0; i < items; ++i) {
        const Int x = co_await in.async_receive(asio::use_awaitable);
        co_await out.async_send(asio::error_code{}, function(x), asio::use_awaitable);
    }
}

asio::awaitable<void> sum_up(AsioChannel& in, Int& sum, Int items)
{
    for (Int i = 0; i < items; ++i) {
        const Int x = co_await in.async_receive(asio::use_awaitable);
        sum += x;
    }
}

Int run_asio_channels(Int items)
{
    asio::io_context io{1};
    AsioChannel a{io, queue_size};
    AsioChannel b{io, queue_size};
    AsioChannel c{io, queue_size};
    AsioChannel d{io, queue_size};
    Int sum = 0;
    asio::co_spawn(io, send_numbers(a, items), asio::detached);
    asio::co_spawn(io, apply(a, b, f1, items), asio::detached);
    asio::co_spawn(io, apply(b, c, f2, items), asio::detached);
    asio::co_spawn(io, apply(c, d, f3, items), asio::detached);
    asio::co_spawn(io, sum_up(d, sum, items), asio::detached);
    io.run();
    return sum;
}

// --- measuring -------------------------------------------------------------------------------------------------

struct System {
    std::string name;
    std::function<Int(Int)> run;
    std::vector<double> times;  // ns per item
};

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv)
{
    const Int items = argc > 1 ? std::atoll(argv[1]) : 300'000;
    if (items < 1) {
        fmt::print(stderr, "agdf_benchmark: '{}' is not a number of items. Expected: 1 or more.\n", argv[1]);
        return 2;
    }
    const Int expected = expected_sum(items);
    std::vector<System> systems{{"Asio channels, as written first", run_asio_channels, {}},
                                {"agdf, plain functions", run_plain, {}},
                                {"agdf, Stream bodies", run_stream, {}},
                                {"agdf, awaitable bodies", run_awaitable, {}}};
    for (int round = 0; round <= rounds; ++round) {
        for (System& system : systems) {
            const auto start = std::chrono::steady_clock::now();
            const Int sum = system.run(items);
            const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
            if (sum != expected) {
                fmt::print(stderr, "agdf_benchmark: {}: the sum is {}, expected {}.\n", system.name, sum, expected);
                return 1;
            }
            if (round > 0)  // the first one warms up
                system.times.push_back(took.count() / static_cast<double>(items));
        }
    }
    const double naive = median(systems.front().times);
    fmt::print("W1, {} items, 1 thread, medians of {} interleaved rounds\n", items, rounds);
    fmt::print("{:<34}{:>12}{:>10}{:>10}{:>10}\n", "", "ns per item", "min", "max", "ratio");
    for (const System& system : systems)
        fmt::print("{:<34}{:>12.1f}{:>10.1f}{:>10.1f}{:>10.3f}\n", system.name, median(system.times),
                   *std::min_element(system.times.begin(), system.times.end()),
                   *std::max_element(system.times.begin(), system.times.end()), median(system.times) / naive);
    const double ratio = median(systems[1].times) / naive;
    constexpr double bar = 1.0 / 3;
    fmt::print("agdf takes {:.3f} of the channels' time; the bar is {:.3f}: {}\n", ratio, bar, ratio <= bar ? "held" : "NOT HELD");
    return ratio <= bar ? 0 : 1;
}
