// An attempt that takes too long is ended, whatever it waits for, and its worker goes on with the next item.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using agdf::Jitter;
using agdf::Outcome;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::StreamBody;
using test::up_to;

/// Runs 1..6 through a body that gets stuck with all but 3 and 6, and checks that those come through.
void check_goes_on(Bench& bench, Body stuck, Ints expected = {3, 6})
{
    const Body body = [stuck](int n) -> asio::awaitable<int> {
        const Counted local;
        if (n % 3 == 0) {
            co_await agdf::sleep_for(500ms);
            co_return n;
        }
        auto result = stuck(n);
        const int value = co_await std::move(result);
        co_return value;
    };
    bench.run(body, {.timeout = 1s}, up_to(6));
    CHECK(bench.results == expected);
    CHECK(bench.report.outcome == Outcome::completed_with_errors);
    CHECK(bench.node().err == 4);
    CHECK(bench.node().out == 2);
    CHECK(bench.report.elapsed == 5s);
    for (const std::exception_ptr& error : bench.report.exceptions("node"))
        CHECK_THROWS_AS(std::rethrow_exception(error), agdf::TimeoutError);
    CHECK_THAT(test::text_of(bench.report.first_error),
               ContainsSubstring("'node'") && ContainsSubstring("1000 ms") && ContainsSubstring("Expected:"));
    CHECK(Counted::alive() == 0);
}

}  // namespace

TEST_CASE("a time-out ends a sleep, again and again, and the next item finds its worker as new", "[timeout]")
{
    Bench bench;
    check_goes_on(bench, [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1h);
        co_return n;
    });
}

TEST_CASE("a time-out ends the wait for a channel", "[timeout]")
{
    Bench bench;
    agdf::Channel<int> channel{1};
    check_goes_on(bench, [&](int n) -> asio::awaitable<int> {
        auto item = co_await channel.receive();
        co_return item ? *item : n;
    });
    CHECK(channel.try_send(1));
    CHECK(channel.size() == 1);
}

TEST_CASE("a time-out ends the wait for a semaphore and costs no permit", "[timeout]")
{
    Bench bench;
    const agdf::Semaphore semaphore{1};
    {
        const auto taken = semaphore.try_acquire();
        check_goes_on(bench, [&](int n) -> asio::awaitable<int> {
            const agdf::Permit permit = co_await semaphore.acquire();
            co_return n;
        });
    }
    CHECK(semaphore.available() == 1);
    CHECK(semaphore.waiting() == 0);
}

#if defined(__cpp_lib_jthread)  // libc++ up to 19 has no std::stop_token unless -fexperimental-library is given
TEST_CASE("a time-out ends the wait for a blocking call, which is told and finishes alone", "[timeout]")
{
    // A call in the pool holds the virtual clock, so this one is real.
    test::Watchdog watchdog;
    struct Calls {
        std::atomic<int> begun{0};  // on a busy machine the time may be over before a thread begins the call
        std::atomic<int> told{0};
    };
    const auto calls = std::make_shared<Calls>();
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    const Body body = [calls](int n) -> asio::awaitable<int> {
        if (n == 3)
            co_return n;
        const auto call = [calls](std::stop_token stop) {
            ++calls->begun;
            while (!stop.stop_requested())
                std::this_thread::yield();
            ++calls->told;
            return 0;
        };
        auto value = co_await agdf::run_blocking(call);
        co_return value;
    };
    graph.add_node("source", agdf::from_range(up_to(3))) >> graph.add_node("node", body, {.timeout = 50ms}) >>
        graph.add_node("sink", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    CHECK(results == Ints{3});
    CHECK(report.node("node").err == 2);
    CHECK_THROWS_AS(report.throw_if_failed(), agdf::TimeoutError);
    while (calls->told < calls->begun)
        std::this_thread::yield();
}
#endif

TEST_CASE("a time-out does not wait for a blocking body", "[timeout]")
{
    test::Watchdog watchdog;
    const auto gate = std::make_shared<std::mutex>();
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    {
        const std::lock_guard lock{*gate};
        auto body = agdf::blocking([gate](int n) {
            if (n < 3)
                const std::lock_guard wait{*gate};
            return n;
        });
        graph.add_node("source", agdf::from_range(up_to(3))) >> graph.add_node("node", std::move(body), {.timeout = 200ms}) >>
            graph.add_node("sink", agdf::collect(results));
        const agdf::RunReport report = graph.run();
        CHECK(results == Ints{3});
        CHECK(report.node("node").err == 2);
    }
}

TEST_CASE("each attempt has a time of its own, and a time-out is tried again like any error", "[timeout]")
{
    Bench bench;
    const Body body = [&](int n) -> asio::awaitable<int> {
        bench.mark();
        if (bench.marks.size() % 3 != 0)
            co_await agdf::sleep_for(1h);
        co_await agdf::sleep_for(900ms);
        co_return n;
    };
    bench.run(body, {.retry = {.attempts = 3, .delay = 10s, .factor = 1, .jitter = Jitter::none}, .timeout = 1s}, {1, 2});
    CHECK(bench.results == Ints{1, 2});
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(bench.node().retried == 4);
    CHECK(bench.report.elapsed == 2 * (1s + 10s + 1s + 10s + 900ms));
}

TEST_CASE("a predicate can leave time-outs alone", "[timeout]")
{
    Bench bench;
    const Body body = [&](int n) -> asio::awaitable<int> {
        bench.mark();
        co_await agdf::sleep_for(1h);
        co_return n;
    };
    bench.run(body, {.retry = {.attempts = 3, .when = [](const agdf::TimeoutError&) { return false; }}, .timeout = 1s});
    CHECK(bench.marks.size() == 1);
    CHECK(bench.node().err == 1);
}

TEST_CASE("what a stream had yielded before its time-out stays", "[timeout]")
{
    Bench bench;
    const StreamBody body = [](int n) -> agdf::Stream<int> {
        const Counted local;
        co_yield n;
        co_await agdf::sleep_for(600ms);
        co_yield 10 * n;
        co_await agdf::sleep_for(600ms);
        co_yield 100 * n;
    };
    bench.run(body, {.timeout = 1s}, {1, 2});
    CHECK(bench.results == Ints{1, 10, 2, 20});
    CHECK(bench.node().err == 2);
    CHECK(bench.report.elapsed == 2s);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a time-out ends a stream that awaits nothing where it yields", "[timeout]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const bool has_edge = GENERATE(true, false);
    const std::size_t room = GENERATE(1U, 1'024U);  // with little the body stands still before each time-out could come
    const std::size_t attempts = GENERATE(1U, 2U);
    const auto body = [](int n) -> agdf::Stream<int> {
        const Counted local;
        for (int i = 0; n < 0 || i < n; ++i)
            co_yield i;
    };
    auto source = graph.add_node("source", agdf::from_range(Ints{-1, 3, -1, 2}));
    auto node = graph.add_node("node", body, {.retry = {.attempts = attempts, .max_held = 1'000'000'000}, .timeout = 1ms});
    source >> node;
    std::uint64_t received = 0;
    if (has_edge)
        node >> graph.add_node("sink", [&](int) { ++received; }, {.queue_size = room});
    const auto report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(report.node("node").err == 2);
    CHECK(report.node("node").retried == 2 * (attempts - 1));
    CHECK(report.node("node").undelivered == 0);
    for (const std::exception_ptr& error : report.exceptions("node"))
        CHECK_THROWS_AS(std::rethrow_exception(error), agdf::TimeoutError);
    if (has_edge)
        CHECK(received == report.node("node").out);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a stream that has switched cancellation off is not ended where it yields either", "[timeout]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const auto body = [](int n) -> agdf::Stream<int> {
        const Counted local;
        auto word = asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await std::move(word);
        const auto end = std::chrono::steady_clock::now() + 20ms;
        while (std::chrono::steady_clock::now() < end)
            co_yield n;
    };
    std::uint64_t received = 0;
    auto source = graph.add_node("source", agdf::from_range({1, 2}));
    source >> graph.add_node("node", body, {.timeout = 1ms}) >> graph.add_node("sink", [&](int) { ++received; });
    const auto report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(received == report.node("node").out);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("the time in which a source is paused does not count", "[timeout][pause]")
{
    Bench bench;
    const bool awaits = GENERATE(false, true);
    const auto numbers = [&]() -> agdf::Stream<int> {
        for (int i = 1; i <= 3'000; ++i) {
            if (awaits)
                co_await agdf::sleep_for(100us);
            co_yield i;
        }
    };
    auto source = bench.graph.add_node("source", numbers, {.timeout = 1s});
    source >> bench.graph.add_node("sink", [&](int n) {
        bench.results.push_back(n);
        if (n == 1'000)
            bench.graph.pause();
    });
    bench.at(1h, [&] { bench.graph.resume(); });
    const auto report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == up_to(3'000));
}

TEST_CASE("a stream that is told of its time-out may still yield all that it has", "[timeout]")
{
    Bench bench;
    constexpr int more = 5'000;  // than a queue holds, and than there is in a turn
    const StreamBody body = [](int n) -> agdf::Stream<int> {
        const Counted local;
        try {
            co_await agdf::sleep_for(1h);
        } catch (const asio::system_error&) {
        }
        for (int i = 0; i < more; ++i)
            co_yield n;
    };
    bench.run(body, {.timeout = 1s}, up_to(2));
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(bench.node().out == 2 * more);
    CHECK(bench.results.size() == 2 * more);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a body that is told and still has a result in hand delivers it", "[timeout]")
{
    SECTION("coroutine")
    {
        Bench bench;
        const Body body = [](int n) -> asio::awaitable<int> {
            try {
                co_await agdf::sleep_for(1h);
            } catch (const std::exception&) {
                n = -n;
            }
            co_return n;
        };
        bench.run(body, {.timeout = 1s}, up_to(3));
        CHECK(bench.results == Ints{-1, -2, -3});
        CHECK(bench.report.outcome == Outcome::completed);
    }
    SECTION("stream")
    {
        Bench bench;
        const StreamBody body = [](int n) -> agdf::Stream<int> {
            try {
                co_await agdf::sleep_for(1h);
            } catch (const std::exception&) {
                n = -n;
            }
            co_yield n;
        };
        bench.run(body, {.timeout = 1s}, up_to(3));
        CHECK(bench.results == Ints{-1, -2, -3});
        CHECK(bench.report.outcome == Outcome::completed);
    }
}

TEST_CASE("an item whose result and time-out race is either delivered or failed, never both or neither", "[timeout]")
{
    constexpr int items = 3'000;
    Bench bench;
    std::minstd_rand random{42};
    const Body body = [&](int n) -> asio::awaitable<int> {
        const Counted local;
        const auto first = 4 + random() % 3;
        co_await agdf::sleep_for(std::chrono::milliseconds(first));
        co_await agdf::sleep_for(std::chrono::milliseconds(random() % 2 == 0 ? 10 - first : random() % 8));
        co_return n;
    };
    bench.run(body, {.workers = 8, .timeout = 10ms}, up_to(items));
    CHECK(bench.results.size() + bench.node().err == items);
    CHECK(bench.node().out == bench.results.size());
    CHECK(bench.node().err > 100);
    CHECK(bench.results.size() > 100);
    CHECK(bench.report.exceptions("node").size() == std::min<std::size_t>(1'000, bench.node().err));
    std::sort(bench.results.begin(), bench.results.end());
    CHECK(std::adjacent_find(bench.results.begin(), bench.results.end()) == bench.results.end());
    CHECK(Counted::alive() == 0);
}

TEST_CASE("the time in which a body waits for room further down does not count", "[timeout]")
{
    Bench bench;
    const StreamBody body = [](int n) -> agdf::Stream<int> {
        for (int i = 0; i < 4; ++i) {
            co_await agdf::sleep_for(200ms);
            co_yield 10 * n + i;
        }
    };
    std::function<asio::awaitable<void>(int)> slow = [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1min);
        bench.results.push_back(n);
    };
    auto node = bench.graph.add_node("node", body, {.timeout = 1s});
    bench.graph.add_node("source", agdf::from_range(up_to(3))) >> node >> bench.graph.add_node("sink", slow, {.queue_size = 1});
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results.size() == 12);
}
