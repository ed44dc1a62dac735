// The items of two streams that belong together.

#include "support/counted.hpp"
#include "support/pieces.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using agdf::Outcome;
using agdf::Stream;
using agdf::Unmatched;
using test::Counted;
using test::results_of;
using test::Watchdog;

struct Order {
    int id;
    char mark;
};

struct Payment {
    int order;
    int amount;
};

using In = std::variant<Order, Payment>;
using Out = std::variant<std::pair<Order, Payment>, Unmatched<Order>, Unmatched<Payment>>;
using Texts = std::vector<std::string>;

/// "a+1" for a pair, "a" for an order and "1" for a payment without a partner.
std::string text_of(const Out& out)
{
    if (const auto* pair = std::get_if<0>(&out))
        return std::string{pair->first.mark} + "+" + std::to_string(pair->second.amount);
    if (const auto* order = std::get_if<1>(&out))
        return std::string{order->item.mark};
    return std::to_string(std::get<2>(out).item.amount);
}

Texts joined(std::vector<In> items, agdf::JoinOptions options = {}, agdf::NodeOptions node = {})
{
    Texts texts;
    for (const Out& out : results_of<std::vector<Out>>(agdf::join<Order, Payment>(&Order::id, &Payment::order, options), std::move(items), node))
        texts.push_back(text_of(out));
    return texts;
}

}  // namespace

TEST_CASE("items of one key are paired, whichever side comes first", "[join]")
{
    REQUIRE(joined({Order{1, 'a'}, Payment{2, 20}, Payment{1, 10}, Order{2, 'b'}}) == Texts{"a+10", "b+20"});
    REQUIRE(joined({Order{1, 'a'}, Payment{1, 10}}, {}, {.queue_size = 1}) == Texts{"a+10"});
    REQUIRE(joined({}).empty());
}

TEST_CASE("each item is paired once, with the one that has waited longest, and what is over leaves at the end", "[join]")
{
    REQUIRE(joined({Order{1, 'a'}, Order{1, 'b'}, Payment{1, 10}, Payment{1, 11}, Payment{1, 12}}) == Texts{"a+10", "b+11", "12"});
    REQUIRE(joined({Payment{1, 10}, Payment{1, 11}, Payment{1, 12}, Order{1, 'a'}, Order{1, 'b'}}) == Texts{"a+10", "b+11", "12"});
    REQUIRE(joined({Order{1, 'a'}, Order{2, 'b'}, Order{1, 'c'}, Payment{1, 10}, Order{1, 'd'}, Payment{1, 11}, Payment{1, 12}, Payment{1, 13}}) ==
            Texts{"a+10", "c+11", "d+12", "b", "13"});
}

TEST_CASE("at the end those that wait leave, first the As and then the Bs, each in their order", "[join]")
{
    REQUIRE(joined({Payment{5, 50}, Order{2, 'b'}, Payment{4, 40}, Order{1, 'a'}}) == Texts{"b", "a", "50", "40"});
}

TEST_CASE("past max_waiting the item that has waited longest on its side leaves alone", "[join][bound]")
{
    REQUIRE(joined({Order{1, 'a'}, Payment{8, 80}, Order{1, 'b'}, Order{3, 'c'}, Payment{1, 10}}, {.max_waiting = 2}) ==
            Texts{"a", "b+10", "c", "80"});
}

TEST_CASE("plain edges from the nodes of both sides lead to a join", "[join]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Texts results;
    auto orders = graph.add_node("orders", agdf::from_range(std::vector<Order>{{1, 'a'}, {2, 'b'}, {3, 'c'}}));
    auto payments = graph.add_node("payments", agdf::from_range(std::vector<Payment>{{2, 20}, {1, 10}}));
    auto join = graph.add_node("join", agdf::join<Order, Payment>(&Order::id, &Payment::order));
    auto sink = graph.add_node("sink", [&](const Out& out) { results.push_back(text_of(out)); });
    orders >> join;
    payments >> join;
    join >> sink;
    REQUIRE(graph.run().outcome == Outcome::completed);
    std::sort(results.begin(), results.end());
    REQUIRE(results == Texts{"a+10", "b+20", "c"});
}

TEST_CASE("a join keeps at most max_waiting items of each side, and moves them", "[join][bound]")
{
    struct Left {
        int key;
        Counted counted{};
    };
    struct Right {
        int key;
        Counted counted{};
    };
    using Joined = std::variant<std::pair<Left, Right>, Unmatched<Left>, Unmatched<Right>>;
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int peak = 0;
    int count = 0;
    auto lefts = graph.add_node("lefts", [](int n) { return Left{n}; });
    auto rights = graph.add_node("rights", [](int n) { return Right{-n}; });
    auto join = graph.add_node("join", agdf::join<Left, Right>(&Left::key, &Right::key, {.max_waiting = 10}), {.queue_size = 1});
    auto sink = graph.add_node("sink", [&](const Joined&) {
        peak = std::max(peak, Counted::alive());
        ++count;
    }, {.queue_size = 1});
    auto numbers = graph.add_node("numbers", agdf::from_range(test::up_to(1'000)));
    numbers >> lefts >> join;
    numbers >> rights >> join;
    join >> sink;
    Counted::reset_copies();
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(count == 2'000);
    REQUIRE(peak <= 30);  // ten of each side, and what is in the queues and in hand
    REQUIRE(Counted::copies() == 0);
    REQUIRE(Counted::alive() == 0);
}

TEST_CASE("items that cannot be copied are joined", "[join]")
{
    using A = std::unique_ptr<int>;
    using B = std::unique_ptr<long>;
    std::vector<std::variant<A, B>> items;
    items.emplace_back(std::make_unique<int>(1));
    items.emplace_back(std::make_unique<long>(1));
    items.emplace_back(std::make_unique<long>(2));
    const auto body = agdf::join<A, B>([](const A& a) { return *a; }, [](const B& b) { return static_cast<int>(*b); });
    using Results = std::vector<std::variant<std::pair<A, B>, Unmatched<A>, Unmatched<B>>>;
    const Results results = results_of<Results>(body, std::move(items));
    REQUIRE(results.size() == 2);
    REQUIRE(results[0].index() == 0);
    REQUIRE(results[1].index() == 2);
}

TEST_CASE("keys that cannot be copied join", "[join]")
{
    using Key = std::unique_ptr<int>;  // which is equal to itself alone
    const auto own_key = [](const auto&) { return std::make_unique<int>(1); };
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const auto joined = graph.add_node("join", agdf::join<int, std::string>(own_key, own_key));
    STATIC_REQUIRE(std::is_same_v<std::invoke_result_t<decltype(own_key), const int&>, Key>);
    std::size_t left = 0;
    graph.add_node("numbers", agdf::from_range(std::vector{1, 2})) >> joined;
    graph.add_node("words", agdf::from_range(std::vector<std::string>{"one"})) >> joined;
    joined >> graph.add_node("count", [&](const std::variant<std::pair<int, std::string>, agdf::Unmatched<int>, agdf::Unmatched<std::string>>&) { ++left; });
    graph.run().throw_if_failed();
    CHECK(left == 3);
}

TEST_CASE("vectors of items that cannot be copied leave a join without a partner", "[join]")
{
    using A = std::vector<std::unique_ptr<int>>;
    using Results = std::vector<std::variant<std::pair<A, int>, Unmatched<A>, Unmatched<int>>>;
    std::vector<std::variant<A, int>> items;
    items.emplace_back(A{});
    const auto body = agdf::join<A, int>([](const A& a) { return a.size(); }, [](const int& n) { return static_cast<std::size_t>(n); });
    REQUIRE(results_of<Results>(body, std::move(items)).size() == 1);
}

TEST_CASE("a stopped run lets all that wait leave", "[join][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    Texts results;
    auto source = graph.add_node("source", [&]() -> Stream<Order> {
        const Order order{1, 'a'};
        co_yield order;
        graph.stop();
        auto opened = co_await gate.receive();
        (void)opened;
    });
    auto join = graph.add_node("join", agdf::join<Order, Payment>(&Order::id, &Payment::order));
    source >> join >> graph.add_node("sink", [&](const Out& out) { results.push_back(text_of(out)); });
    REQUIRE(graph.run().outcome == Outcome::stopped);
    REQUIRE(results == Texts{"a"});
}

TEST_CASE("the items that wait count as undelivered when the run is cancelled", "[join][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    auto source = graph.add_node("source", [&]() -> Stream<In> {
        for (int i = 0; i < 4; ++i) {
            const Order order{i, 'a'};
            co_yield order;
        }
        const Payment payment{2, 20};
        co_yield payment;
        co_await agdf::sleep_for(std::chrono::seconds(1));  // so that the body has them all
        asio::post(io, [&] { graph.cancel(); });
        auto opened = co_await gate.receive();
        (void)opened;
    });
    int count = 0;
    auto join = graph.add_node("join", agdf::join<Order, Payment>(&Order::id, &Payment::order));
    source >> join >> graph.add_node("sink", [&](const Out&) { ++count; });
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::cancelled);
    REQUIRE(report.node("join").undelivered == 3);
    REQUIRE(count + static_cast<int>(report.node("sink").undelivered) == 1);
}

TEST_CASE("a context that goes while a join keeps items leaves none of them behind, and their node is there to the last", "[join][lifetime]")
{
    // That the node is there while its body's frame goes is seen by the undefined-behaviour sanitizer.
    Watchdog watchdog;
    const auto token = std::make_shared<int>();
    {
        auto io = std::make_unique<asio::io_context>();
        agdf::Graph graph{*io, test::quiet()};
        using Kept = std::pair<int, std::shared_ptr<int>>;
        auto source = graph.add_node("source", [token]() -> Stream<std::variant<Kept, Payment>> {
            for (int i = 0; i < 3; ++i) {
                const Kept kept{i, token};
                co_yield kept;
            }
            co_await agdf::sleep_for(std::chrono::hours(1));
        });
        auto join = graph.add_node("join", agdf::join<Kept, Payment>([](const Kept& kept) { return kept.first; }, &Payment::order));
        source >> join;
        graph.async_run([](const agdf::RunReport&) {});
        io->poll();
        REQUIRE(token.use_count() > 3);
        io.reset();
    }
    REQUIRE(token.use_count() == 1);
}

TEST_CASE("a key that throws fails its item, and the join goes on", "[join][error]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Texts results;
    const auto key = [](const Payment& payment) { return payment.amount < 0 ? throw std::runtime_error("negative") : payment.order; };
    graph.add_node("items", agdf::from_range(std::vector<In>{Order{1, 'a'}, Payment{1, -5}, Payment{1, 5}})) >>
        graph.add_node("join", agdf::join<Order, Payment>(&Order::id, key)) >>
        graph.add_node("sink", [&](const Out& out) { results.push_back(text_of(out)); });
    const agdf::RunReport report = graph.run();
    REQUIRE(report.node("join").err == 1);
    REQUIRE(results == Texts{"a+5"});
}

TEST_CASE("what an edge behind a join throws costs that pair alone, and nobody who waits", "[join][error]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Texts results;
    auto join = graph.add_node("join", agdf::join<Order, Payment>(&Order::id, &Payment::order));
    graph.add_node("items", agdf::from_range(std::vector<In>{Order{1, 'a'}, Order{2, 'b'}, Order{3, 'c'}, Payment{1, 1}, Payment{3, 3}, Payment{2, 2}})) >> join;
    const auto text_but_of_the_first = [](const Out& out) { return text_of(out) == "a+1" ? throw std::runtime_error("no text") : text_of(out); };
    graph.add_edge(join, graph.add_node("sink", agdf::collect(results)), agdf::map(text_but_of_the_first));
    const agdf::RunReport report = graph.run();
    REQUIRE(report.node("join").err == 1);
    REQUIRE(report.node("join").undelivered == 0);
    REQUIRE(results == Texts{"c+3", "b+2"});
}

TEST_CASE("a join in which nobody may wait is refused when it is made", "[join][error]")
{
    REQUIRE(test::graph_error_of([] { (void)agdf::join<Order, Payment>(&Order::id, &Payment::order, {.max_waiting = 0}); }) ==
            "agdf::join: max_waiting is 0. Expected: room for at least one. Pass 1 or more.");
}
