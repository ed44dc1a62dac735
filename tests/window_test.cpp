// The stream in pieces of equal size.

#include "support/counted.hpp"
#include "support/pieces.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace {

using agdf::Outcome;
using test::Counted;
using test::results_of;
using test::timed_results_of;
using test::up_to;
using test::Watchdog;
using namespace std::chrono_literals;
using Ints = std::vector<int>;
using Windows = std::vector<Ints>;
using Timed = std::vector<std::pair<long, Ints>>;

}  // namespace

TEST_CASE("windows by count follow on one another, and the rest leaves at the end", "[window]")
{
    REQUIRE(results_of<Windows>(agdf::window<int>({.max_items = 3}), up_to(7)) == Windows{{1, 2, 3}, {4, 5, 6}, {7}});
    REQUIRE(results_of<Windows>(agdf::window<int>({.max_items = 2}), up_to(4), {.queue_size = 1}) == Windows{{1, 2}, {3, 4}});
    REQUIRE(results_of<Windows>(agdf::window<int>({.max_items = 2}), Ints{}).empty());
}

TEST_CASE("windows by time end at whole multiples of their duration, and empty ones leave nothing", "[window][time]")
{
    REQUIRE(timed_results_of<Ints>(agdf::window<int>({.duration = 10s}), {{1, 1}, {9, 2}, {12, 3}, {45, 4}, {50, 5}, {53, 6}}) ==
            Timed{{10, {1, 2}}, {20, {3}}, {50, {4}}, {53, {5, 6}}});
}

TEST_CASE("a window by time that is full leaves early, and the rest of its time at its end", "[window][time]")
{
    REQUIRE(timed_results_of<Ints>(agdf::window<int>({.max_items = 2, .duration = 10s}), {{1, 1}, {2, 2}, {3, 3}, {11, 4}, {12, 5}}) ==
            Timed{{2, {1, 2}}, {10, {3}}, {12, {4, 5}}});
}

TEST_CASE("an item that comes in the moment in which a window ends begins the next one", "[window][time]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    Windows results;
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        co_yield 1;
        co_await agdf::sleep_for(1s);
        time.advance(9s);
        co_yield 2;  // reaches the waiting body before its time-out does
    });
    source >> graph.add_node("window", agdf::window<int>({.duration = 10s})) >> graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == Windows{{1}, {2}});
}

TEST_CASE("a stop makes a window leave as soon as nothing is queued", "[window][stop]")
{
    for (const agdf::WindowOptions options : {agdf::WindowOptions{}, agdf::WindowOptions{.duration = 1h}}) {
        Watchdog watchdog;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        agdf::Channel<int> token{1};
        Windows results;
        auto relay = graph.add_node("relay", [&](int n) -> asio::awaitable<int> {
            if (n == 3) {
                graph.stop();
                auto taken = co_await token.receive();
                (void)taken;
            }
            co_return n;
        });
        auto sink = graph.add_node("sink", [&](Ints window) {
            results.push_back(std::move(window));
            token.close();
        });
        graph.add_node("numbers", agdf::from_range(up_to(3))) >> relay >> graph.add_node("window", agdf::window<int>(options)) >> sink;
        REQUIRE(graph.run().outcome == Outcome::stopped);
        REQUIRE(results == Windows{{1, 2}, {3}});
    }
}

TEST_CASE("a window holds at most max_items, and its items are moved", "[window][bound]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int peak = 0;
    std::size_t count = 0;
    auto made = graph.add_node("made", [](int n) { return Counted{n}; });
    auto window = graph.add_node("window", agdf::window<Counted>({.max_items = 10, .duration = 1h}), {.queue_size = 1});
    auto sink = graph.add_node("sink", [&](const std::vector<Counted>& items) {
        peak = std::max(peak, Counted::alive());
        count += items.size();
    }, {.queue_size = 1});
    graph.add_node("numbers", agdf::from_range(up_to(1'005))) >> made >> window >> sink;
    Counted::reset_copies();
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(count == 1'005);
    REQUIRE(peak <= 50);  // one under way, one in each of three places behind it, and what is in hand
    REQUIRE(Counted::copies() == 0);
    REQUIRE(Counted::alive() == 0);
}

TEST_CASE("items that cannot be copied go into windows", "[window]")
{
    std::vector<std::unique_ptr<int>> boxes(3);
    using Results = std::vector<std::vector<std::unique_ptr<int>>>;
    REQUIRE(results_of<Results>(agdf::window<std::unique_ptr<int>>({.max_items = 2}), std::move(boxes)).size() == 2);
}

TEST_CASE("several workers each cut what they take, and no item is lost", "[window][threads]")
{
    Ints all;
    for (const Ints& window : results_of<Windows>(agdf::window<int>({.max_items = 4, .duration = 1h}), up_to(500), {.workers = 3, .queue_size = 2}))
        all.insert(all.end(), window.begin(), window.end());
    std::sort(all.begin(), all.end());
    REQUIRE(all == up_to(500));
}

TEST_CASE("the items of the last window count as undelivered when the run is cancelled", "[window][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    auto source = graph.add_node("source", [&]() -> agdf::Stream<Counted> {
        for (int i = 0; i < 5; ++i) {
            Counted item{i};
            co_yield item;
        }
        co_await agdf::sleep_for(std::chrono::seconds(1));  // so that the body has them all
        asio::post(io, [&] { graph.cancel(); });
        auto opened = co_await gate.receive();
        (void)opened;
    });
    auto sink = graph.add_node("sink", [](const std::vector<Counted>&) {});
    source >> graph.add_node("window", agdf::window<Counted>({.duration = 1h})) >> sink;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::cancelled);
    REQUIRE(report.node("window").undelivered == 5);
    REQUIRE(Counted::alive() == 0);
}

TEST_CASE("an item that came while a window waits for room counts as undelivered when the run is cancelled", "[window][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 0; i < 3; ++i) {
            co_yield i;
            co_await agdf::sleep_for(i < 2 ? 20s : 10s);  // the third window ends as the fourth item comes
        }
        co_yield 3;
    });
    auto sink = graph.add_node("sink", [&](Ints) -> asio::awaitable<void> {
        auto opened = co_await gate.receive();
        (void)opened;
    }, {.queue_size = 1});
    graph.add_node("clock", [&]() -> agdf::Stream<int> {
        co_await agdf::sleep_for(60s);
        graph.cancel();
    });
    source >> graph.add_node("window", agdf::window<int>({.duration = 10s})) >> sink;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::cancelled);
    REQUIRE(report.node("window").in == 4);
    REQUIRE(report.node("window").undelivered + report.node("window").out == 4);  // each window has one item
}

TEST_CASE("options of a window that cannot work are named when it is made", "[window][error]")
{
    REQUIRE(test::graph_error_of([] { (void)agdf::window<int>({.max_items = 0}); }) ==
            "agdf::window: max_items is 0. Expected: room for at least one. Pass 1 or more.");
    REQUIRE(test::graph_error_of([] { (void)agdf::window<int>({.duration = -1s}); }) ==
            "agdf::window: duration is negative. Expected: a duration above zero, or zero for none. Leave duration out if there is "
            "to be none.");
}
