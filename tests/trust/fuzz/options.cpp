// Options with any numbers: refused in a sentence, or they work, without an overflow, in virtual time.

#include "input.hpp"

#include <agdf/agdf.hpp>
#include <agdf/testing.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Duration = std::chrono::steady_clock::duration;
using namespace std::chrono_literals;

Duration any_duration(fuzz::Input& input)
{
    constexpr Duration known[] = {0ns,
                                  1ns,
                                  1ms,
                                  1s,
                                  24h,
                                  24h * 365,
                                  24h * 365 * 100,
                                  24h * 365 * 292,
                                  Duration::max(),
                                  Duration::max() - 1ns,
                                  Duration::max() / 2,
                                  -1ns,
                                  Duration::min()};
    const std::size_t which = input.below(std::size(known) + 3);
    if (which < std::size(known))
        return known[which];
    if (which == std::size(known))
        return Duration(static_cast<Duration::rep>(input.bits()));
    return Duration(static_cast<Duration::rep>(input.bits() >> (1U + input.below(63))));
}

std::size_t any_count(fuzz::Input& input)
{
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    constexpr std::size_t known[] = {
        0, 1, 2, 3, 7, 100, most, most - 1, most / 2, std::size_t{1} << 32U, 1'000'000'000};
    const std::size_t which = input.below(std::size(known) + 1);
    return which < std::size(known) ? known[which] : input.bits();
}

double any_number(fuzz::Input& input)
{
    using Limits = std::numeric_limits<double>;
    constexpr double known[] = {1,
                                2,
                                1.5,
                                0,
                                -0.0,
                                -1,
                                50,
                                1e9,
                                1e18,
                                1e300,
                                1e-9,
                                1e-300,
                                Limits::max(),
                                Limits::min(),
                                Limits::denorm_min(),
                                Limits::infinity(),
                                -Limits::infinity(),
                                Limits::quiet_NaN(),
                                1 - 1e-16,
                                1 + 1e-15};
    return known[input.below(std::size(known))];
}

/// Many workers and queues without end cost time and memory by right; these are about arithmetic.
std::size_t modest(std::size_t count) { return count > 3 && count < 1'000'000'001 ? 3 : count; }

agdf::Retry any_retry(fuzz::Input& input)
{
    agdf::Retry retry;
    retry.attempts = any_count(input);
    retry.delay = any_duration(input);
    retry.factor = any_number(input);
    retry.max_delay = any_duration(input);
    retry.jitter = input.yes() ? agdf::Jitter::full : agdf::Jitter::none;
    retry.max_held = any_count(input);
    return retry;
}

/// Each delay of a retry is one, and none is longer than the longest.
void check_delays(const agdf::Retry& retry, fuzz::Input& input)
{
    const std::exception_ptr plain = std::make_exception_ptr(std::runtime_error("plain"));
    const std::exception_ptr wish = std::make_exception_ptr(agdf::RetryLater("later", any_duration(input)));
    for (const auto& error : {plain, wish})
        for (const std::size_t failed : {std::size_t{1}, std::size_t{2}, std::size_t{70}, any_count(input) | 1U})
            for (const double fraction : {0.0, 0.5, 1 - 0x1p-53}) {
                const Duration delay = agdf::detail::retry_delay(retry, failed, error, fraction);
                fuzz::expect(delay >= Duration::zero() && delay <= std::max(retry.max_delay, retry.delay),
                             "a delay of a retry is out of its range");
            }
}

/// A wait for the end of all time never ends, and a watch that looks each nanosecond goes on for as long.
void run_some_steps(asio::io_context& io)
{
    for (int i = 0; i < 1'500 && io.poll_one() > 0; ++i) {
    }
}

void finish(asio::io_context& io, agdf::Graph<>& graph, const std::optional<agdf::RunReport>& report)
{
    run_some_steps(io);
    if (report)
        return;
    graph.cancel();
    io.restart();
    io.run();
}

/// An item that fails so often, where it waits, and by what it is told.
struct Failing {
    std::size_t times;
    Duration sleep;
    Duration wish;
};

void run_node(fuzz::Input& input)
{
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::GraphOptions graph_options{.threads = modest(any_count(input)),
                                     .max_exceptions = any_count(input),
                                     .log = [](agdf::LogLevel, std::string_view) {}};
    if (input.yes())
        graph_options.blocking_threads = modest(any_count(input));
    if (input.yes())
        graph_options.stall_after = any_duration(input);
    if (graph_options.threads > 1 && graph_options.threads <= 1'024)
        graph_options.threads = 1;  // with several the clock may jump while one of them still computes
    agdf::Graph graph{io, graph_options};

    agdf::NodeOptions options;
    options.workers = modest(any_count(input));
    options.queue_size = any_count(input);
    options.overflow = static_cast<agdf::Overflow>(input.below(3));
    options.retry = any_retry(input);
    if (options.retry.attempts > 20 && input.yes())
        options.retry.attempts = 4;
    options.timeout = any_duration(input);
    options.ordered = input.yes();
    if (input.yes())
        options.rate_limit =
            agdf::RateLimit{.rate = any_number(input), .per = any_duration(input), .burst = any_count(input)};
    if (input.yes())
        options.limit = agdf::Semaphore{any_count(input)};
    if (input.yes()) {
        const std::size_t weight = any_count(input);
        options.queue_weight = {any_count(input), [weight](const int& n) { return n == 1 ? weight : weight / 2 + 1; }};
    }
    const Failing failing{input.below(4), any_duration(input), any_duration(input)};
    const agdf::RateLimiter limiter = options.rate_limit;
    int tries = 0;
    auto source = graph.add_node("source", agdf::from_range(std::vector{1, 2, 3, 4}));
    auto node = graph.add_node(
        "node",
        [&tries, failing](int n) -> agdf::Stream<int> {
            if (failing.sleep > 0ns)
                co_await agdf::sleep_for(failing.sleep);
            co_yield n;
            if (++tries <= static_cast<int>(failing.times)) {
                if (failing.wish != 0ns)
                    throw agdf::RetryLater("later", failing.wish);
                throw std::runtime_error("now");
            }
        },
        options);
    check_delays(options.retry, input);
    std::size_t received = 0;
    source >> node >> graph.add_node("sink", [&](int) { ++received; });
    if (limiter && input.yes())
        limiter.penalize(any_duration(input));
    if (limiter && input.yes())
        limiter.set({.rate = any_number(input), .per = any_duration(input), .burst = any_count(input)});

    std::optional<agdf::RunReport> report;
    agdf::RunOptions run_options;
    run_options.grace = any_duration(input);
    graph.async_run(run_options, [&](agdf::RunReport ended) { report = std::move(ended); });
    finish(io, graph, report);
    fuzz::expect(report.has_value(), "a run with strange options does not end when it is cancelled");
    const agdf::NodeStats& stats = report->node("node");
    fuzz::expect(stats.queued == 0 && stats.active == 0, "something is left at the end of a run");
    fuzz::expect(stats.in == 4 || report->outcome == agdf::Outcome::cancelled, "a node was not offered all items");
    if (report->outcome != agdf::Outcome::cancelled)
        fuzz::expect(stats.out + stats.err + stats.dropped >= 4, "an item was neither delivered nor counted");
}

/// Permits at any times, by the algorithm alone: never more than the limit allows.
void take_permits(fuzz::Input& input)
{
    const agdf::RateLimit limit{.rate = any_number(input), .per = any_duration(input), .burst = any_count(input)};
    const agdf::RateLimiter checked = limit;
    (void)checked.limit();
    agdf::detail::Gcra gcra{limit};
    Duration now = 24h * static_cast<int>(input.byte());
    const Duration start = now;
    double taken = 0;
    for (int i = 0; i < 40; ++i) {
        switch (input.below(6)) {
            case 0: {
                const Duration step = any_duration(input);
                if (step > 0ns && step < 24h * 365 * 30 && now < 24h * 365 * 60)
                    now += step;
                break;
            }
            case 1: gcra.pause(now, any_duration(input)); break;
            default: {
                const Duration arrival = std::min(now, start + Duration(static_cast<Duration::rep>(input.byte())));
                const Duration wait = gcra.take(now, arrival);
                fuzz::expect(wait >= 0ns, "a limiter lets somebody wait for a negative time");
                if (wait == 0ns)
                    ++taken;
                else if (wait < 24h * 365 * 30 && now < 24h * 365 * 60)
                    now += wait;
                break;
            }
        }
    }
    const double passed = static_cast<double>((now - start).count());
    const double allowed =
        static_cast<double>(limit.burst) + 1 + passed / static_cast<double>(limit.per.count()) * limit.rate;
    fuzz::expect(taken <= allowed + 1, "a limiter has given out more permits than its limit allows");
}

void run_pieces(fuzz::Input& input)
{
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, {.log = [](agdf::LogLevel, std::string_view) {}}};
    const Duration pause = any_duration(input);
    auto source = graph.add_node("source", [pause]() -> agdf::Stream<int> {
        for (int i = 1; i <= 6; ++i) {
            if (i == 4 && pause > 0ns)
                co_await agdf::sleep_for(pause);
            co_yield i;
        }
    });
    std::size_t received = 0;
    auto sink = graph.add_node("sink", [&](const std::vector<int>& batch) {
        fuzz::expect(!batch.empty(), "a batch is empty");
        received += batch.size();
    });
    if (input.yes()) {
        agdf::BatchOptions<int> options{
            .max_items = any_count(input), .max_delay = any_duration(input), .max_weight = any_count(input)};
        const std::size_t weight = any_count(input);
        if (input.yes())
            options.weight = [weight](const int& n) { return n % 2 == 0 ? weight : weight - 1; };
        source >> graph.add_node("piece", agdf::batch<int>(options)) >> sink;
    } else {
        source >> graph.add_node("piece",
                                 agdf::window<int>({.max_items = any_count(input), .duration = any_duration(input)})) >>
            sink;
    }
    std::optional<agdf::RunReport> report;
    graph.async_run([&](agdf::RunReport ended) { report = std::move(ended); });
    finish(io, graph, report);
    fuzz::expect(report && (received == 6 || report->outcome == agdf::Outcome::cancelled),
                 "a batch or a window has lost items");
}

/// Waits of any length, in any unit.
void wait_in_channels(fuzz::Input& input)
{
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    const Duration first = any_duration(input);
    const Duration second = any_duration(input);
    const auto coarse = static_cast<std::int64_t>(any_count(input));
    agdf::Channel<int> channel{io.get_executor(), 1};
    bool slept = false;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            try {
                (void)co_await channel.receive_for(first);
            } catch (const agdf::TimeoutError&) {
            }
            const bool sent = co_await channel.send_for(1, second);
            fuzz::expect(sent, "a channel with room does not take an item");
            co_await agdf::sleep_for(std::chrono::hours(coarse));
            slept = true;
        },
        asio::detached);
    const auto before = time.elapsed();
    run_some_steps(io);
    const auto passed = time.elapsed() - before;
    if (slept && coarse > 0)
        fuzz::expect(passed >= 1h, "a sleep of hours is over at once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input{data, size};
    try {
        switch (input.below(4)) {
            case 0: run_node(input); break;
            case 1: take_permits(input); break;
            case 2: run_pieces(input); break;
            default: wait_in_channels(input); break;
        }
    } catch (const agdf::GraphError& error) {
        fuzz::expect(std::string_view{error.what()}.find("Expected: ") != std::string_view::npos,
                     "a refusal does not say what was expected");
    }
    return 0;
}
