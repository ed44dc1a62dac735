// Everything has a bound.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Watchdog;

agdf::Stream<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i)
        co_yield i;
}

}  // namespace

TEST_CASE("no queue ever holds more than its size, and a slow sink fills it", "[bounded]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(1U, 2U, 3U, 8U, 1'000U);
    const std::size_t threads = GENERATE(1U, 3U);
    const std::size_t workers = GENERATE(1U, 3U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    const int items = 200;
    std::atomic<int> sum{0};
    auto source = graph.add_node("source", [] { return count_to(items); });
    auto relay = graph.add_node("relay", [](int n) -> agdf::Stream<int> { co_yield n; }, {.workers = workers, .queue_size = queue_size});
    auto sink = graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        sum += n;
    }, {.workers = workers, .queue_size = queue_size});
    source >> relay >> sink;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(sum == items * (items + 1) / 2);
    for (const char* name : {"relay", "sink"}) {
        CHECK(report.node(name).queue_peak <= queue_size);
        CHECK(report.node(name).queue_size == queue_size);
        CHECK(report.node(name).queued == 0);
    }
    if (threads == 1)
        CHECK(report.node("sink").queue_peak >= std::min<std::size_t>(queue_size, 100));
}

TEST_CASE("the number of items alive is bounded by queues and workers, not by the length of the stream", "[bounded]")
{
    Watchdog watchdog;
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        int most = 0;
        auto source = graph.add_node("source", []() -> agdf::Stream<test::Counted> {
            for (int i = 0; i < 5'000; ++i) {
                test::Counted item{i};
                co_yield std::move(item);
            }
        });
        auto relay = graph.add_node("relay", [](test::Counted item) -> agdf::Stream<test::Counted> {
            co_yield item;
            co_yield std::move(item);
        }, {.queue_size = 4});
        auto sink = graph.add_node("sink", [&](test::Counted) -> asio::awaitable<void> {
            most = std::max(most, test::Counted::alive());
            const auto executor = co_await asio::this_coro::executor;
            co_await asio::post(executor, asio::use_awaitable);
        }, {.workers = 2, .queue_size = 4});
        source >> relay >> sink;
        CHECK(graph.run().outcome == Outcome::completed);
        CHECK(most <= 2 * 4 + 20);
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("a branch may be ahead of its slow sibling by no more than the sibling's queue", "[bounded]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int fast = 0, slow = 0, ahead = 0;
    auto source = graph.add_node("source", [] { return count_to(300); });
    source >> graph.add_node("slow", [&](int) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        ahead = std::max(ahead, fast - slow);
        ++slow;
    }, {.queue_size = 5});
    source >> graph.add_node("fast", [&](int) { ++fast; }, {.queue_size = 1'000});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(fast == 300);
    CHECK(slow == 300);
    CHECK(ahead <= 5 + 2);  // the one slow works on, five queued, one offered
    CHECK(report.node("slow").queue_peak == 5);
}

TEST_CASE("a long chain and a wide broadcast work with queues of one", "[bounded]")
{
    Watchdog watchdog;
    const std::size_t threads = GENERATE(1U, 2U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    std::atomic<int> arrived{0};
    const agdf::NodeOptions one{.queue_size = 1};
    auto source = graph.add_node("source", [] { return count_to(50); });
    for (int branch = 0; branch < 5; ++branch) {
        auto last = graph.add_node("head" + std::to_string(branch), [](int n) { return n; }, one);
        source >> last;
        for (int i = 0; i < 10; ++i) {
            auto next = graph.add_node(std::to_string(branch) + "." + std::to_string(i), [](int n) -> agdf::Stream<int> {
                co_yield n;
                co_yield n;
            }, one);
            auto half = graph.add_node(std::to_string(branch) + ".half." + std::to_string(i),
                                       [odd = false](int n) mutable { return (odd = !odd) ? std::optional<int>{n} : std::nullopt; }, one);
            last >> next >> half;
            auto joined = graph.add_node(std::to_string(branch) + ".joined." + std::to_string(i),
                                         [](int n) -> asio::awaitable<int> { co_return n; }, one);
            half >> joined;
            last = joined;
        }
        last >> graph.add_node("sink" + std::to_string(branch), [&](int) { ++arrived; }, one);
    }
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(arrived == 250);
    CHECK(std::all_of(report.nodes.begin(), report.nodes.end(), [](const agdf::NodeStats& n) { return n.queue_peak <= n.queue_size; }));
}

TEST_CASE("a diamond whose branches differ in length and speed does not block with queues of one", "[bounded]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int arrived = 0;
    const agdf::NodeOptions one{.queue_size = 1};
    auto source = graph.add_node("source", [] { return count_to(100); });
    auto sink = graph.add_node("sink", [&](int) { ++arrived; }, one);
    source >> sink;
    source >> graph.add_node("a", [](int n) { return n; }, one) >> sink;
    source >> graph.add_node("b", [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1us);
        co_return n;
    }, one) >> graph.add_node("c", [](int n) { return n; }, one) >> sink;
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(arrived == 300);
}

TEST_CASE("items come out whole and in order however often they go round the memory of queues of any size", "[bounded][order]")
{
    const Watchdog watchdog;
    const std::size_t first_size = GENERATE(1U, 2U, 3U, 15U, 16U, 17U, 63U, 64U, 65U, 300U);
    const std::size_t second_size = GENERATE(1U, 3U, 17U, 64U, 100U);
    const std::size_t threads = GENERATE(1U, 2U);
    CAPTURE(first_size, second_size, threads);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    constexpr int items = 1'000;
    std::vector<std::string> results;
    const auto text = [](int n) { return "the item with the number " + std::to_string(n); };  // too long to lie in the string itself
    graph.add_node("source", [] { return count_to(items); }) >>
        graph.add_node("to text", [text](int n) { return text(n); }, {.queue_size = first_size}) >>
        graph.add_node("the odd ones", [](std::string item) {
            const bool is_odd = (item.back() - '0') % 2 == 1;
            return is_odd ? std::optional<std::string>(std::move(item)) : std::nullopt;
        }, {.queue_size = second_size}) >>
        graph.add_node("twice", [](std::string item) -> agdf::Stream<std::string> {
            co_yield item;
            co_yield item;
        }, {.queue_size = first_size}) >>
        graph.add_node("sink", agdf::collect(results), {.queue_size = second_size});
    graph.run().throw_if_failed();
    std::vector<std::string> expected;
    for (int n = 1; n <= items; n += 2)
        expected.insert(expected.end(), 2, text(n));
    CHECK(results == expected);
}
