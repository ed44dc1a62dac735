#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using agdf::testing::probe;
using Durations = std::vector<std::chrono::steady_clock::duration>;

namespace {

agdf::Stream<int> parse(std::string text)
{
    if (text == "x")
        throw std::invalid_argument("not a number: " + text);
    const int number = std::stoi(text);
    co_yield number;
}

}  // namespace

TEST_CASE("a probe runs a Stream body and returns what it yielded and what failed", "[probe]")
{
    const test::Watchdog watchdog;
    auto result = probe(parse, {"1", "x", "2"});
    REQUIRE(result.outputs == std::vector{1, 2});
    REQUIRE(result.error_texts == std::vector<std::string>{"not a number: x"});
    REQUIRE(result.errors.size() == 1);
    REQUIRE_THROWS_AS(std::rethrow_exception(result.errors.front()), std::invalid_argument);
    REQUIRE(result.outcome == agdf::Outcome::completed_with_errors);
    REQUIRE(result.stats.name == "probe");
    REQUIRE(result.stats.in == 3);
    REQUIRE(result.stats.out == 2);
    REQUIRE(result.stats.err == 1);
}

TEST_CASE("a probe runs plain bodies: one to one, filters and sinks", "[probe]")
{
    const test::Watchdog watchdog;
    REQUIRE(probe([](int i) { return i * 2; }, {1, 2}).outputs == std::vector{2, 4});
    REQUIRE(probe([](int i) { return i % 2 ? std::optional{i} : std::nullopt; }, {1, 2, 3}).outputs == std::vector{1, 3});
    int sum = 0;
    const auto result = probe([&](int i) { sum += i; }, {1, 2});
    REQUIRE(sum == 3);
    REQUIRE(result.outputs.empty());
    REQUIRE(result.outcome == agdf::Outcome::completed);
    REQUIRE(probe([](bool b) { return !b; }, {true, false}).outputs == std::vector{false, true});
}

TEST_CASE("a probe runs awaitable bodies, whose sleeps take no time and are taken down", "[probe]")
{
    const test::Watchdog watchdog;
    const auto slow = [](int i) -> asio::awaitable<int> {
        co_await agdf::sleep_for(std::chrono::hours(i));
        co_return -i;
    };
    const auto result = probe(slow, {1, 2});
    REQUIRE(result.outputs == std::vector{-1, -2});
    REQUIRE(result.sleeps == Durations{1h, 2h});
    REQUIRE(result.elapsed == 3h);
}

TEST_CASE("a probe passes the node's options on", "[probe]")
{
    const test::Watchdog watchdog;
    const auto slow = [](int) -> asio::awaitable<void> { co_await agdf::sleep_for(1h); };
    REQUIRE(probe(slow, {1, 2, 3, 4}, {.workers = 2}).elapsed == 2h);
    const auto fails = [](int i) -> int { throw std::runtime_error(std::to_string(i)); };
    const auto result = probe(fails, {1, 2}, {.on_error = agdf::OnError::halt});
    REQUIRE(result.outcome == agdf::Outcome::halted);
    REQUIRE(result.error_texts == std::vector<std::string>{"1"});
    const auto text = test::graph_error_of([&] { (void)probe(fails, {1}, {.workers = 0}); });
    REQUIRE_THAT(text, Catch::Matchers::ContainsSubstring("'probe'"));
}

TEST_CASE("a probe runs blocking bodies", "[probe]")
{
    const test::Watchdog watchdog;
    REQUIRE(probe(agdf::blocking([](int i) { return i + 1; }), {1, 2}).outputs == std::vector{2, 3});
}

TEST_CASE("a probe runs sources and other bodies that take nothing, once", "[probe]")
{
    const test::Watchdog watchdog;
    const auto ticks = []() -> agdf::Stream<int> {
        for (int i = 0; i < 3; ++i) {
            co_await agdf::sleep_for(1min);
            co_yield i;
        }
    };
    const auto result = probe(ticks);
    REQUIRE(result.outputs == std::vector{0, 1, 2});
    REQUIRE(result.elapsed == 3min);
    REQUIRE(probe([] { return 7; }).outputs == std::vector{7});
    REQUIRE(probe(ticks, {}, {.queue_size = 1}).outputs.size() == 3);
}

TEST_CASE("a probe runs bodies that see their whole stream", "[probe]")
{
    const test::Watchdog watchdog;
    const auto sum = [](agdf::Receiver<int> numbers) -> agdf::Stream<int> {
        int total = 0;
        while (auto number = co_await numbers.next())
            total += *number;
        co_yield total;
    };
    REQUIRE(probe(sum, {1, 2, 3}).outputs == std::vector{6});
    REQUIRE(probe(sum).outputs == std::vector{0});
    int seen = 0;
    const auto count = [&](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
        while (auto number = co_await numbers.next())
            ++seen;
    };
    REQUIRE(probe(count, {4, 5}).outcome == agdf::Outcome::completed);
    REQUIRE(seen == 2);
}

TEST_CASE("a probe unpacks tuples, and takes a given type for a generic body", "[probe]")
{
    const test::Watchdog watchdog;
    const auto join = [](int i, const std::string& text) { return std::to_string(i) + text; };
    REQUIRE(probe(join, {{1, "a"}, {2, "b"}}).outputs == std::vector<std::string>{"1a", "2b"});
    REQUIRE(probe<int>([](auto x) { return 2 * x; }, {1, 2}).outputs == std::vector{2, 4});
}

TEST_CASE("a probe moves items that cannot be copied", "[probe]")
{
    const test::Watchdog watchdog;
    std::vector<std::unique_ptr<int>> items;
    items.push_back(std::make_unique<int>(4));
    const auto result = probe([](std::unique_ptr<int> i) { return i; }, std::move(items));
    REQUIRE(*result.outputs.front() == 4);
}

TEST_CASE("a probe takes items in braces or in a vector, and nothing else", "[probe]")
{
    const auto twice = [](int n) { return 2 * n; };
    const std::vector kept{1, 2};
    REQUIRE(probe(twice, {3}).outputs == std::vector{6});
    REQUIRE(probe(twice, {3, 4}).outputs == std::vector{6, 8});
    REQUIRE(probe(twice, kept).outputs == std::vector{2, 4});
    REQUIRE(probe(twice, std::vector{1}).outputs == std::vector{2});
    REQUIRE(probe(twice, {}).outputs.empty());
    using List = agdf::detail::ProbeList<int>;
    STATIC_REQUIRE_FALSE(std::is_constructible_v<List, const char*, const char*>);  // a vector<int> is made of them
    STATIC_REQUIRE_FALSE(std::is_constructible_v<List, int, int>);                  // a vector<int> is: of the second, so often
}

TEST_CASE("a probe keeps every error of its items", "[probe]")
{
    const test::Watchdog watchdog;
    const auto fails = [](int) -> asio::awaitable<void> { throw std::runtime_error("no"); co_return; };
    REQUIRE(probe(fails, std::vector<int>(1'500)).errors.size() == 1'500);
}

TEST_CASE("a probe leaves nothing behind", "[probe]")
{
    const test::Watchdog watchdog;
    (void)probe([](test::Counted counted) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1h);
        co_return counted.value();
    }, {test::Counted{1}, test::Counted{2}});
    REQUIRE(test::Counted::alive() == 0);
}
