// A body that switches cancellation off, to finish something undisturbed, does so for itself and for nobody else.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <utility>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::StreamBody;
using test::up_to;

/// The first item finishes undisturbed, after a sleep or at once; the others would take an hour.
Body undisturbed_first(bool sleeps)
{
    return [sleeps](int n) -> asio::awaitable<int> {
        const Counted local;
        if (n == 1) {
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            if (sleeps)
                co_await agdf::sleep_for(3s);
            co_return n;
        }
        co_await agdf::sleep_for(1h);
        co_return n;
    };
}

StreamBody undisturbed_first_stream(bool sleeps)
{
    return [sleeps](int n) -> agdf::Stream<int> {
        const Counted local;
        if (n == 1) {
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            if (sleeps)
                co_await agdf::sleep_for(3s);
            co_yield n;
        } else {
            co_await agdf::sleep_for(1h);
        }
    };
}

}  // namespace

TEST_CASE("a body that switched cancellation off leaves the next items their time-outs", "[timeout]")
{
    const bool sleeps = GENERATE(false, true);
    const bool is_stream = GENERATE(false, true);
    CAPTURE(sleeps, is_stream);
    Bench bench;
    if (is_stream)
        bench.run(undisturbed_first_stream(sleeps), {.timeout = 5s}, up_to(3));
    else
        bench.run(undisturbed_first(sleeps), {.timeout = 5s}, up_to(3));
    CHECK(bench.results == Ints{1});
    CHECK(bench.node().err == 2);
    CHECK(bench.report.elapsed == (sleeps ? 13s : 10s));
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a body that switched cancellation off is not in the way of a cancel or a halt that comes later", "[cancel][halt]")
{
    const bool sleeps = GENERATE(false, true);
    const bool is_stream = GENERATE(false, true);
    const bool halts = GENERATE(false, true);
    const int items = GENERATE(1, 3);  // with one its worker waits for the next
    CAPTURE(sleeps, is_stream, halts, items);
    Bench bench;
    const auto ends = [&]() -> agdf::Stream<int> {
        co_await agdf::sleep_for(4s);
        if (halts)
            throw std::runtime_error("ends it");
        bench.graph.cancel();
    };
    const auto numbers = [items]() -> agdf::Stream<int> {
        for (int i = 1; i <= items; ++i)
            co_yield i;
        co_await agdf::sleep_for(1h);
    };
    bench.graph.add_node("ends it", ends, {.on_error = agdf::OnError::halt});
    auto node = is_stream ? bench.graph.add_node("node", undisturbed_first_stream(sleeps))
                          : bench.graph.add_node("node", undisturbed_first(sleeps));
    bench.graph.add_node("source", numbers) >> node >> bench.graph.add_node("sink", [&](int n) { bench.results.push_back(n); });
    bench.report = bench.graph.run();
    CHECK(bench.results == Ints{1});
    CHECK(bench.report.outcome == (halts ? Outcome::halted : Outcome::cancelled));
    CHECK(bench.report.elapsed == 4s);
    CHECK(bench.node().undelivered == static_cast<std::size_t>(items - 1));
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a stream that is stopped may still await what it has to finish, in each way that asio coroutines have", "[stop][stream]")
{
    const int way = GENERATE(0, 1, 2, 3);
    CAPTURE(way);
    Bench bench;
    bool throws = false;
    bool finished = false;
    const auto source = [&]() -> agdf::Stream<int> {
        const Counted local;
        throws = co_await asio::this_coro::throw_if_cancelled();
        try {
            co_await agdf::sleep_for(1h);
        } catch (const asio::system_error&) {
        }
        switch (way) {
        case 0:
            co_await asio::this_coro::throw_if_cancelled(false);
            break;
        case 1:
            co_await asio::this_coro::reset_cancellation_state();
            break;
        case 2:
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            break;
        case 3:
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation(), asio::enable_total_cancellation());
            break;
        }
        co_await agdf::sleep_for(2s);
        finished = true;
        co_yield 1;
    };
    bench.graph.add_node("source", source) >> bench.graph.add_node("sink", [&](int n) { bench.results.push_back(n); });
    bench.at(1s, [&] { bench.graph.stop(); });
    bench.report = bench.graph.run();
    CHECK(bench.report.outcome == Outcome::stopped);
    CHECK(bench.report.elapsed == 3s);
    CHECK(throws);
    CHECK(finished);
    CHECK(bench.results == Ints{1});
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a stream that switched cancellation off does not make the wait for room last longer than the run", "[stream][cancel][halt]")
{
    const std::size_t threads = GENERATE(1U, 2U);
    const bool halts = GENERATE(false, true);
    const bool is_ordered = GENERATE(false, true);
    CAPTURE(threads, halts, is_ordered);
    test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    const auto undisturbed = [](int n) -> agdf::Stream<int> {
        const Counted local;
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        for (int i = 0; i < 10; ++i)
            co_yield n;
    };
    auto node = graph.add_node("node", undisturbed, {.workers = 3, .queue_size = 2, .ordered = is_ordered});
    const auto ends = [&](int) {
        if (halts)
            throw std::runtime_error("ends it");
        graph.cancel();
    };
    graph.add_node("source", agdf::from_range(up_to(100))) >> node;
    node >> graph.add_node("sink", ends, {.queue_size = 1, .on_error = agdf::OnError::halt});
    CHECK(graph.run().outcome == (halts ? Outcome::halted : Outcome::cancelled));
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a body that sees its whole stream and switched cancellation off leaves its next call as it was", "[receiver][cancel]")
{
    const bool is_stream = GENERATE(false, true);
    Bench bench;
    bool was_called = false;
    const auto fails_first = [&](agdf::Receiver<int> items) -> asio::awaitable<void> {
        if (std::exchange(was_called, true))
            co_await agdf::sleep_for(1h);
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        auto item = co_await items.next();
        throw std::runtime_error(item ? "first" : "none");
    };
    const auto fails_first_as_stream = [&](agdf::Receiver<int> items) -> agdf::Stream<int> {
        if (std::exchange(was_called, true))
            co_await agdf::sleep_for(1h);
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        auto item = co_await items.next();
        throw std::runtime_error("first");
        co_yield *item;
    };
    auto source = bench.graph.add_node("source", agdf::from_range(up_to(3)));
    if (is_stream)
        source >> bench.graph.add_node("node", fails_first_as_stream) >> bench.graph.add_node("sink", [](int) {});
    else
        source >> bench.graph.add_node("node", fails_first);
    bench.at(1s, [&] { bench.graph.cancel(); });
    bench.report = bench.graph.run();
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(bench.report.elapsed == 1s);
}
