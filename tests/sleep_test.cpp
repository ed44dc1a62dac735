#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <chrono>
#include <exception>
#include <limits>
#include <string>

using namespace std::chrono_literals;

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
