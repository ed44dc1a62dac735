// The first item of each key.

#include "support/counted.hpp"
#include "support/pieces.hpp"

#include <algorithm>
#include <cstddef>
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
using test::Watchdog;
using Ints = std::vector<int>;
using Texts = std::vector<std::string>;

struct Key {
    explicit Key(int n) : value(n), counted(n) {}
    bool operator==(const Key& other) const { return value == other.value; }
    int value;
    Counted counted;
};

struct FragileKey {
    int value;
    bool operator==(const FragileKey& other) const
    {
        return value < 0 || other.value < 0 ? throw std::runtime_error("cannot be compared") : value == other.value;
    }
};

int tens(const int& item) { return item / 10; }

}  // namespace

template <>
struct std::hash<Key> {
    std::size_t operator()(const Key&) const noexcept { return 7; }  // all collide
};

template <>
struct std::hash<FragileKey> {
    std::size_t operator()(const FragileKey&) const noexcept { return 7; }
};

TEST_CASE("dedupe lets the first item of each key through, in order", "[dedupe]")
{
    REQUIRE(results_of<Ints>(agdf::dedupe<int>(), Ints{3, 1, 3, 3, 2, 1}) == Ints{3, 1, 2});
    REQUIRE(results_of<Ints>(agdf::dedupe<int>(tens), Ints{31, 12, 39, 11, 20}) == Ints{31, 12, 20});
    REQUIRE(results_of<Texts>(agdf::dedupe<std::string>({.max_keys = 10}), Texts{"a", "b", "a"}) == Texts{"a", "b"});
    REQUIRE(results_of<Ints>(agdf::dedupe<int>(), Ints{}).empty());
    REQUIRE(results_of<Ints>(agdf::dedupe<int>(), Ints{1, 1, 2, 2}, {.queue_size = 1}) == Ints{1, 2});
}

TEST_CASE("dedupe takes a pointer to a member for a key", "[dedupe]")
{
    struct Order {
        std::string id;
        int amount;
    };
    const auto results = results_of<std::vector<Order>>(agdf::dedupe<Order>(&Order::id), std::vector<Order>{{"a", 1}, {"b", 2}, {"a", 3}});
    REQUIRE(results.size() == 2);
    REQUIRE(results[1].amount == 2);
}

TEST_CASE("dedupe forgets the key that has not come for the longest time", "[dedupe][bound]")
{
    // 1 came again after 2, so it is 2 that 3 displaces
    REQUIRE(results_of<Ints>(agdf::dedupe<int>({.max_keys = 2}), Ints{1, 2, 1, 3, 1, 2}) == Ints{1, 2, 3, 2});
}

TEST_CASE("dedupe remembers at most max_keys keys, and nothing after the run", "[dedupe][bound]")
{
    int peak = 0;
    int count = 0;
    {
        Watchdog watchdog;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        auto sink = graph.add_node("sink", [&](int) {
            peak = std::max(peak, Counted::alive());
            ++count;
        });
        graph.add_node("numbers", agdf::from_range(test::up_to(1'000))) >>
            graph.add_node("once", agdf::dedupe<int>([](const int& n) { return Key{n}; }, {.max_keys = 10})) >> sink;
        REQUIRE(graph.run().outcome == Outcome::completed);
        REQUIRE(Counted::alive() == 0);
    }
    REQUIRE(count == 1'000);
    REQUIRE(peak >= 10);
    REQUIRE(peak <= 12);  // and the one that is looked up or goes
}

TEST_CASE("items that cannot be copied pass dedupe", "[dedupe]")
{
    std::vector<std::unique_ptr<int>> boxes;
    for (const int n : {1, 2, 1})
        boxes.push_back(std::make_unique<int>(n));
    const auto content = [](const std::unique_ptr<int>& box) { return *box; };
    using Boxes = std::vector<std::unique_ptr<int>>;
    REQUIRE(results_of<Boxes>(agdf::dedupe<std::unique_ptr<int>>(content), std::move(boxes)).size() == 2);
}

TEST_CASE("each run of dedupe begins with nothing", "[dedupe]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    graph.add_node("numbers", agdf::from_range(Ints{1, 1})) >> graph.add_node("once", agdf::dedupe<int>()) >>
        graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == Ints{1, 1});
}

TEST_CASE("each worker of dedupe remembers keys of its own", "[dedupe][threads]")
{
    const Ints results = results_of<Ints>(agdf::dedupe<int>(), Ints(1'000, 7), {.workers = 3, .queue_size = 1});
    REQUIRE(!results.empty());
    REQUIRE(results.size() <= 3);
}

TEST_CASE("a key that throws fails its item, and dedupe remembers what it had seen", "[dedupe][error]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    const auto key = [](const int& n) { return n < 0 ? throw std::runtime_error("negative") : n; };
    graph.add_node("numbers", agdf::from_range(Ints{1, 1, -1, 1, 2})) >> graph.add_node("once", agdf::dedupe<int>(key)) >>
        graph.add_node("results", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    REQUIRE(report.node("once").err == 1);
    REQUIRE(results == Ints{1, 2});
}

TEST_CASE("a key whose comparison throws fails its item, and dedupe remembers what it had seen", "[dedupe][error]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    graph.add_node("numbers", agdf::from_range(Ints{1, 2, -1, 1, 2, 3})) >> graph.add_node("once", agdf::dedupe<int>([](int n) { return FragileKey{n}; })) >>
        graph.add_node("results", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    REQUIRE(report.node("once").err == 1);
    REQUIRE(results == Ints{1, 2, 3});
}

TEST_CASE("dedupe that may remember nothing is refused when it is made", "[dedupe][error]")
{
    REQUIRE(test::graph_error_of([] { (void)agdf::dedupe<int>({.max_keys = 0}); }) ==
            "agdf::dedupe: max_keys is 0. Expected: room for at least one. Pass 1 or more.");
}
