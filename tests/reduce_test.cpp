// One value for each key.

#include "support/counted.hpp"
#include "support/pieces.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using agdf::Outcome;
using test::Counted;
using test::results_of;
using test::up_to;
using test::Watchdog;
using Ints = std::vector<int>;
using Pairs = std::vector<std::pair<int, int>>;

int tens(const int& item) { return item / 10; }
void add(int& total, int item) { total += item; }

}  // namespace

TEST_CASE("reduce yields one value for each key at the end, in the order in which the keys came", "[reduce]")
{
    const Ints items{21, 12, 25, 31, 11, 20};
    const Pairs expected{{2, 66}, {1, 23}, {3, 31}};
    REQUIRE(results_of<Pairs>(agdf::reduce<int>(tens, 0, add), items) == expected);
    REQUIRE(results_of<Pairs>(agdf::reduce<int>(tens, 0, std::plus<>{}), items, {.queue_size = 1}) == expected);
    REQUIRE(results_of<Pairs>(agdf::reduce<int>(tens, 100, [](auto& total, auto item) { total = std::max(total, item); }), items) ==
            Pairs{{2, 100}, {1, 100}, {3, 100}});
    REQUIRE(results_of<Pairs>(agdf::reduce<int>(tens, 0, add), Ints{}).empty());
}

TEST_CASE("reduce takes a pointer to a member for a key", "[reduce]")
{
    struct Sale {
        std::string customer;
        int price;
    };
    const auto results = results_of<std::vector<std::pair<std::string, int>>>(
        agdf::reduce<Sale>(&Sale::customer, 0, [](int& total, const Sale& sale) { total += sale.price; }),
        std::vector<Sale>{{"b", 1}, {"a", 2}, {"b", 3}});
    REQUIRE(results == std::vector<std::pair<std::string, int>>{{"b", 4}, {"a", 2}});
}

TEST_CASE("past max_keys the key that has not changed for the longest time leaves early, and may begin anew", "[reduce][bound]")
{
    // 10 changes again after 20 came, so it is 2 that leaves for 3
    REQUIRE(results_of<Pairs>(agdf::reduce<int>(tens, 0, add, {.max_keys = 2}), Ints{10, 20, 11, 30, 21}) ==
            Pairs{{2, 20}, {1, 21}, {3, 30}, {2, 21}});
}

TEST_CASE("reduce keeps at most max_keys values, and nothing after the run", "[reduce][bound]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int peak = 0;
    int count = 0;
    auto sink = graph.add_node("sink", [&](std::pair<int, std::vector<Counted>> result) {
        peak = std::max(peak, Counted::alive());
        count += static_cast<int>(result.second.size());
    }, {.queue_size = 1});
    const auto fold = [](std::vector<Counted>& all, int item) { all.push_back(Counted{item}); };
    graph.add_node("numbers", agdf::from_range(up_to(1'000))) >>
        graph.add_node("reduce", agdf::reduce<int>([](const int& n) { return n; }, std::vector<Counted>{}, fold, {.max_keys = 10})) >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(count == 1'000);
    REQUIRE(peak <= 15);  // and what is on its way out
    REQUIRE(Counted::alive() == 0);
}

TEST_CASE("items that cannot be copied are folded", "[reduce]")
{
    std::vector<std::unique_ptr<int>> boxes;
    for (const int n : {1, 2, 3})
        boxes.push_back(std::make_unique<int>(n));
    const auto odd = [](const std::unique_ptr<int>& box) { return *box % 2; };
    const auto fold = [](int total, std::unique_ptr<int> box) { return total + *box; };
    REQUIRE(results_of<Pairs>(agdf::reduce<std::unique_ptr<int>>(odd, 0, fold), std::move(boxes)) == Pairs{{1, 4}, {0, 2}});
}

TEST_CASE("a stopped run yields the values so far", "[reduce][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    Pairs results;
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        co_yield 11;
        co_yield 12;
        graph.stop();
        auto opened = co_await gate.receive();
        (void)opened;
    });
    source >> graph.add_node("reduce", agdf::reduce<int>(tens, 0, add)) >> graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::stopped);
    REQUIRE(results == Pairs{{1, 23}});
}

TEST_CASE("the items in all values count as undelivered when the run is cancelled", "[reduce][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (int i = 1; i <= 25; ++i)
            co_yield i;
        co_await agdf::sleep_for(std::chrono::seconds(1));  // so that the body has them all
        asio::post(io, [&] { graph.cancel(); });
        auto opened = co_await gate.receive();
        (void)opened;
    });
    source >> graph.add_node("reduce", agdf::reduce<int>(tens, 0, add)) >> graph.add_node("sink", [](std::pair<int, int>) {});
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::cancelled);
    REQUIRE(report.node("reduce").undelivered == 25);
}

TEST_CASE("an item that waits for a key to leave counts as undelivered when the run is cancelled", "[reduce][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (int i = 0; i < 4; ++i)
            co_yield 10 * i;  // a key for each
        co_await agdf::sleep_for(std::chrono::seconds(1));  // so that the body has them all
        graph.cancel();
    });
    auto sink = graph.add_node("sink", [&](std::pair<int, int>) -> asio::awaitable<void> {
        auto opened = co_await gate.receive();
        (void)opened;
    }, {.queue_size = 1});
    source >> graph.add_node("reduce", agdf::reduce<int>(tens, 0, add, {.max_keys = 1})) >> sink;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::cancelled);
    REQUIRE(report.node("reduce").in == 4);
    REQUIRE(report.node("reduce").undelivered + report.node("reduce").out == 4);  // each value has one item
}

TEST_CASE("a key or a fold that throws fails its item; a value that was passed by value is lost with it", "[reduce][error]")
{
    const auto key = [](const int& n) { return n < 0 ? throw std::runtime_error("no key") : n / 10; };
    const auto changes = [](int& total, int n) { n == 13 ? throw std::runtime_error("unlucky") : total += n; };
    const auto returns = [](int total, int n) { return n == 13 ? throw std::runtime_error("unlucky") : total + n; };
    const auto run = [&](auto fold, const Ints& items, const Pairs& expected, std::uint64_t err, std::uint64_t undelivered) {
        Watchdog watchdog;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        Pairs results;
        graph.add_node("numbers", agdf::from_range(items)) >> graph.add_node("reduce", agdf::reduce<int>(key, 0, fold)) >>
            graph.add_node("results", agdf::collect(results));
        const agdf::RunReport report = graph.run();
        REQUIRE(report.node("reduce").err == err);
        REQUIRE(report.node("reduce").undelivered == undelivered);
        REQUIRE(results == expected);
    };
    run(changes, {10, 20, 11, 13, -1, 12}, {{1, 33}, {2, 20}}, 2, 0);
    run(returns, {10, 20, 11, 13, -1, 12}, {{2, 20}, {1, 12}}, 2, 2);
    run(changes, {13, 20}, {{2, 20}}, 1, 0);
    run(returns, {13, 20}, {{2, 20}}, 1, 0);
}

TEST_CASE("each worker of reduce has values of its own", "[reduce][threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    Pairs results;
    graph.add_node("numbers", agdf::from_range(up_to(1'000))) >>
        graph.add_node("reduce", agdf::reduce<int>([](const int& n) { return n % 5; }, 0, add), {.workers = 3, .queue_size = 2}) >>
        graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    int total = 0;
    for (const auto& [key, value] : results)
        total += value;
    REQUIRE(total == 500'500);
    REQUIRE(results.size() >= 5);
    REQUIRE(results.size() <= 15);
}

TEST_CASE("reduce without room for a key is refused when it is made", "[reduce][error]")
{
    REQUIRE(test::graph_error_of([] { (void)agdf::reduce<int>(tens, 0, add, {.max_keys = 0}); }) ==
            "agdf::reduce: max_keys is 0. Expected: room for at least one. Pass 1 or more.");
}
