// Bodies that see their whole stream.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using agdf::Outcome;
using agdf::Receiver;
using agdf::Stream;
using test::Watchdog;
using Ints = std::vector<int>;

Ints up_to(int n)
{
    Ints numbers(static_cast<std::size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

}  // namespace

TEST_CASE("a body that sees its whole stream keeps state and yields a last time at the end", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto sums = graph.add_node("sums", [](Receiver<int> numbers) -> Stream<int> {
        int total = 0;
        while (auto number = co_await numbers.next())
            total += *number;
        co_yield total;
    });
    graph.add_node("numbers", agdf::from_range(up_to(100)), {}) >> sums >> graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == Ints{5050});
}

TEST_CASE("the end is seen again and again, and an empty stream has one", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int ends = 0;
    auto sink = graph.add_node("sink", [&](Receiver<int> numbers) -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            auto number = co_await numbers.next();
            ends += number ? 0 : 1;
        }
    });
    graph.add_node("nothing", agdf::from_range(Ints{})) >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(ends == 3);
}

TEST_CASE("workers that see the stream compete for one queue and each sees the end", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints counts;
    auto counters = graph.add_node("counters", [](Receiver<int> numbers) -> Stream<int> {
        int count = 0;
        while (auto number = co_await numbers.next()) {
            co_await agdf::sleep_for(std::chrono::microseconds(1));
            ++count;
        }
        co_yield count;
    }, {.workers = 3, .queue_size = 2});
    graph.add_node("numbers", agdf::from_range(up_to(60))) >> counters >> graph.add_node("counts", agdf::collect(counts));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(counts.size() == 3);
    REQUIRE(std::accumulate(counts.begin(), counts.end(), 0) == 60);
}

TEST_CASE("what a body leaves unread is counted as undelivered, and its producers end", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto first = graph.add_node("first", [](Receiver<int> numbers) -> asio::awaitable<void> {
        auto number = co_await numbers.next();
        (void)number;
    }, {.queue_size = 4});
    graph.add_node("numbers", agdf::from_range(up_to(50))) >> first;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed);
    REQUIRE(report.node("first").in == 50);
    REQUIRE(report.node("first").undelivered == 49);
}

TEST_CASE("a body that fails at an item begins anew with the next one", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto pick = graph.add_node("pick", [](Receiver<int> numbers) -> Stream<int> {
        while (auto number = co_await numbers.next()) {
            if (*number % 3 == 0)
                throw std::runtime_error("a third");
            co_yield *number;
        }
    });
    graph.add_node("numbers", agdf::from_range(up_to(7))) >> pick >> graph.add_node("results", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed_with_errors);
    REQUIRE(report.node("pick").err == 2);
    REQUIRE(results == Ints{1, 2, 4, 5, 7});
}

TEST_CASE("a body that fails before it reads does not fail for ever", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto broken = graph.add_node("broken", [](Receiver<int>) -> asio::awaitable<void> {
        throw std::runtime_error("at once");
        co_return;
    });
    graph.add_node("numbers", agdf::from_range(up_to(5))) >> broken;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed_with_errors);
    REQUIRE(report.node("broken").err >= 5);
    REQUIRE(report.node("broken").err <= 6);
}

TEST_CASE("a generic body is given its Receiver when add_node names it", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int total = 0;
    auto sink = graph.add_node<Receiver<int>>("sink", [&](auto numbers) -> asio::awaitable<void> {
        while (auto number = co_await numbers.next())
            total += *number;
    });
    graph.add_node("numbers", agdf::from_range(up_to(4))) >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(total == 10);
}

TEST_CASE("move-only items pass through a Receiver", "[receiver]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int total = 0;
    auto boxes = graph.add_node("boxes", [](int n) { return std::make_unique<int>(n); });
    auto sink = graph.add_node("sink", [&](Receiver<std::unique_ptr<int>> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next())
            total += **item;
    });
    graph.add_node("numbers", agdf::from_range(up_to(4))) >> boxes >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(total == 10);
}
