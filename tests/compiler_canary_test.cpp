// The forms of coroutines that the library and its documentation rely on. Some compilers get neighbours of these forms
// wrong (GCC 12 destroys an aggregate or a capturing lambda twice that is made in an awaiting expression), so a change
// of the compiler is noticed here first.

#include <agdf/agdf.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using test::Counted;

struct Row {  // an aggregate
    Counted counted;
    std::string text;
};

asio::awaitable<std::optional<int>> count_down(int& n)
{
    if (n == 0)
        co_return std::nullopt;
    co_return n--;
}

asio::awaitable<int> one() { co_return 1; }
asio::awaitable<int> value_of(Row row) { co_return row.counted.value(); }
asio::awaitable<int> value_of_counted(Counted counted) { co_return counted.value(); }

/// Runs a coroutine and says that nothing it made is left, nor destroyed twice.
template <class F>
void run(F coroutine)
{
    {
        asio::io_context io;
        std::exception_ptr error;
        asio::co_spawn(io, coroutine, [&](std::exception_ptr e) { error = e; });
        io.run();
        if (error)
            std::rethrow_exception(error);
    }
    REQUIRE(Counted::alive() == 0);
}

}  // namespace

TEST_CASE("a coroutine without any other local can await in the head of a while", "[compiler]")
{
    int n = 3;
    int total = 0;
    run([&]() -> asio::awaitable<void> {
        while (auto x = co_await count_down(n))
            total += *x;
    });
    REQUIRE(total == 6);
}

TEST_CASE("an awaited value can be named, dropped and returned", "[compiler]")
{
    int result = 0;
    const auto inner = []() -> asio::awaitable<int> { co_return co_await one(); };
    run([&]() -> asio::awaitable<void> {
        co_await one();
        auto x = co_await inner();
        result = x;
    });
    REQUIRE(result == 1);
}

TEST_CASE("a named aggregate goes into an awaited call and is destroyed once", "[compiler]")
{
    int result = 0;
    run([&]() -> asio::awaitable<void> {
        Row row{Counted{7}, std::string(100, 'x')};
        auto x = co_await value_of(std::move(row));
        result = x;
    });
    REQUIRE(result == 7);
}

TEST_CASE("a temporary with a constructor goes into an awaited call and is destroyed once", "[compiler]")
{
    int result = 0;
    run([&]() -> asio::awaitable<void> {
        auto x = co_await value_of_counted(Counted{8});
        result = x;
    });
    REQUIRE(result == 8);
}

TEST_CASE("a named capturing lambda goes into an awaited call and is destroyed once", "[compiler]")
{
    int result = 0;
    run([&]() -> asio::awaitable<void> {
        auto call = [counted = Counted{9}, text = std::string(100, 'x')] { return counted.value(); };
        auto x = co_await agdf::run_blocking(std::move(call));
        result = x;
    });
    REQUIRE(result == 9);
}

TEST_CASE("a named aggregate and a call's result can be yielded and are destroyed once", "[compiler]")
{
    const auto make = [](int n) { return Row{Counted{n}, std::string(100, 'y')}; };
    const auto rows = [make]() -> agdf::Stream<Row> {
        Row row{Counted{1}, std::string(100, 'x')};
        co_yield row;
        co_yield std::move(row);
        co_yield make(3);
    };
    std::vector<int> values;
    run([&]() -> asio::awaitable<void> {
        auto stream = rows();
        while (auto row = co_await stream.next())
            values.push_back(row->counted.value());
    });
    REQUIRE(values == std::vector{1, 1, 3});
}

TEST_CASE("an exception passes through awaits, and what was parked in a catch can be awaited after it", "[compiler]")
{
    std::string text;
    const auto failing = []() -> asio::awaitable<int> {
        const Counted held{1};
        throw std::runtime_error("passed through");
        co_return held.value();
    };
    run([&]() -> asio::awaitable<void> {
        std::exception_ptr error;
        try {
            auto x = co_await failing();
            text = std::to_string(x);
        } catch (...) {
            error = std::current_exception();
        }
        auto x = co_await one();
        text = agdf::describe(error) + std::to_string(x);
    });
    REQUIRE(text == "passed through1");
}
