// What happens to an item that fails, and to the run.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::OnError;
using agdf::Outcome;
using Catch::Matchers::ContainsSubstring;
using test::text_of;
using test::Watchdog;
using Ints = std::vector<int>;

void fail_at(int bad, int n)
{
    if (n == bad)
        throw std::runtime_error("item " + std::to_string(n));
}

/// Runs 1..5 through a body that fails at 3.
template <class Body>
void check_skips_the_bad_item(Body body)
{
    Watchdog watchdog;
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        Ints results;
        auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
        auto node = graph.add_node("node", body);
        source >> node >> graph.add_node("sink", agdf::collect(results));
        const agdf::RunReport report = graph.run();
        CHECK(report.outcome == Outcome::completed_with_errors);
        CHECK(results == Ints{1, 2, 4, 5});
        CHECK(report.node("node").in == 5);
        CHECK(report.node("node").out == 4);
        CHECK(report.node("node").err == 1);
        CHECK(report.node("sink").err == 0);
        CHECK(text_of(report.first_error) == "item 3");
        CHECK(report.first_error_node == "node");
        REQUIRE(report.exceptions("node").size() == 1);
        CHECK(text_of(report.exceptions("node").front()) == "item 3");
        CHECK(report.exceptions("source").empty());
        CHECK(report.exit_code() != 0);
        CHECK_THROWS_WITH(report.throw_if_failed(), "item 3");
    }
    CHECK(test::Counted::alive() == 0);
}

}  // namespace

TEST_CASE("one bad item is skipped and recorded, whatever kind of body throws", "[errors]")
{
    check_skips_the_bad_item([](int n) {
        fail_at(3, n);
        return n;
    });
    check_skips_the_bad_item([](int n) -> asio::awaitable<int> {
        const test::Counted local;
        co_await agdf::sleep_for(1us);
        fail_at(3, n);
        co_return n;
    });
    check_skips_the_bad_item([](int n) -> agdf::Stream<int> {
        const test::Counted local;
        co_await agdf::sleep_for(1us);
        fail_at(3, n);
        co_yield n;
    });
    check_skips_the_bad_item(agdf::blocking([](int n) {
        fail_at(3, n);
        return n;
    }));
    check_skips_the_bad_item([](int n) -> agdf::Stream<int> {
        const auto call = [n] {
            fail_at(3, n);
            return n;
        };
        auto value = co_await agdf::run_blocking(call);
        co_yield value;
    });
}

TEST_CASE("what an item had yielded before it failed stays", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 1; i <= 3; ++i)
            co_yield i;
        throw std::runtime_error("the source broke");
    });
    auto twice = graph.add_node("twice", [](int n) -> agdf::Stream<int> {
        co_yield n;
        fail_at(2, n);
        co_yield n;
    });
    source >> twice >> graph.add_node("sink", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(results == Ints{1, 1, 2, 3, 3});
    CHECK(report.node("source").out == 3);
    CHECK(report.node("source").err == 1);
    CHECK(report.node("twice").out == 5);
    CHECK(report.node("twice").err == 1);
}

TEST_CASE("a whole-stream body that fails loses no item silently and does not hang its producer", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int seen = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 1; i <= 100; ++i)
            co_yield i;
    });
    auto sink = graph.add_node("sink", [&](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
        while (auto n = co_await numbers.next()) {
            fail_at(3, *n);
            ++seen;
        }
    }, {.queue_size = 4});
    source >> sink;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    const agdf::NodeStats& stats = report.node("sink");
    CHECK(stats.in == 100);
    CHECK(stats.err == 1);
    CHECK(static_cast<std::uint64_t>(seen) + stats.err + stats.undelivered == 100);
    CHECK(text_of(report.first_error) == "item 3");
}

TEST_CASE("a whole-stream body that returns early does not hang its producer, and nothing is lost silently", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::uint64_t seen = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 1; i <= 100; ++i)
            co_yield i;
    });
    source >> graph.add_node("sink", [&](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
        auto first = co_await numbers.next();
        seen += first.has_value() ? 1 : 0;
    }, {.queue_size = 4});
    const agdf::RunReport report = graph.run();
    CHECK(report.node("sink").in == 100);
    CHECK(seen + report.node("sink").undelivered == 100);
}

TEST_CASE("the newest exceptions are kept, oldest first, and the first error is not forgotten", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.max_exceptions = 3})};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    source >> graph.add_node("sink", [](int n) { fail_at(n, n); });
    const agdf::RunReport report = graph.run();
    const auto& kept = report.exceptions("sink");
    REQUIRE(kept.size() == 3);
    CHECK(text_of(kept[0]) == "item 8");
    CHECK(text_of(kept[1]) == "item 9");
    CHECK(text_of(kept[2]) == "item 10");
    CHECK(report.node("sink").err == 10);
    CHECK(text_of(report.first_error) == "item 1");
}

TEST_CASE("an exception that is not a std::exception is recorded like any other", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2}));
    source >> graph.add_node("plain", [](int n) { throw n; });
    source >> graph.add_node("stream", [](int n) -> agdf::Stream<int> {
        co_yield n;
        throw "text";
    });
    source >> graph.add_node("blocks", agdf::blocking([](int) { throw std::string("string"); }));
    const agdf::RunReport report = graph.run();
    for (const char* name : {"plain", "stream", "blocks"})
        CHECK(report.node(name).err == 2);
    CHECK_THROWS_AS(std::rethrow_exception(report.exceptions("plain").front()), int);
    CHECK(text_of(report.exceptions("stream").front()) == "text");
}

TEST_CASE("an operation_aborted of the body's own is an error of its item, not the end of the run", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints seen;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto sink = graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        if (n == 2) {
            const auto executor = co_await asio::this_coro::executor;
            asio::steady_timer timer{executor, std::chrono::hours(1)};
            asio::post(executor, [&] { timer.cancel(); });
            co_await timer.async_wait(asio::use_awaitable);
        }
        seen.push_back(n);
    });
    auto stream = graph.add_node("stream", [](int) -> agdf::Stream<int> {
        co_await agdf::sleep_for(1us);
        throw asio::system_error(asio::error::operation_aborted);
    });
    source >> sink;
    source >> stream;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(seen == Ints{1, 3});
    CHECK(report.node("sink").err == 1);
    CHECK(report.node("stream").err == 3);
}

TEST_CASE("what a predicate or a function on an edge throws is an error of the item its source works on", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints filtered, mapped;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto relay = graph.add_node("relay", [](int n) { return n; });
    auto stream = graph.add_node("stream", [](int n) -> agdf::Stream<int> { co_yield n; });
    graph.add_edge(source, relay);
    graph.add_edge(source, stream);
    graph.add_edge(relay, graph.add_node("filtered", agdf::collect(filtered)), agdf::where([](int n) {
        fail_at(2, n);
        return true;
    }));
    graph.add_edge(stream, graph.add_node("mapped", agdf::collect(mapped)), agdf::map([](int n) {
        fail_at(2, n);
        return n;
    }));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(filtered == Ints{1, 3});
    CHECK(mapped == Ints{1, 3});
    CHECK(report.node("relay").err == 1);
    CHECK(report.node("stream").err == 1);
}

TEST_CASE("what an edge throws costs a source that output alone", "[errors]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(std::size_t{1}, std::size_t{100});
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints all, some;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}));
    graph.add_edge(source, graph.add_node("all", agdf::collect(all), {.queue_size = queue_size}));
    graph.add_edge(source, graph.add_node("some", agdf::collect(some)), agdf::where([](int n) {
        fail_at(3, n);
        return true;
    }));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(all == Ints{1, 2, 3, 4, 5});
    CHECK(some == Ints{1, 2, 4, 5});
    CHECK(report.node("source").err == 1);
    CHECK(report.node("source").out == 5);
}

TEST_CASE("what an edge throws costs a source that output alone, also if the output had to wait for its turn", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    int calls = 0;
    Ints all, some;
    const auto body = [&calls]() -> agdf::Stream<int> {
        const int first = 10 * ++calls;
        if (calls == 1)
            co_await agdf::sleep_for(1s);  // so the second call has to wait for this one
        for (int n = first; n < first + 3; ++n)
            co_yield n;
    };
    auto source = graph.add_node("source", body, {.workers = 2, .ordered = true});
    graph.add_edge(source, graph.add_node("all", agdf::collect(all)));
    graph.add_edge(source, graph.add_node("some", agdf::collect(some)), agdf::where([](int n) {
        fail_at(20, n);
        return true;
    }));
    const agdf::RunReport report = graph.run({.start = {agdf::start(source), agdf::start(source)}});
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(all == Ints{10, 11, 12, 20, 21, 22});
    CHECK(some == Ints{10, 11, 12, 21, 22});
    CHECK(report.node("source").err == 1);
    CHECK(report.node("source").out == 6);
}

TEST_CASE("what an edge throws costs a source that output alone, also if outputs are kept back for a retry", "[errors][retry]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints some;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4, 5}), {.retry = {.attempts = 2}});
    graph.add_edge(source, graph.add_node("some", agdf::collect(some)), agdf::where([](int n) {
        fail_at(3, n);
        return true;
    }));
    const agdf::RunReport report = graph.run();
    CHECK(some == Ints{1, 2, 4, 5});
    CHECK(report.node("source").err == 1);
    CHECK(report.node("source").out == 4);
}

TEST_CASE("what an edge throws at an output of a source goes along the source's error edge", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints some;
    std::vector<std::string> letters;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    graph.add_edge(source, graph.add_node("some", agdf::collect(some)), agdf::where([](int n) {
        if (n != 2)
            fail_at(n, n);
        return true;
    }));
    auto letter_box = graph.add_node("letters", [&letters](const agdf::Failed<void>& letter) { letters.push_back(text_of(letter.error)); }, {.queue_size = 1});
    graph.add_error_edge(source, letter_box);
    const agdf::RunReport report = graph.run();
    CHECK(some == Ints{2});
    CHECK(letters == std::vector<std::string>{"item 1", "item 3"});
    CHECK(report.node("source").err == 2);
}

TEST_CASE("a source whose edge throws at every output gives others their turn", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    constexpr int most = 1'000'000;
    int yielded = 0;
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        asio::post(io, [&graph] { graph.stop(); });
        while (yielded < most)
            co_yield ++yielded;
    });
    graph.add_edge(source, graph.add_node("sink", [](int) {}), agdf::where([](int n) -> bool { throw n; }));
    CHECK(graph.run().outcome == Outcome::stopped);
    CHECK(yielded < most);
}

TEST_CASE("a body that sees its whole stream and returns one output is not called again for what an edge throws at it", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int calls = 0;
    auto first = graph.add_node("first", [&calls](agdf::Receiver<int> numbers) -> asio::awaitable<int> {
        ++calls;
        auto number = co_await numbers.next();
        co_return number.value_or(0);
    });
    graph.add_node("source", agdf::from_range(Ints{1, 2, 3})) >> first;
    graph.add_edge(first, graph.add_node("sink", [](int) {}), agdf::where([](int n) -> bool { throw n; }));
    const agdf::RunReport report = graph.run();
    CHECK(calls == 1);
    CHECK(report.node("first").err == 1);
    CHECK(report.node("first").undelivered == 2);
}

TEST_CASE("what an edge throws costs a body that sees its whole stream that output alone, and nothing that it keeps", "[errors]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(std::size_t{1}, std::size_t{100});
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int calls = 0;
    Ints all, some;
    auto sums = graph.add_node("sums", [&calls](agdf::Receiver<int> numbers) -> agdf::Stream<int> {
        ++calls;
        int sum = 0;
        while (auto number = co_await numbers.next()) {
            sum += *number;
            co_yield sum;
        }
    });
    graph.add_edge(graph.add_node("source", agdf::from_range(Ints{1, 2, 3, 4})), sums);
    graph.add_edge(sums, graph.add_node("all", agdf::collect(all), {.queue_size = queue_size}));
    graph.add_edge(sums, graph.add_node("some", agdf::collect(some)), agdf::map([](int n) {
        fail_at(3, n);
        return n;
    }));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(all == Ints{1, 3, 6, 10});
    CHECK(some == Ints{1, 6, 10});
    CHECK(calls == 1);
    CHECK(report.node("sums").err == 1);
}

TEST_CASE("an item's stream ends at the output at which an edge throws, whether another edge is full or not", "[errors]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(std::size_t{1}, std::size_t{100});
    const bool has_policies = GENERATE(false, true);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int caught = 0;
    Ints all, some, failed;
    const auto body = [&caught](int n) -> agdf::Stream<int> {
        for (int i = 0; i < 5; ++i) {
            const int output = 10 * n + i;
            try {
                co_yield output;
            } catch (...) {
                ++caught;
            }
        }
    };
    auto node = graph.add_node("node", body);
    graph.add_edge(graph.add_node("source", agdf::from_range(Ints{1, 2})), node);
    graph.add_edge(node, graph.add_node("all", agdf::collect(all), {.queue_size = queue_size}));
    graph.add_edge(node, graph.add_node("some", agdf::collect(some)), agdf::where([](int n) {
        fail_at(12, n);
        return true;
    }));
    if (has_policies)
        graph.add_error_edge(node, graph.add_node("letters", [&failed](const agdf::Failed<int>& letter) { failed.push_back(letter.item); }));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(all == Ints{10, 11, 12, 20, 21, 22, 23, 24});
    CHECK(some == Ints{10, 11, 20, 21, 22, 23, 24});
    CHECK(caught == 0);
    CHECK(report.node("node").err == 1);
    CHECK(failed == (has_policies ? Ints{1} : Ints{}));
}

TEST_CASE("a node's own on_error wins over the graph's", "[errors]")
{
    Watchdog watchdog;
    const bool node_halts = GENERATE(true, false);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.on_error = node_halts ? OnError::skip : OnError::halt})};
    Ints seen;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> graph.add_node("sink", [&](int n) {
        fail_at(2, n);
        seen.push_back(n);
    }, {.on_error = node_halts ? OnError::halt : OnError::skip});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == (node_halts ? Outcome::halted : Outcome::completed_with_errors));
    CHECK(seen == (node_halts ? Ints{1} : Ints{1, 3}));
}

TEST_CASE("the halting error is the first error, even after others that were skipped", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto mild = graph.add_node("mild", [](int n) {
        fail_at(1, n);
        return n;
    });
    source >> mild >> graph.add_node("strict", [](int n) { fail_at(3, n); }, {.on_error = OnError::halt});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::halted);
    CHECK(text_of(report.first_error) == "item 3");
    CHECK(report.first_error_node == "strict");
    CHECK(report.node("mild").err == 1);
    CHECK_THROWS_WITH(report.throw_if_failed(), "item 3");
}

TEST_CASE("a failed item is logged with its node and its reason", "[errors]")
{
    Watchdog watchdog;
    asio::io_context io;
    std::string logged;
    agdf::Graph graph{io, {.log = [&](agdf::LogLevel, std::string_view line) { logged += std::string{line} + "\n"; }}};
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> graph.add_node("the sink", [](int n) { fail_at(2, n); });
    CHECK(graph.run().exit_code() != 0);
    CHECK_THAT(logged, ContainsSubstring("the sink") && ContainsSubstring("item 2"));
}
