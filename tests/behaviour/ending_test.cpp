// How a run ends before its time: halt, stop and cancel.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::OnError;
using agdf::Outcome;
using test::Watchdog;
using Ints = std::vector<int>;

agdf::Stream<int> endless(std::atomic<int>& yielded)
{
    for (int i = 1;; ++i) {
        ++yielded;
        co_yield i;
    }
}

/// Runs the graph here while `action` runs on another thread.
template <class Action>
agdf::RunReport run_beside(agdf::Graph<>& graph, Action action)
{
    std::thread thread{action};
    agdf::RunReport report = graph.run();
    thread.join();
    return report;
}

void wait_for(const std::atomic<int>& value, int at_least)
{
    while (value < at_least)
        std::this_thread::yield();
}

}  // namespace

TEST_CASE("a halt discards what is queued and counts it as undelivered", "[ending][halt]")
{
    Watchdog watchdog;
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        std::uint64_t seen = 0;
        auto source = graph.add_node("source", []() -> agdf::Stream<test::Counted> {
            for (int i = 0; i < 1'000; ++i) {
                test::Counted item{i};
                co_yield std::move(item);
            }
        });
        auto other = graph.add_node("other", [](const test::Counted& item) -> asio::awaitable<test::Counted> {
            co_await agdf::sleep_for(1h);
            co_return item;
        });
        auto sink = graph.add_node("sink", [&](const test::Counted& item) {
            if (item.value() == 20)
                throw std::runtime_error("enough");
            ++seen;
        }, {.queue_size = 50, .on_error = OnError::halt});
        source >> other >> graph.add_node("behind", [](const test::Counted&) {});
        source >> sink;
        const agdf::RunReport report = graph.run();
        CHECK(report.outcome == Outcome::halted);
        CHECK(test::text_of(report.first_error) == "enough");
        CHECK(seen == 20);
        const agdf::NodeStats& stats = report.node("sink");
        CHECK(stats.err == 1);
        CHECK(stats.in == seen + stats.err + stats.undelivered);
        CHECK(report.node("other").in == report.node("other").undelivered);
        CHECK(report.node("other").err == 0);
        CHECK(report.exceptions("other").empty());
        CHECK(report.node("source").out < 1'000);
        CHECK(report.node("source").err == 0);
        CHECK(report.exit_code() != 0);
        CHECK(test::Counted::alive() == 0);
    }
}

TEST_CASE("a stop from another thread ends an endless source that never awaits, and all it yielded arrives", "[ending][stop]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(1U, 7U, 1'024U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> yielded{0}, seen{0};
    auto source = graph.add_node("source", [&] { return endless(yielded); });
    source >> graph.add_node("sink", [&](int) { ++seen; }, {.queue_size = queue_size});
    const agdf::RunReport report = run_beside(graph, [&] {
        wait_for(seen, 100);
        graph.stop();
    });
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.exit_code() != 0);
    CHECK(report.node("source").out == static_cast<std::uint64_t>(seen));
    CHECK(report.node("source").out == static_cast<std::uint64_t>(yielded));
    CHECK(report.node("sink").undelivered == 0);
    CHECK(report.node("source").err == 0);
    CHECK_NOTHROW(report.throw_if_failed());
}

TEST_CASE("a stop ends an endless source without edges, which never has a reason to wait", "[ending][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> yielded{0};
    graph.add_node("source", [&] { return endless(yielded); });
    const agdf::RunReport report = run_beside(graph, [&] {
        wait_for(yielded, 10);
        graph.stop();
    });
    CHECK(report.outcome == Outcome::stopped);
}

TEST_CASE("a stop ends an endless source whose edge lets nothing through", "[ending][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> yielded{0};
    auto source = graph.add_node("source", [&] { return endless(yielded); });
    graph.add_edge(source, graph.add_node("sink", [](int) {}), agdf::where([](int) { return false; }));
    const agdf::RunReport report = run_beside(graph, [&] {
        wait_for(yielded, 10);
        graph.stop();
    });
    CHECK(report.outcome == Outcome::stopped);
}

TEST_CASE("an endless source that never waits does not starve the other work of its context", "[ending][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> yielded{0};
    auto source = graph.add_node("source", [&] { return endless(yielded); });
    const bool with_sink = GENERATE(true, false);
    if (with_sink)
        source >> graph.add_node("sink", [](int) {});
    asio::steady_timer timer{io, 1ms};
    timer.async_wait([&](const asio::error_code&) { graph.stop(); });
    CHECK(graph.run().outcome == Outcome::stopped);
}

TEST_CASE("a stop wakes a source from a long sleep, a channel and a blocking call", "[ending][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> never{1};
    std::promise<void> release;
    auto released = release.get_future().share();
    std::atomic<int> waiting{0}, seen{0};
    auto sink = graph.add_node("sink", [&](int) { ++seen; });
    auto sleeps = graph.add_node("sleeps", [&]() -> agdf::Stream<int> {
        co_yield 1;
        ++waiting;
        co_await agdf::sleep_for(10h);
        co_yield 2;
    });
    auto receives = graph.add_node("receives", [&]() -> agdf::Stream<int> {
        co_yield 1;
        ++waiting;
        while (auto n = co_await never.receive())
            co_yield *n;
    });
    auto blocks = graph.add_node("blocks", [&]() -> agdf::Stream<int> {
        co_yield 1;
        ++waiting;
        const auto wait = [released] { released.wait(); };
        co_await agdf::run_blocking(wait);
        co_yield 2;
    });
    for (auto source : {sleeps, receives, blocks})
        graph.add_edge(source, sink);
    const agdf::RunReport report = run_beside(graph, [&] {
        wait_for(waiting, 3);
        graph.stop();
    });
    release.set_value();
    CHECK(report.outcome == Outcome::stopped);
    CHECK(seen == 3);
    for (const char* name : {"sleeps", "receives", "blocks"}) {
        CHECK(report.node(name).out == 1);
        CHECK(report.node(name).err == 0);
    }
}

TEST_CASE("what a source was offering to a full queue when the stop came is delivered, and slow bodies finish", "[ending][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    agdf::Channel<int> gate{1};
    std::atomic<int> yielded{0}, seen{0};
    auto source = graph.add_node("source", [&] { return endless(yielded); });
    auto relay = graph.add_node("relay", [](int n) -> agdf::Stream<int> {
        co_yield n;
        co_yield n;
    }, {.queue_size = 2});
    auto sink = graph.add_node("sink", [&](int) -> asio::awaitable<void> {
        co_await gate.receive();
        ++seen;
    }, {.queue_size = 2});
    source >> relay >> sink;
    // 1 in sink, 2 queued, 1 offered by relay; 2 queued, 1 offered by the source: it has begun item 5 at least
    const agdf::RunReport report = run_beside(graph, [&] {
        wait_for(yielded, 5);
        graph.stop();
        gate.close();
    });
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.node("source").out == static_cast<std::uint64_t>(yielded));
    CHECK(report.node("relay").out == 2 * static_cast<std::uint64_t>(yielded));
    CHECK(seen == 2 * yielded);
}

TEST_CASE("a stop lets whole-stream bodies see the end and yield a last time", "[ending][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> yielded{0};
    Ints results;
    auto source = graph.add_node("source", [&] { return endless(yielded); });
    auto count = graph.add_node("count", [&](agdf::Receiver<int> numbers) -> agdf::Stream<int> {
        int total = 0;
        while (auto n = co_await numbers.next())
            if (++total == 10)
                graph.stop();
        co_yield total;
    });
    source >> count >> graph.add_node("sink", agdf::collect(results));
    CHECK(graph.run().outcome == Outcome::stopped);
    CHECK(results == Ints{yielded});
}

TEST_CASE("a cancel ends bodies at their current await and destroys them", "[ending][cancel]")
{
    Watchdog watchdog;
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        std::atomic<int> waiting{0}, yielded{0};
        auto source = graph.add_node("source", [&] { return endless(yielded); });
        auto awaits = graph.add_node("awaits", [&](int) -> asio::awaitable<void> {
            const test::Counted local;
            ++waiting;
            co_await agdf::sleep_for(10h);
        }, {.workers = 3, .queue_size = 5});
        auto streams = graph.add_node("streams", [&](int) -> agdf::Stream<int> {
            const test::Counted local;
            ++waiting;
            co_await agdf::sleep_for(10h);
        });
        source >> awaits;
        source >> streams;
        const agdf::RunReport report = run_beside(graph, [&] {
            wait_for(waiting, 4);
            graph.cancel();
        });
        CHECK(report.outcome == Outcome::cancelled);
        CHECK(report.exit_code() != 0);
        CHECK_THROWS_AS(report.throw_if_failed(), asio::system_error);
        for (const char* name : {"awaits", "streams"}) {
            CHECK(report.node(name).err == 0);
            CHECK(report.node(name).in == report.node(name).undelivered);
            CHECK(report.node(name).queued == 0);
            CHECK(report.node(name).active == 0);
        }
        CHECK(test::Counted::alive() == 0);
    }
}

TEST_CASE("an item that calls a body which takes nothing is not lost silently when the run is cancelled", "[ending][cancel]")
{
    const std::size_t threads = GENERATE(1U, 2U);
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    std::atomic<std::uint64_t> finished{0};
    auto source = graph.add_node("source", agdf::from_range(std::vector<int>(100, 1)));
    auto waiting = graph.add_node("waiting", [&]() -> asio::awaitable<void> {
        graph.cancel();
        co_await agdf::sleep_for(std::chrono::hours(1));
        ++finished;
    });
    auto calling = graph.add_node("calling", [&] {
        graph.cancel();
        ++finished;
    });
    std::string name;
    SECTION("at its await")
    {
        source >> waiting;
        name = "waiting";
    }
    SECTION("before it is called")
    {
        source >> calling;
        name = "calling";
    }
    const auto report = graph.run({.start = agdf::start(source)});
    CHECK(report.outcome == agdf::Outcome::cancelled);
    CHECK(report.node(name).in == finished + report.node(name).undelivered);
}

TEST_CASE("stop and cancel before and after a run have no effect", "[ending]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    graph.add_node("source", agdf::from_range(Ints{1, 2})) >> graph.add_node("sink", agdf::collect(results));
    graph.stop();
    graph.cancel();
    CHECK(graph.run().outcome == Outcome::completed);
    graph.stop();
    graph.cancel();
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 1, 2});
}

TEST_CASE("of stop, cancel and a halt the worse one is the outcome", "[ending]")
{
    Watchdog watchdog;
    const int which = GENERATE(0, 1, 2, 3, 4);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> yielded{0};
    auto source = graph.add_node("source", [&] { return endless(yielded); });
    source >> graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        if (n != 3)
            co_return;
        if (which == 1)
            graph.cancel();
        graph.stop();
        if (which == 2 || which == 3)
            graph.cancel();
        if (which == 3)
            graph.stop();
        if (which == 4)
            throw std::runtime_error("failed while it drained");
    }, {.on_error = OnError::halt});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == (which == 0 ? Outcome::stopped : which == 4 ? Outcome::halted : Outcome::cancelled));
}

TEST_CASE("stopping the context ends the run as cancelled, and the graph runs again", "[ending]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    bool stops = true;
    int seen = 0;
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    source >> graph.add_node("sink", [&](int) -> asio::awaitable<void> {
        if (stops)
            io.stop();
        co_await agdf::sleep_for(1ms);
        ++seen;
    });
    CHECK(graph.run().outcome == Outcome::cancelled);
    stops = false;
    seen = 0;
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(seen == 3);
}

TEST_CASE("however often the context is stopped, run returns the report of a run that has ended", "[ending]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int stops = 0;
    const auto stop = [&] {
        ++stops;
        io.stop();
    };
    graph.add_node("forever", [&]() -> asio::awaitable<void> {
        stop();
        co_await agdf::sleep_for(1h);
    }, {.teardown = [&]() -> asio::awaitable<void> {
        stop();
        co_await agdf::sleep_for(1us);
        stop();
        co_await agdf::sleep_for(1us);
    }});
    const auto report = graph.run();
    CHECK(stops == 3);
    CHECK(report.outcome == Outcome::cancelled);
    REQUIRE(report.nodes.size() == 1);
    CHECK(report.nodes.front().name == "forever");
}

TEST_CASE("a stop of the context in the middle of a run reaches those who run the context around it", "[ending]")
{
    Watchdog watchdog;
    asio::io_context io;
    const auto work = asio::make_work_guard(io);
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("forever", [&]() -> asio::awaitable<void> {
        io.stop();
        co_await agdf::sleep_for(1h);
    });
    asio::post(io, [&] { CHECK(graph.run().outcome == Outcome::cancelled); });
    io.run();  // returns, although there is work
    CHECK(io.stopped());
}
