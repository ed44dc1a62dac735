// Every shape that a node body may have.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using test::Watchdog;
using Ints = std::vector<int>;

agdf::Stream<int> one_two_three()
{
    for (int i = 1; i <= 3; ++i)
        co_yield i;
}

agdf::Stream<int> each_twice(int n)
{
    co_yield n;
    co_await agdf::sleep_for(1us);
    co_yield n;
}

asio::awaitable<int> times_ten(int n)
{
    co_await agdf::sleep_for(1us);
    co_return n * 10;
}

asio::awaitable<std::optional<int>> odd_only(int n)
{
    std::optional<int> result;
    if (n % 2 == 1)
        result = n;
    co_return result;
}

agdf::Stream<int> running_sum(agdf::Receiver<int> numbers)
{
    int sum = 0;
    while (auto n = co_await numbers.next()) {
        sum += *n;
        co_yield sum;
    }
    const int last = -sum;
    co_yield last;
}

/// Runs one_two_three -> body -> collect.
template <class Body>
Ints through(Body&& body)
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto source = graph.add_node("source", one_two_three);
    auto middle = graph.add_node("middle", std::forward<Body>(body));
    auto sink = graph.add_node("sink", agdf::collect(results));
    source >> middle >> sink;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(report.exit_code() == 0);
    CHECK(report.node("middle").in == 3);
    CHECK(report.node("middle").out == results.size());
    return results;
}

}  // namespace

TEST_CASE("each body of one input and an output does what the table says", "[shapes]")
{
    CHECK(through(each_twice) == Ints{1, 1, 2, 2, 3, 3});
    CHECK(through(times_ten) == Ints{10, 20, 30});
    CHECK(through(odd_only) == Ints{1, 3});
    CHECK(through([](int n) { return n + 1; }) == Ints{2, 3, 4});
    CHECK(through([](int n) { return n == 2 ? std::nullopt : std::optional<int>{n}; }) == Ints{1, 3});
    CHECK(through(agdf::blocking([](int n) { return n + 1; })) == Ints{2, 3, 4});
    CHECK(through(agdf::blocking([](int n) { return n == 2 ? std::nullopt : std::optional<int>{n}; })) == Ints{1, 3});
    CHECK(through(running_sum) == Ints{1, 3, 6, -6});
}

TEST_CASE("a stream body that yields nothing for an item is fine", "[shapes]")
{
    CHECK(through([](int n) -> agdf::Stream<int> {
              if (n == 2)
                  co_return;
              co_yield n;
          }) == Ints{1, 3});
}

TEST_CASE("each kind of sink sees every item and yields none", "[shapes]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints plain, awaited, blocked, received;
    auto source = graph.add_node("source", one_two_three);
    source >> graph.add_node("plain", [&](int n) { plain.push_back(n); });
    source >> graph.add_node("awaitable", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        awaited.push_back(n);
    });
    source >> graph.add_node("blocking", agdf::blocking([&](int n) { blocked.push_back(n); }));
    source >> graph.add_node("receiver", [&](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
        while (auto n = co_await numbers.next())
            received.push_back(*n);
    });
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    for (const Ints* seen : {&plain, &awaited, &blocked, &received})
        CHECK(*seen == Ints{1, 2, 3});
    for (const char* name : {"plain", "awaitable", "blocking", "receiver"}) {
        CHECK(report.node(name).in == 3);
        CHECK(report.node(name).out == 0);
    }
}

TEST_CASE("a body that takes nothing is called once for each item, of whatever type", "[shapes]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int plain = 0, awaited = 0, blocked = 0;
    Ints streamed, answered;
    auto numbers = graph.add_node("numbers", one_two_three);
    auto texts = graph.add_node("texts", agdf::from_range(std::vector<std::string>{"a", "b"}));
    auto stream = graph.add_node("stream", [k = 0]() mutable -> agdf::Stream<int> { return each_twice(++k); });
    auto answer = graph.add_node("answer", [] { return 42; });
    auto sink = graph.add_node("sink", [&] { ++plain; });
    auto waits = graph.add_node("waits", [&]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        ++awaited;
    });
    auto blocks = graph.add_node("blocks", agdf::blocking([&] { ++blocked; }));
    auto streams_to = graph.add_node("streams_to", agdf::collect(streamed));
    auto answers_to = graph.add_node("answers_to", agdf::collect(answered));
    for (auto node : {sink, waits, blocks}) {
        graph.add_edge(numbers, node);
        graph.add_edge(texts, node);
    }
    texts >> stream >> streams_to;
    numbers >> answer >> answers_to;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(plain == 5);
    CHECK(awaited == 5);
    CHECK(blocked == 5);
    CHECK(streamed == Ints{1, 1, 2, 2});
    CHECK(answered == Ints{42, 42, 42});
}

TEST_CASE("a body that takes nothing and has no edge in runs once", "[shapes]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    graph.add_node("answer", [] { return 42; }) >> graph.add_node("sink", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(results == Ints{42});
    CHECK(report.node("answer").in == 0);
}

TEST_CASE("pairs, tuples and arrays are unpacked for a body that takes their elements", "[shapes][unpack]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    auto sink = graph.add_node("sink", agdf::collect(results));
    auto pairs = graph.add_node("pairs", agdf::from_range(std::vector<std::pair<int, std::string>>{{1, "one"}}));
    auto tuples = graph.add_node("tuples", agdf::from_range(std::vector<std::tuple<int, std::string, char>>{{2, "two", '2'}}));
    auto arrays = graph.add_node("arrays", agdf::from_range(std::vector<std::array<int, 3>>{{1, 2, 3}}));
    auto plain = graph.add_node("plain", [](int n, const std::string& text) { return text + std::to_string(n); });
    auto awaitable = graph.add_node("awaitable", [](int n, std::string text, char c) -> asio::awaitable<std::string> {
        co_await agdf::sleep_for(1us);
        co_return text + c + std::to_string(n);
    });
    auto stream = graph.add_node("stream", [](int a, int b, int c) -> agdf::Stream<std::string> {
        co_await agdf::sleep_for(1us);
        std::string text = std::to_string(a * 100 + b * 10 + c);
        co_yield text;
    });
    auto whole = graph.add_node("whole", [](const std::pair<int, std::string>& pair) { return pair.second; });
    auto blocking = graph.add_node("blocking", agdf::blocking([](int n, std::string text) { return text + "!" + std::to_string(n); }));
    pairs >> plain >> sink;
    tuples >> awaitable >> sink;
    arrays >> stream >> sink;
    pairs >> whole >> sink;
    pairs >> blocking >> sink;
    CHECK(graph.run().exit_code() == 0);
    std::sort(results.begin(), results.end());
    CHECK(results == std::vector<std::string>{"123", "one", "one!1", "one1", "two22"});
}

TEST_CASE("the elements of a move-only tuple are moved into the body", "[shapes][unpack]")
{
    Watchdog watchdog;
    {
        using Owned = std::unique_ptr<test::Counted>;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        int sum = 0;
        auto source = graph.add_node("source", []() -> agdf::Stream<std::tuple<Owned, int>> {
            for (int i = 0; i < 5; ++i) {
                std::tuple<Owned, int> item{std::make_unique<test::Counted>(i), i};
                co_yield std::move(item);
            }
        });
        auto sink = graph.add_node("sink", [&](Owned owned, int n) -> asio::awaitable<void> {
            co_await agdf::sleep_for(1us);
            sum += owned->value() * n;
        });
        source >> sink;
        CHECK(graph.run().exit_code() == 0);
        CHECK(sum == 0 + 1 + 4 + 9 + 16);
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("an item taken by reference lives as long as the body that works on it", "[shapes]")
{
    const std::string_view expected = "a text that is too long for the small string buffer";
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    auto source = graph.add_node("source", agdf::from_range(std::vector<std::string>{std::string{expected}}));
    auto by_const = graph.add_node("by_const", [](const std::string& text) -> agdf::Stream<std::string> {
        co_await agdf::sleep_for(1us);
        co_yield text;
        co_await agdf::sleep_for(1us);
        co_yield text;
    });
    auto by_rvalue = graph.add_node("by_rvalue", [](std::string&& text) -> asio::awaitable<std::string> {
        co_await agdf::sleep_for(1us);
        co_return std::move(text);
    });
    auto sink = graph.add_node("sink", [&](const std::string& text) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        results.push_back(text);
    });
    auto blocks = graph.add_node("blocks", agdf::blocking([](const std::string& text) { return text; }));
    source >> by_const >> sink;
    source >> by_rvalue >> sink;
    source >> blocks >> sink;
    CHECK(graph.run().exit_code() == 0);
    CHECK(results == std::vector<std::string>(4, std::string{expected}));
}

TEST_CASE("a generic lambda takes the input type that add_node is given", "[shapes]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto source = graph.add_node<void>("source", [](auto... none) -> agdf::Stream<int> {
        static_assert(sizeof...(none) == 0);
        return one_two_three();
    });
    auto plain = graph.add_node<int>("plain", [](auto n) { return std::pair{n, n}; });
    auto unpacked = graph.add_node<std::pair<int, int>>("unpacked", [](auto a, auto b) -> asio::awaitable<int> { co_return a + b; });
    auto sink = graph.add_node<int>("sink", [&](const auto& n) { results.push_back(n); });
    source >> plain >> unpacked >> sink;
    CHECK(graph.run().exit_code() == 0);
    CHECK(results == Ints{2, 4, 6});
}

TEST_CASE("a pointer to a member is a function of its class: as a body, and on edges", "[shapes]")
{
    struct Order {
        int amount;
        bool urgent;
        [[nodiscard]] int doubled() const { return 2 * amount; }
    };
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints doubled, urgent, amounts, parted;
    auto source = graph.add_node("source", agdf::from_range(std::vector<Order>{{1, false}, {2, true}}));
    source >> graph.add_node<Order>("double", &Order::doubled) >> graph.add_node("doubled", agdf::collect(doubled));
    graph.add_edge(source, graph.add_node("urgent", [&](Order order) { urgent.push_back(order.amount); }), agdf::where(&Order::urgent));
    graph.add_edge(source, graph.add_node("amounts", agdf::collect(amounts)), agdf::map(&Order::amount));
    auto part = graph.add_node("part", [&](Order order) { parted.push_back(order.amount); });
    agdf::partition(source, &Order::amount, std::vector{part});
    CHECK(graph.run().exit_code() == 0);
    CHECK(doubled == Ints{2, 4});
    CHECK(urgent == Ints{2});
    CHECK(amounts == Ints{1, 2});
    CHECK(parted == Ints{1, 2});
}

TEST_CASE("capturing, mutable, type-erased and move-only bodies work, and are gone with the graph", "[shapes]")
{
    Watchdog watchdog;
    auto token = std::make_shared<int>(100);
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        Ints results;
        std::function<int(int)> erased = [token](int n) { return n + *token; };
        auto source = graph.add_node("source", one_two_three);
        auto counts = graph.add_node("counts", [token, calls = 0](int) mutable { return ++calls; });
        auto owns = graph.add_node("owns", [own = std::make_unique<int>(7)](int n) -> agdf::Stream<int> {
            co_await agdf::sleep_for(1us);
            const int result = n * *own;
            co_yield result;
        });
        auto sink = graph.add_node("sink", agdf::collect(results));
        source >> graph.add_node("erased", erased) >> sink;
        source >> counts >> sink;
        source >> owns >> sink;
        source >> graph.add_node("pointer", &times_ten) >> sink;
        CHECK(graph.run().exit_code() == 0);
        std::sort(results.begin(), results.end());
        CHECK(results == Ints{1, 2, 3, 7, 10, 14, 20, 21, 30, 101, 102, 103});
    }
    CHECK(token.use_count() == 1);
}

TEST_CASE("a body that is an empty function is refused when it is added, and changes nothing", "[shapes]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const std::string expected = "agdf::Graph::add_node: node 'empty': the body is an empty function: a null pointer, or a std::function "
                                 "without a target. Expected: something to call. Set it before it is added.";
    int (*const null)(int) = nullptr;
    const std::function<int(int)> empty;
    const auto refusal_of = [&](auto body) { return test::graph_error_of([&] { graph.add_node("empty", std::move(body)); }); };
    CHECK(refusal_of(null) == expected);
    CHECK(refusal_of(empty) == expected);
    CHECK(refusal_of(agdf::blocking(null)) == expected);
    CHECK(refusal_of(agdf::blocking(empty)) == expected);
    CHECK(refusal_of(std::function<agdf::Stream<int>(agdf::Receiver<int>)>{}) == expected);
    CHECK(refusal_of(static_cast<agdf::Stream<int> (*)()>(nullptr)) == expected);
    struct Row {
        int number;
    };
    int Row::*const no_member = nullptr;
    CHECK(test::graph_error_of([&] { graph.add_node<Row>("empty", no_member); }) == expected);
    CHECK(graph.stats().empty());
    CHECK(refusal_of(&one_two_three).empty());
}

TEST_CASE("what an awaitable body returns is the item, also if it is a coroutine itself", "[node]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> results;
    const auto count_to = [](int last) -> agdf::Stream<int> {
        for (int i = 1; i <= last; ++i)
            co_yield i;
    };
    auto source = graph.add_node("source", agdf::from_range(std::vector{2, 1}));
    auto streams = graph.add_node("streams", [&](int last) -> asio::awaitable<agdf::Stream<int>> { co_return count_to(last); });
    auto sink = graph.add_node("sink", [&](agdf::Stream<int> numbers) -> asio::awaitable<void> {
        while (auto number = co_await numbers.next())
            results.push_back(*number);
    });
    source >> streams >> sink;
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(results == std::vector{1, 2, 1});
}
