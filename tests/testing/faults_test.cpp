#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using agdf::testing::FaultKind;
using agdf::testing::faulty;
using agdf::testing::Faults;
using agdf::testing::Injection;
using agdf::testing::probe;
using Injections = std::vector<Injection>;
using Catch::Matchers::StartsWith;

namespace {

agdf::Stream<int> twice(int i)
{
    co_yield i;
    co_yield i;
}

asio::awaitable<int> negate(int i) { co_return -i; }

agdf::Stream<int> sums(agdf::Receiver<int> numbers)
{
    int total = 0;
    while (auto number = co_await numbers.next()) {
        total += *number;
        co_yield total;
    }
}

template <class Body>
using Traits = agdf::detail::BodyTraits<decltype(faulty(std::declval<Body>(), Faults{}))>;

}  // namespace

TEST_CASE("the nth call of a body fails, as planned", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.fail(2).fail(4, std::out_of_range("far away")).fail(5, std::make_exception_ptr(5));
    const auto result = probe(faulty(negate, faults), {1, 2, 3, 4, 5, 6});
    REQUIRE(result.outputs == std::vector{-1, -3, -6});
    REQUIRE(result.error_texts == std::vector<std::string>{"agdf::testing::Faults: call 2 fails, as planned", "far away",
                                                           "an exception that is not a std::exception"});
    REQUIRE_THROWS_AS(std::rethrow_exception(result.errors[0]), agdf::testing::InjectedFault);
    REQUIRE_THROWS_AS(std::rethrow_exception(result.errors[1]), std::out_of_range);
    REQUIRE(faults.calls() == 6);
    REQUIRE(faults.injected() == Injections{{2, FaultKind::failure}, {4, FaultKind::failure}, {5, FaultKind::failure}});
}

TEST_CASE("the nth call of a body begins later, which takes no time", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.delay(1, 2h).delay(3, 1h).fail(3);
    const auto result = probe(faulty(negate, faults), {1, 2, 3});
    REQUIRE(result.outputs == std::vector{-1, -2});
    REQUIRE(result.elapsed == 3h);
    REQUIRE(result.sleeps == std::vector<std::chrono::steady_clock::duration>{2h, 1h});
    REQUIRE(faults.injected() == Injections{{1, FaultKind::delay}, {3, FaultKind::delay}, {3, FaultKind::failure}});
}

TEST_CASE("the nth call of a body loses its connection", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.drop_connection(1);
    const auto result = probe(faulty(negate, faults), {1, 2});
    REQUIRE(result.outputs == std::vector{-2});
    REQUIRE(faults.injected() == Injections{{1, FaultKind::lost_connection}});
    try {
        std::rethrow_exception(result.errors.at(0));
    } catch (const asio::system_error& error) {
        REQUIRE(error.code() == asio::error::connection_reset);
    }
    REQUIRE_THAT(result.error_texts.at(0), Catch::Matchers::StartsWith("agdf::testing::Faults: call 1 loses its connection, as planned"));
}

TEST_CASE("a failure that is not reached has not happened", "[faults]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    Faults faults;
    faults.delay(1, 1h).fail(1).fail(9);
    agdf::Graph graph{io, test::quiet()};
    (void)graph.add_node("once", faulty([] { return 1; }, faults));
    const auto stop = [&]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(1min);
        graph.cancel();
    };
    asio::co_spawn(io, stop, asio::detached);
    REQUIRE(graph.run().outcome == agdf::Outcome::cancelled);
    REQUIRE(faults.injected() == Injections{{1, FaultKind::delay}});
}

TEST_CASE("bodies of every shape can be made faulty, and take and yield what they did", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.delay(1, 1h).fail(2);

    SECTION("plain functions")
    {
        const auto result = probe(faulty([](int i) { return i + 1; }, faults), {1, 2, 3});
        REQUIRE(result.outputs == std::vector{2, 4});
        REQUIRE(result.elapsed == 1h);
    }
    SECTION("filters")
    {
        const auto result = probe(faulty([](int i) { return i == 3 ? std::nullopt : std::optional{i}; }, faults), {1, 2, 3, 4});
        REQUIRE(result.outputs == std::vector{1, 4});
    }
    SECTION("plain sinks")
    {
        int sum = 0;
        REQUIRE(probe(faulty([&](const int& i) { sum += i; }, faults), {1, 2, 3}).stats.err == 1);
        REQUIRE(sum == 4);
    }
    SECTION("streams")
    {
        const auto result = probe(faulty(twice, faults), {1, 2, 3});
        REQUIRE(result.outputs == std::vector{1, 1, 3, 3});
        REQUIRE(result.elapsed == 1h);
    }
    SECTION("awaitable filters and sinks")
    {
        const auto odd = [](int i) -> asio::awaitable<std::optional<int>> {
            if (i % 2 == 0)
                co_return std::nullopt;
            co_return i;
        };
        REQUIRE(probe(faulty(odd, faults), {1, 3, 4, 5}).outputs == std::vector{1, 5});
        const auto sink = [](std::string) -> asio::awaitable<void> { co_return; };
        REQUIRE(probe(faulty(sink, Faults{}.fail(1)), {"a", "b"}).stats.err == 1);
    }
    SECTION("blocking functions, move-only items")
    {
        std::vector<std::unique_ptr<int>> items;
        for (int i = 1; i <= 3; ++i)
            items.push_back(std::make_unique<int>(i));
        const auto result = probe(
            faulty(agdf::blocking([one = std::make_unique<int>(1)](std::unique_ptr<int> i) { return *i + *one; }), faults), std::move(items));
        REQUIRE(result.outputs == std::vector{2, 4});
        REQUIRE(result.elapsed == 1h);
        std::string text;
        REQUIRE(probe(faulty(agdf::blocking([&](const std::string& item) { text += item; }), Faults{}.fail(2)), {"a", "b", "c"}).stats.err == 1);
        REQUIRE(text == "ac");
    }
    SECTION("elements of a tuple")
    {
        const auto join = [](int i, const std::string& text) { return std::to_string(i) + text; };
        REQUIRE(probe(faulty(join, faults), {{1, "a"}, {2, "b"}}).outputs == std::vector<std::string>{"1a"});
    }
    SECTION("std::function")
    {
        const std::function<int(int)> half = [](int i) { return i / 2; };
        REQUIRE(probe(faulty(half, faults), {2, 4}).outputs == std::vector{1});
    }
    SECTION("one body for each worker")
    {
        const auto make = [] { return [calls = 0](int i) mutable { return 10 * ++calls + i; }; };
        REQUIRE(probe(faulty(agdf::per_worker(make), faults), {1, 2, 3}).outputs == std::vector{11, 23});
    }
    SECTION("bodies that take nothing")
    {
        REQUIRE(probe(faulty([] { return 7; }, faults)).outputs == std::vector{7});
    }
}

TEST_CASE("of a source each item is a call, and it ends with its first failure", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.delay(1, 1h).fail(3).fail(4);
    const auto result = probe(faulty(agdf::from_range(std::vector{1, 2, 3, 4}), faults));
    REQUIRE(result.outputs == std::vector{1, 2});
    REQUIRE(result.elapsed == 1h);
    REQUIRE(result.stats.err == 1);
    REQUIRE(faults.injected() == Injections{{1, FaultKind::delay}, {3, FaultKind::failure}});
}

TEST_CASE("of a body with a Receiver each next() is a call, and it cannot be delayed", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.fail(3).delay(5, 1h);
    const auto result = probe(faulty(sums, faults), {1, 2, 3, 4});
    REQUIRE(result.outputs == std::vector{1, 3, 3, 4});
    REQUIRE(result.error_texts.size() == 2);
    REQUIRE_THAT(result.error_texts[1], StartsWith("agdf::testing::Faults: a delay is planned for call 5 of an edge or of a body with a Receiver."));

    int seen = 0;
    const auto sink = [&](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
        while (auto number = co_await numbers.next())
            seen += *number;
    };
    REQUIRE(probe(faulty(sink, Faults{}.drop_connection(2)), {1, 2}).stats.err == 1);
    REQUIRE(seen == 3);
}

TEST_CASE("of a body with several Receivers each next() of any of them is a call", "[faults]")
{
    const test::Watchdog watchdog;
    Faults faults;
    faults.drop_connection(4);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3}));
    const auto words = graph.add_node("words", agdf::from_range(std::vector<std::string>{"a", "b", "c"}));
    const auto zipped = graph.add_node("zip", faulty(agdf::zip<int, std::string>(), faults));
    std::string text;
    const auto sink = graph.add_node("sink", [&](int number, const std::string& word) { text += std::to_string(number) + word; });
    graph.add_edge(numbers, zipped.input<0>());
    graph.add_edge(words, zipped.input<1>());
    graph.add_edge(zipped, sink);
    const auto report = graph.run();
    CHECK(text == "1a3b");  // the zip had taken 2, and began anew
    CHECK(report.outcome == agdf::Outcome::completed_with_errors);
    CHECK(report.node("zip").err == 1);
    CHECK(faults.injected() == Injections{{4, FaultKind::lost_connection}});
}

TEST_CASE("an edge fails as planned, which is an error of its source", "[faults]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Faults faults;
    faults.fail(2).drop_connection(3).delay(4, 1h);
    std::vector<int> got;
    const auto source = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3, 4, 5}));
    const auto middle = graph.add_node("middle", [](int i) { return i; });
    const auto sink = graph.add_node("sink", agdf::collect(got));
    source >> middle;
    graph.add_edge(middle, sink, agdf::testing::faulty_edge<int>(faults));
    const agdf::RunReport report = graph.run();
    REQUIRE(got == std::vector{1, 5});
    REQUIRE(report.node("middle").err == 3);
    REQUIRE(faults.injected() == Injections{{2, FaultKind::failure}, {3, FaultKind::lost_connection}});
    REQUIRE_THAT(test::text_of(report.exceptions("middle").at(2)), StartsWith("agdf::testing::Faults: a delay is planned for call 4"));
}

TEST_CASE("an edge of items that cannot be copied can be faulty", "[faults]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::unique_ptr<int>> got;
    const auto source = graph.add_node("one", [] { return std::make_unique<int>(1); });
    const auto sink = graph.add_node("sink", agdf::collect(got));
    graph.add_edge(source, sink, agdf::testing::faulty_edge<std::unique_ptr<int>>(Faults{}));
    REQUIRE(graph.run().outcome == agdf::Outcome::completed);
    REQUIRE(got.size() == 1);
}

TEST_CASE("calls are counted over all workers and threads, and from run to run", "[faults]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    Faults faults;
    for (std::size_t call = 10; call <= 2'000; call += 10)
        faults.fail(call);
    const auto source = graph.add_node("numbers", agdf::from_range(std::vector<int>(1'000)));
    const auto sink = graph.add_node("work", faulty([](int) {}, faults), {.workers = 4});
    source >> sink;
    REQUIRE(graph.run().node("work").err == 100);
    REQUIRE(faults.calls() == 1'000);
    REQUIRE(graph.run().node("work").err == 100);
    REQUIRE(faults.injected().size() == 200);
}

TEST_CASE("there is no call 0", "[faults]")
{
    Faults faults;
    REQUIRE_THROWS_WITH(faults.fail(0), StartsWith("agdf::testing::Faults: there is no call 0."));
    REQUIRE_THROWS_AS(faults.delay(0, 1s), std::invalid_argument);
    REQUIRE_THROWS_AS(faults.drop_connection(0), std::invalid_argument);
}

TEST_CASE("copies of Faults are the same faults", "[faults]")
{
    const test::Watchdog watchdog;
    const Faults faults;
    Faults copy = faults;
    copy.fail(1);
    REQUIRE(probe(faulty(negate, faults), {1}).stats.err == 1);
    REQUIRE(copy.calls() == 1);
}

TEST_CASE("faults leave nothing behind, wherever they strike", "[faults]")
{
    const test::Watchdog watchdog;
    for (std::size_t call = 1; call <= 3; ++call) {
        Faults faults;
        faults.delay(call, 1h).fail(call);
        (void)probe(faulty([](test::Counted counted) { return counted; }, faults), {test::Counted{1}, test::Counted{2}});
        (void)probe(faulty([](test::Counted counted) -> agdf::Stream<test::Counted> { co_yield counted; }, faults),
                    {test::Counted{1}, test::Counted{2}});
    }
    REQUIRE(test::Counted::alive() == 0);
}

static_assert(std::is_same_v<Traits<int (*)(std::string)>::In, std::string>);
static_assert(std::is_same_v<Traits<int (*)(std::string)>::Out, int>);
static_assert(std::is_same_v<Traits<std::optional<int> (*)(int)>::Out, int>);
static_assert(std::is_void_v<Traits<void (*)(int)>::Out>);
static_assert(std::is_void_v<Traits<agdf::Stream<int> (*)()>::In>);
static_assert(Traits<decltype(&sums)>::passing == agdf::detail::Passing::receiver);
static_assert(std::is_same_v<Traits<agdf::Stream<int> (*)(int, std::string)>::In, std::tuple<int, std::string>>);
