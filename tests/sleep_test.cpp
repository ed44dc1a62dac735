#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

using test::Counted;

asio::awaitable<void> sleep_and_then(std::chrono::steady_clock::duration time, std::function<void()> action)
{
    const Counted alive;
    co_await agdf::sleep_for(time);
    action();
}

void stay_awake_for(std::chrono::steady_clock::duration time)
{
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

}  // namespace

TEST_CASE("sleep_for takes at least its time, in any unit", "[sleep]")
{
    asio::io_context io;
    const auto start = std::chrono::steady_clock::now();
    const auto sleeper = []() -> asio::awaitable<void> {
        co_await agdf::sleep_for(2ms);
        co_await agdf::sleep_for(500us);
        co_await agdf::sleep_for(std::chrono::duration<double>(0.001));
        co_await agdf::sleep_for(0s);
        co_await agdf::sleep_for(-1h);
    };
    asio::co_spawn(io, sleeper, asio::detached);
    io.run();
    REQUIRE(std::chrono::steady_clock::now() - start >= 3500us);
}

TEST_CASE("a cancelled sleep ends at once with operation_aborted", "[sleep]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    asio::cancellation_signal signal;
    std::exception_ptr error;
    asio::co_spawn(io, agdf::sleep_for(1h), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { error = e; }));
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    REQUIRE_THROWS_AS(std::rethrow_exception(error), asio::system_error);
}

TEST_CASE("a sleep that is longer than the clock's time lasts until it is cancelled", "[sleep]")
{
    const auto is_awake = [](auto duration) {
        asio::io_context io;
        const agdf::testing::VirtualTime time{io};
        bool is_over = false;
        asio::co_spawn(io, agdf::sleep_for(duration), [&](const std::exception_ptr&) { is_over = true; });
        while (io.poll() > 0) {
        }
        return is_over;
    };
    CHECK_FALSE(is_awake(std::chrono::hours::max()));
    CHECK_FALSE(is_awake(std::chrono::seconds::max()));
    CHECK_FALSE(is_awake(std::chrono::hours(3'000'000)));
    CHECK_FALSE(is_awake(std::chrono::duration<double>(std::numeric_limits<double>::infinity())));
    CHECK(is_awake(std::chrono::hours(2'000'000)));
    CHECK(is_awake(std::chrono::hours::min()));
    CHECK(is_awake(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("many sleeps that end together leave others on their strand a turn in between", "[sleep]")
{
    const test::Watchdog watchdog;
    constexpr int sleepers = 200;
    asio::io_context io;
    const auto strand = asio::make_strand(io);
    int awake = 0;
    int awake_before_the_other = 0;
    const auto wake = [&] {
        if (++awake == 1)
            asio::post(strand, [&] { awake_before_the_other = awake; });
        stay_awake_for(100us);
    };
    for (int i = 0; i < sleepers; ++i)
        asio::co_spawn(strand, sleep_and_then(1ms, wake), asio::detached);
    io.poll();
    stay_awake_for(2ms);  // now all of them are due
    io.run();
    CHECK(awake == sleepers);
    CHECK(awake_before_the_other > 0);
    CHECK(awake_before_the_other < sleepers / 2);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a short sleep ends while a longer one that began before goes on, and leaves nothing behind", "[sleep]")
{
    const test::Watchdog watchdog;
    bool is_over = false;
    {
        asio::io_context io;
        asio::co_spawn(io, sleep_and_then(1h, [] {}), asio::detached);
        asio::co_spawn(io, sleep_and_then(1ms, [&] { is_over = true; }), asio::detached);
        while (!is_over)
            io.run_one();
        CHECK(Counted::alive() == 1);
    }
    CHECK(Counted::alive() == 0);
}

TEST_CASE("one of many sleeps that is cancelled ends alone", "[sleep]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    asio::cancellation_signal signal;
    std::size_t over = 0;
    bool is_cancelled = false;
    asio::co_spawn(io, sleep_and_then(1h, [] {}),
                   asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) { is_cancelled = error != nullptr; }));
    for (std::size_t i = 0; i < 99; ++i)
        asio::co_spawn(io, sleep_and_then(1ms, [&] { ++over; }), asio::detached);
    while (over < 99)
        io.run_one();
    CHECK_FALSE(is_cancelled);
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    CHECK(is_cancelled);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a context that is destroyed at any step of its sleeps destroys the coroutines", "[sleep]")
{
    const test::Watchdog watchdog;
    for (std::size_t steps = 0; steps < 40; ++steps) {
        asio::io_context io;
        const auto strand = asio::make_strand(asio::any_io_executor{io.get_executor()});
        for (int i = 0; i < 10; ++i) {
            asio::co_spawn(strand, sleep_and_then(0ms, [] {}), asio::detached);
            asio::co_spawn(io, sleep_and_then(0ms, [] {}), asio::detached);
        }
        asio::co_spawn(strand, sleep_and_then(1h, [] {}), asio::detached);
        for (std::size_t i = 0; i < steps; ++i)
            io.poll_one();
    }
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a context ends after the last sleep, also if the executor of the first one counted as work", "[sleep]")
{
    // The queue's timer has the executor of who slept first, and stays.
    const test::Watchdog watchdog;
    asio::io_context io;
    int slept = 0;
    {
        const asio::any_io_executor tracked = asio::require(io.get_executor(), asio::execution::outstanding_work.tracked);
        asio::co_spawn(tracked, sleep_and_then(1ms, [&] { ++slept; }), asio::detached);
        asio::co_spawn(asio::make_strand(tracked), sleep_and_then(1ms, [&] { ++slept; }), asio::detached);
    }
    io.run();
    CHECK(slept == 2);
}

TEST_CASE("an exception out of a completion handler does not keep the sleeps that end beside it", "[sleep]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const auto strand = asio::make_strand(asio::any_io_executor{io.get_executor()});
    std::size_t over = 0;
    for (std::size_t i = 0; i < 100; ++i) {
        const auto note = [&, i](const std::exception_ptr&) {
            ++over;
            if (i == 40)
                throw std::runtime_error("handler");
        };
        asio::co_spawn(strand, sleep_and_then(0ms, [] {}), note);
    }
    CHECK_THROWS_AS(io.run(), std::runtime_error);
    CHECK(over < 100);
    io.run();
    CHECK(over == 100);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("many sleeps that end at the same time let other work of their strand through", "[sleep]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const auto strand = asio::make_strand(asio::any_io_executor{io.get_executor()});
    std::size_t over = 0, over_before_work = 0;
    for (std::size_t i = 0; i < 1'000; ++i) {
        const auto action = [&] {
            if (++over == 1)
                asio::post(strand, [&] { over_before_work = over; });
        };
        asio::co_spawn(strand, sleep_and_then(0ms, action), asio::detached);
    }
    io.run();
    CHECK(over == 1'000);
    CHECK(over_before_work > 0);
    CHECK(over_before_work < 1'000);
}

TEST_CASE("sleeps of many strands on several threads all end, cancelled or not", "[sleep][threads]")
{
    const test::Watchdog watchdog;
    constexpr std::size_t sleepers = 64, rounds = 50;
    std::atomic<std::size_t> slept{0}, cancelled{0};
    asio::thread_pool pool{4};
    std::vector<asio::any_io_executor> executors;
    std::array<asio::cancellation_signal, sleepers> signals;
    for (std::size_t i = 0; i < sleepers; ++i) {
        executors.push_back(i % 4 == 0 ? asio::any_io_executor{pool.get_executor()} : asio::any_io_executor{asio::make_strand(asio::any_io_executor{pool.get_executor()})});
        const auto sleeper = [](std::size_t self, std::atomic<std::size_t>& count) -> asio::awaitable<void> {
            for (std::size_t round = 0; round < rounds; ++round) {
                co_await agdf::sleep_for(std::chrono::microseconds((self * 7 + round * 13) % 200));
                ++count;
            }
            if (self % 4 == 1)
                co_await agdf::sleep_for(1h);
        };
        asio::co_spawn(executors[i], sleeper(i, slept), asio::bind_cancellation_slot(signals[i].slot(), [&](const std::exception_ptr& error) {
                           if (error)
                               ++cancelled;
                       }));
    }
    while (slept < sleepers * rounds)
        std::this_thread::yield();
    for (std::size_t i = 1; i < sleepers; i += 4)
        asio::post(executors[i], [&signals, i] { signals[i].emit(asio::cancellation_type::terminal); });
    pool.join();
    CHECK(cancelled == sleepers / 4);
}
