// Items that travel together.

#include "support/counted.hpp"
#include "support/pieces.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using agdf::Outcome;
using agdf::Stream;
using test::Counted;
using test::Watchdog;
using test::results_of;
using test::timed_results_of;
using test::up_to;
using namespace std::chrono_literals;
using Ints = std::vector<int>;
using Batches = std::vector<Ints>;
using Keyed = std::vector<std::pair<int, Ints>>;

std::size_t value_of(const int& item) { return static_cast<std::size_t>(item); }
int tens(const int& item) { return item / 10; }

struct Throwing {
    explicit Throwing(int n) : value(n) {}
    Throwing(const Throwing& other) : value(other.value) { ++copies; }
    Throwing(Throwing&& other) : value(other.value) {}  // NOLINT: may throw, says the compiler
    Throwing& operator=(const Throwing&) = default;
    static inline int copies = 0;
    int value;
};

}  // namespace

TEST_CASE("a batch leaves when it has max_items, and the rest at the end", "[batch]")
{
    REQUIRE(results_of<Batches>(agdf::batch<int>({.max_items = 3}), up_to(7)) == Batches{{1, 2, 3}, {4, 5, 6}, {7}});
    REQUIRE(results_of<Batches>(agdf::batch<int>({.max_items = 3}), up_to(6)) == Batches{{1, 2, 3}, {4, 5, 6}});
    REQUIRE(results_of<Batches>(agdf::batch<int>({.max_items = 1}), up_to(2)) == Batches{{1}, {2}});
    REQUIRE(results_of<Batches>(agdf::batch<int>(), up_to(1'025)).back() == Ints{1'025});
}

TEST_CASE("a stream without items has no batch", "[batch]")
{
    REQUIRE(results_of<Batches>(agdf::batch<int>({.max_items = 3}), Ints{}).empty());
    REQUIRE(results_of<Keyed>(agdf::batch_by_key<int>(tens, {.max_items = 3}), Ints{}).empty());
}

TEST_CASE("a batch keeps its order with a queue of one", "[batch]")
{
    REQUIRE(results_of<Batches>(agdf::batch<int>({.max_items = 3}), up_to(7), {.queue_size = 1}) == Batches{{1, 2, 3}, {4, 5, 6}, {7}});
}

TEST_CASE("a batch leaves before an item would bring it above max_weight", "[batch]")
{
    const auto body = agdf::batch<int>({.max_items = 100, .max_weight = 10, .weight = value_of});
    REQUIRE(results_of<Batches>(body, Ints{4, 5, 2, 8, 1}) == Batches{{4, 5}, {2, 8}, {1}});
    REQUIRE(results_of<Batches>(body, Ints{0, 10, 0, 3}) == Batches{{0, 10}, {0, 3}});
}

TEST_CASE("an item that is too heavy by itself goes alone", "[batch]")
{
    const auto body = agdf::batch<int>({.max_items = 100, .max_weight = 10, .weight = value_of});
    REQUIRE(results_of<Batches>(body, Ints{4, 50, 2, 3}) == Batches{{4}, {50}, {2, 3}});
    const auto heavy = [](const int&) { return ~std::size_t{0}; };
    REQUIRE(results_of<Batches>(agdf::batch<int>({.max_weight = 10, .weight = heavy}), up_to(3)) == Batches{{1}, {2}, {3}});
}

TEST_CASE("items that cannot be copied are batched, and items that can be are not copied", "[batch]")
{
    std::vector<std::unique_ptr<int>> boxes;
    for (int i = 0; i < 5; ++i)
        boxes.push_back(std::make_unique<int>(i));
    using Boxes = std::vector<std::vector<std::unique_ptr<int>>>;
    const Boxes results = results_of<Boxes>(agdf::batch<std::unique_ptr<int>>({.max_items = 4}), std::move(boxes));
    REQUIRE(results.size() == 2);
    REQUIRE(*results[1][0] == 4);

    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::size_t count = 0;
    auto made = graph.add_node("made", [](int n) { return Throwing{n}; });
    auto sink = graph.add_node("sink", [&](const std::vector<Throwing>& batch) { count += batch.size(); });
    graph.add_node("numbers", agdf::from_range(up_to(40))) >> made >> graph.add_node("batch", agdf::batch<Throwing>({.max_items = 30})) >> sink;
    Throwing::copies = 0;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(count == 40);
    REQUIRE(Throwing::copies == 0);
}

TEST_CASE("a stop makes a batch leave at once, and whatever still comes as soon as nothing is queued", "[batch][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> tokens{8};
    Batches results;
    auto relay = graph.add_node("relay", [&](int n) -> asio::awaitable<int> {
        if (n == 3)
            graph.stop();
        if (n >= 3) {
            auto token = co_await tokens.receive();  // so that the stream cannot end before the batches leave
            (void)token;
        }
        co_return n;
    });
    auto sink = graph.add_node("sink", [&](Ints batch) {
        results.push_back(std::move(batch));
        REQUIRE(tokens.try_send(1));
    });
    graph.add_node("numbers", agdf::from_range(up_to(4))) >> relay >> graph.add_node("batch", agdf::batch<int>({.max_items = 100})) >> sink;
    REQUIRE(graph.run().outcome == Outcome::stopped);
    REQUIRE(results == Batches{{1, 2}, {3}, {4}});
}

TEST_CASE("with several workers each keeps a batch of its own, and no item is lost", "[batch][threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    Batches results;
    graph.add_node("numbers", agdf::from_range(up_to(5'000))) >>
        graph.add_node("batch", agdf::batch<int>({.max_items = 7, .max_delay = 1us}), {.workers = 3, .queue_size = 4}) >>
        graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    Ints all;
    for (const Ints& batch : results) {
        REQUIRE(!batch.empty());
        REQUIRE(batch.size() <= 7);
        all.insert(all.end(), batch.begin(), batch.end());
    }
    std::sort(all.begin(), all.end());
    REQUIRE(all == up_to(5'000));
}

TEST_CASE("the items of a batch count as undelivered when the run is cancelled or halted", "[batch][cancel]")
{
    for (const bool halts : {false, true}) {
        Watchdog watchdog;
        asio::io_context io;
        const agdf::testing::VirtualTime time{io};
        agdf::Graph graph{io, test::quiet({.on_error = agdf::OnError::halt})};
        agdf::Channel<int> gate{1};
        auto source = graph.add_node("source", [&]() -> Stream<Counted> {
            for (int i = 0; i < 5; ++i) {
                Counted item{i};
                co_yield item;
            }
            co_await agdf::sleep_for(std::chrono::seconds(1));  // so that the body has them all
            asio::post(io, [&] { halts ? gate.close() : graph.cancel(); });
            auto opened = co_await gate.receive();
            (void)opened;
            throw std::runtime_error("halts");
        });
        auto batch = graph.add_node("batch", agdf::batch<Counted>({.max_items = 100, .max_delay = 1h}));
        auto keyed = graph.add_node("keyed", agdf::batch_by_key<Counted>(&Counted::value));
        source >> batch >> graph.add_node("a", [](const std::vector<Counted>&) {});
        source >> keyed >> graph.add_node("b", [](const std::pair<int, std::vector<Counted>>&) {});
        const agdf::RunReport report = graph.run();
        REQUIRE(report.outcome == (halts ? Outcome::halted : Outcome::cancelled));
        REQUIRE(report.node("batch").undelivered == 5);
        REQUIRE(report.node("keyed").undelivered == 5);
        REQUIRE(Counted::alive() == 0);
    }
}

TEST_CASE("a weight or a key that throws fails its item, and the others stay together", "[batch][error]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Batches results;
    Keyed keyed_results;
    const auto weight = [](const int& n) -> std::size_t { return n == 3 ? throw std::runtime_error("no scale") : 1; };
    const auto key = [](const int& n) { return n == 4 ? throw std::runtime_error("no key") : n % 2; };
    auto numbers = graph.add_node("numbers", agdf::from_range(up_to(5)));
    numbers >> graph.add_node("batch", agdf::batch<int>({.max_weight = 10, .weight = weight})) >> graph.add_node("results", agdf::collect(results));
    numbers >> graph.add_node("keyed", agdf::batch_by_key<int>(key, {.max_weight = 10, .weight = weight})) >>
        graph.add_node("keyed results", agdf::collect(keyed_results));
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed_with_errors);
    REQUIRE(report.node("batch").err == 1);
    REQUIRE(report.node("batch").undelivered == 0);
    REQUIRE(results == Batches{{1, 2, 4, 5}});
    REQUIRE(report.node("keyed").err == 2);
    REQUIRE(keyed_results == Keyed{{1, {1, 5}}, {0, {2}}});
}

TEST_CASE("options of a batch that cannot work are named when it is made", "[batch][error]")
{
    REQUIRE(test::graph_error_of([] { (void)agdf::batch<int>({.max_items = 0}); }) ==
            "agdf::batch: max_items is 0. Expected: room for at least one. Pass 1 or more.");
    REQUIRE(test::graph_error_of([] { (void)agdf::batch<int>({.max_delay = -1s}); }) ==
            "agdf::batch: max_delay is negative. Expected: a duration above zero, or zero for none. Leave max_delay out if there is "
            "to be none.");
    REQUIRE(test::graph_error_of([] { (void)agdf::batch<int>({.max_weight = 5}); }) ==
            "agdf::batch: max_weight is 5, but there is no weight. Expected: both or neither. Pass .weight = [](const T& item) { "
            "return …; } as well.");
    REQUIRE(test::graph_error_of([] { (void)agdf::batch<int>({.weight = value_of}); }) ==
            "agdf::batch: there is a weight, but max_weight is 0. Expected: both or neither. Pass .max_weight as well.");
    REQUIRE(test::graph_error_of([] { (void)agdf::batch_by_key<int>(tens, {.max_items = 0}); }).starts_with("agdf::batch_by_key: max_items"));
    REQUIRE(test::graph_error_of([] { (void)agdf::batch_by_key<int>(tens, {.max_keys = 0}); }) ==
            "agdf::batch_by_key: max_keys is 0. Expected: room for at least one. Pass 1 or more.");
}

TEST_CASE("each key has a batch of its own, and at the end they leave in the order in which they began", "[batch]")
{
    REQUIRE(results_of<Keyed>(agdf::batch_by_key<int>(tens, {.max_items = 2}), Ints{10, 20, 11, 12, 21, 30}) ==
            Keyed{{1, {10, 11}}, {2, {20, 21}}, {1, {12}}, {3, {30}}});
}

TEST_CASE("each key's batch has a max_weight of its own", "[batch]")
{
    const auto body = agdf::batch_by_key<int>(tens, {.max_weight = 30, .weight = value_of});
    REQUIRE(results_of<Keyed>(body, Ints{10, 2, 11, 12, 39}) == Keyed{{1, {10, 11}}, {3, {39}}, {0, {2}}, {1, {12}}});
}

TEST_CASE("past max_keys the batch that began first leaves early, so that there are never more", "[batch][bound]")
{
    REQUIRE(results_of<Keyed>(agdf::batch_by_key<int>(tens, {.max_keys = 2}), Ints{10, 20, 11, 30, 40}) ==
            Keyed{{1, {10, 11}}, {2, {20}}, {3, {30}}, {4, {40}}});

    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int peak = 0;
    std::size_t count = 0;
    auto made = graph.add_node("made", [](int n) { return Counted{n}; });
    auto keyed = graph.add_node("keyed", agdf::batch_by_key<Counted>(&Counted::value, {.max_keys = 10}), {.queue_size = 1});
    auto sink = graph.add_node("sink", [&](const std::pair<int, std::vector<Counted>>& batch) {
        peak = std::max(peak, Counted::alive());
        count += batch.second.size();
    }, {.queue_size = 1});
    graph.add_node("numbers", agdf::from_range(up_to(1'000))) >> made >> keyed >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(count == 1'000);
    REQUIRE(peak <= 20);  // ten batches, and what the queues and the workers have in hand
}

TEST_CASE("keys are compared, not only their hashes", "[batch]")
{
    struct Name {
        std::string text;
        bool operator==(const Name&) const = default;
    };
    using Pairs = std::vector<std::pair<std::string, std::vector<std::string>>>;
    const auto whole = [](const std::string& text) -> const std::string& { return text; };
    REQUIRE(results_of<Pairs>(agdf::batch_by_key<std::string>(whole), std::vector<std::string>{"b", "a", "b"}) ==
            Pairs{{"b", {"b", "b"}}, {"a", {"a"}}});
}

TEST_CASE("a stop makes the batches of all keys leave at once", "[batch][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> tokens{8};
    Keyed results;
    auto relay = graph.add_node("relay", [&](int n) -> asio::awaitable<int> {
        if (n == 3) {
            graph.stop();
            auto token = co_await tokens.receive();
            token = co_await tokens.receive();
        }
        co_return 10 * n;
    });
    auto sink = graph.add_node("sink", [&](std::pair<int, Ints> batch) {
        results.push_back(std::move(batch));
        REQUIRE(tokens.try_send(1));
    });
    graph.add_node("numbers", agdf::from_range(up_to(3))) >> relay >>
        graph.add_node("keyed", agdf::batch_by_key<int>(tens, {.max_delay = 1h})) >> sink;
    REQUIRE(graph.run().outcome == Outcome::stopped);
    REQUIRE(results == Keyed{{1, {10}}, {2, {20}}, {3, {30}}});
}

TEST_CASE("a batch leaves max_delay after its first item, not after its last", "[batch][time]")
{
    using Timed = std::vector<std::pair<long, Ints>>;
    REQUIRE(timed_results_of<Ints>(agdf::batch<int>({.max_delay = 10s}), {{5, 1}, {9, 2}, {14, 3}, {16, 4}, {100, 5}, {101, 6}}) ==
            Timed{{15, {1, 2, 3}}, {26, {4}}, {101, {5, 6}}});
    REQUIRE(timed_results_of<Ints>(agdf::batch<int>({.max_delay = std::chrono::steady_clock::duration::max()}), {{5, 1}, {9, 2}}) ==
            Timed{{9, {1, 2}}});
}

TEST_CASE("a batch that leaves for another reason takes its time with it", "[batch][time]")
{
    using Timed = std::vector<std::pair<long, Ints>>;
    REQUIRE(timed_results_of<Ints>(agdf::batch<int>({.max_items = 2, .max_delay = 10s}), {{0, 1}, {5, 2}, {9, 3}, {100, 4}}) ==
            Timed{{5, {1, 2}}, {19, {3}}, {100, {4}}});
}

TEST_CASE("a batch is not late because more items are queued all the time", "[batch][time]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    Batches results;
    const auto weight = [&](const int&) -> std::size_t {
        time.advance(4s);  // the body is slow, so its queue is never empty
        return 0;
    };
    graph.add_node("numbers", agdf::from_range(up_to(7))) >>
        graph.add_node("batch", agdf::batch<int>({.max_delay = 7s, .max_weight = 1, .weight = weight})) >>
        graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == Batches{{1, 2, 3}, {4, 5, 6}, {7}});
}

TEST_CASE("each key's batch leaves max_delay after its own first item", "[batch][time]")
{
    using Timed = std::vector<std::pair<long, std::pair<int, Ints>>>;
    REQUIRE(timed_results_of<std::pair<int, Ints>>(agdf::batch_by_key<int>(tens, {.max_items = 3, .max_delay = 10s}),
                                                   {{0, 10}, {3, 20}, {4, 30}, {6, 11}, {7, 31}, {8, 32}, {30, 33}}) ==
            Timed{{8, {3, {30, 31, 32}}}, {10, {1, {10, 11}}}, {13, {2, {20}}}, {30, {3, {33}}}});
}

TEST_CASE("batches of items that cannot be copied go along one edge only", "[batch][error]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto boxes = graph.add_node("boxes", agdf::batch<std::unique_ptr<int>>());
    boxes >> graph.add_node("a", [](const std::vector<std::unique_ptr<int>>&) {});
    auto second = graph.add_node("b", [](const std::vector<std::unique_ptr<int>>&) {});
    REQUIRE(test::graph_error_of([&] { graph.add_edge(boxes, second); }) != "");
}
