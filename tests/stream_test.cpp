#include <agdf/agdf.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using agdf::Stream;
using test::Counted;

/// Drives a stream to its end on a context of its own and returns what it yielded; throws what it threw.
template <class T>
std::vector<T> all_of(Stream<T> stream)
{
    asio::io_context io;
    std::vector<T> items;
    std::exception_ptr error;
    const auto drive = [&]() -> asio::awaitable<void> {
        while (auto item = co_await stream.next())
            items.push_back(std::move(*item));
    };
    asio::co_spawn(io, drive, [&](std::exception_ptr e) { error = e; });
    io.run();
    if (error)
        std::rethrow_exception(error);
    return items;
}

Stream<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i)
        co_yield i;
}

}  // namespace

TEST_CASE("a stream yields its items in order and then ends", "[stream]")
{
    REQUIRE(all_of(count_to(3)) == std::vector{1, 2, 3});
    REQUIRE(all_of(count_to(0)).empty());
}

TEST_CASE("a stream does not start before it is asked for an item", "[stream]")
{
    bool started = false;
    const auto body = [](bool& flag) -> Stream<int> {
        flag = true;
        co_yield 1;
    };
    auto stream = body(started);
    REQUIRE_FALSE(started);
    REQUIRE(all_of(std::move(stream)).size() == 1);
    REQUIRE(started);
}

TEST_CASE("a stream can await timers, its executor and other streams", "[stream]")
{
    const auto body = []() -> Stream<std::string> {
        co_await agdf::sleep_for(std::chrono::milliseconds(1));
        const auto executor = co_await asio::this_coro::executor;
        asio::steady_timer timer{executor, std::chrono::milliseconds(1)};
        co_await timer.async_wait(asio::use_awaitable);
        auto inner = count_to(2);
        while (auto number = co_await inner.next())
            co_yield std::to_string(*number);
    };
    REQUIRE(all_of(body()) == std::vector<std::string>{"1", "2"});
}

TEST_CASE("a value that converts to the item can be yielded", "[stream]")
{
    const auto body = []() -> Stream<std::string> {
        co_yield "literal";
        const std::string constant = "constant";
        co_yield constant;
    };
    REQUIRE(all_of(body()) == std::vector<std::string>{"literal", "constant"});
}

TEST_CASE("yielding a named item copies it, yielding a moved one does not", "[stream]")
{
    Counted::reset_copies();
    {
        const auto body = []() -> Stream<Counted> {
            Counted named{1};
            co_yield named;
            co_yield std::move(named);
        };
        REQUIRE(all_of(body()).size() == 2);
    }
    REQUIRE(Counted::alive() == 0);
    REQUIRE(Counted::copies() <= 1 + 1);  // the vector may copy once when it grows
}

TEST_CASE("move-only items can be yielded", "[stream]")
{
    const auto body = []() -> Stream<std::unique_ptr<int>> {
        co_yield std::make_unique<int>(7);
        auto named = std::make_unique<int>(8);
        co_yield std::move(named);
    };
    const auto items = all_of(body());
    REQUIRE(*items.at(0) == 7);
    REQUIRE(*items.at(1) == 8);
}

TEST_CASE("an exception in a stream reaches whoever drives it, after the items before it", "[stream]")
{
    std::vector<int> seen;
    const auto body = []() -> Stream<int> {
        co_yield 1;
        throw std::runtime_error("broken");
    };
    asio::io_context io;
    std::string text;
    auto stream = body();
    const auto drive = [&]() -> asio::awaitable<void> {
        while (auto item = co_await stream.next())
            seen.push_back(*item);
    };
    asio::co_spawn(io, drive, [&](std::exception_ptr e) { text = agdf::describe(e); });
    io.run();
    REQUIRE(seen == std::vector{1});
    REQUIRE(text == "broken");
}

TEST_CASE("an exception of an awaited operation can be caught in the stream", "[stream]")
{
    const auto failing = []() -> asio::awaitable<int> {
        throw std::runtime_error("no");
        co_return 1;
    };
    const auto body = [failing]() -> Stream<std::string> {
        std::string text;
        try {
            auto number = co_await failing();
            text = std::to_string(number);
        } catch (const std::runtime_error& error) {
            text = error.what();
        }
        co_yield text;
    };
    REQUIRE(all_of(body()) == std::vector<std::string>{"no"});
}

TEST_CASE("a stream that is destroyed half-way destroys what it holds", "[stream]")
{
    {
        asio::io_context io;
        const auto body = []() -> Stream<int> {
            const Counted held{1};
            co_yield 1;
            co_yield held.value();
        };
        auto stream = body();
        const auto once = [&]() -> asio::awaitable<void> {
            auto first = co_await stream.next();
            REQUIRE(first == std::optional{1});
        };
        asio::co_spawn(io, once, asio::detached);
        io.run();
        REQUIRE(Counted::alive() == 1);
    }
    REQUIRE(Counted::alive() == 0);
}

TEST_CASE("a million items do not deepen the stack", "[stream]")
{
    asio::io_context io;
    long total = 0;
    auto stream = count_to(1'000'000);
    const auto drive = [&]() -> asio::awaitable<void> {
        while (auto item = co_await stream.next())
            total += *item;
    };
    asio::co_spawn(io, drive, asio::detached);
    io.run();
    REQUIRE(total == 500'000'500'000);
}

TEST_CASE("a cancelled stream sees operation_aborted at its await and can still yield what it has", "[stream]")
{
    asio::io_context io;
    asio::cancellation_signal signal;
    std::vector<int> seen;
    const auto body = []() -> Stream<int> {
        bool cancelled = false;
        try {
            co_await agdf::sleep_for(std::chrono::hours(1));
        } catch (const asio::system_error& error) {
            cancelled = error.code() == asio::error::operation_aborted;
        }
        const int last = cancelled ? 42 : 0;
        co_yield last;
    };
    auto stream = body();
    const auto drive = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        while (auto item = co_await stream.next())
            seen.push_back(*item);
    };
    asio::co_spawn(io, drive, asio::bind_cancellation_slot(signal.slot(), asio::detached));
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    REQUIRE(seen == std::vector{42});
}
