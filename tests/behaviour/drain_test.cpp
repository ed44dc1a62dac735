// What a run that a signal ends does with whoever waits at that moment.

#include "support/catch.hpp"
#include "support/signals.hpp"

#include <agdf/testing.hpp>

#include <atomic>
#include <csignal>
#include <latch>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::testing::VirtualTime;
using test::OwnHandler;
using test::Watchdog;

struct Scene {
    Watchdog watchdog;
    OwnHandler own;
    asio::io_context io;
    VirtualTime clock{io};
    agdf::Graph<> graph{io, test::quiet({.blocking_threads = 1})};

    /// A source that yields 1 to n, raises SIGINT and waits for an hour.
    agdf::Node<void, int> add_source(int n)
    {
        return graph.add_node("source", [n]() -> agdf::Stream<int> {
            for (int i = 1; i <= n; ++i)
                co_yield i;
            raise(SIGINT);
            co_await agdf::sleep_for(1h);
            co_yield 0;
        });
    }

    /// Runs, and checks that the run ended within a time and that each item is where the counters say.
    agdf::RunReport run(std::chrono::steady_clock::duration within = 0s)
    {
        agdf::RunOptions options;
        options.stop_on_signals = true;
        const agdf::RunReport report = graph.run(std::move(options));
        CHECK(report.outcome == Outcome::stopped);
        CHECK(report.exit_code() == 130);
        CHECK(report.elapsed <= within);
        for (const auto& node : report.nodes) {
            CHECK(node.queued == 0);
            CHECK(node.active == 0);
        }
        return report;
    }
};

}  // namespace

TEST_CASE("a signal ends a source in a long poll at once, and all that it yielded is delivered", "[drain][signals]")
{
    Scene scene;
    std::vector<int> results;
    scene.add_source(5) >> scene.graph.add_node("sink", agdf::collect(results), {.queue_size = 2});
    const auto report = scene.run();
    CHECK(results == std::vector{1, 2, 3, 4, 5});
    CHECK(report.node("source").out == 5);
    CHECK(report.node("source").err == 0);
}

TEST_CASE("a signal ends the sleep before a retry at once, and the item fails, is delivered or is counted", "[drain][signals]")
{
    Scene scene;
    const bool comes_through = GENERATE(true, false);
    int attempts = 0, seen = 0;
    auto fetch = scene.graph.add_node("fetch", [&](int n) {
        if (++attempts == 1 || !comes_through)
            throw std::runtime_error("busy");
        return n;
    }, {.retry = {.attempts = 3, .delay = 10min, .max_delay = 10min}});
    scene.add_source(1) >> fetch >> scene.graph.add_node("sink", [&](int) { ++seen; });
    const auto report = scene.run();
    const auto& stats = report.node("fetch");
    CHECK(stats.in == 1);
    CHECK(stats.in == stats.out + stats.err + stats.undelivered);
    CHECK(static_cast<std::uint64_t>(seen) == stats.out);
    CHECK(report.node("sink").in == stats.out);
}

TEST_CASE("an item whose retry a cancel forestalls has failed: it was not tried again, and the log sends it nowhere", "[drain][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    const VirtualTime clock{io};
    test::Lines lines;
    agdf::Graph graph{io, lines.options()};
    int attempts = 0, dead = 0;
    auto fetch = graph.add_node("fetch", [&](int) {
        ++attempts;
        throw std::runtime_error("busy");
    }, {.retry = {.attempts = 3, .delay = 10min, .max_delay = 10min, .jitter = agdf::Jitter::none}});
    graph.add_error_edge(fetch, graph.add_node("dead", [&](const agdf::Failed<int>&) { ++dead; }));
    graph.add_node("source", []() -> agdf::Stream<int> {
        co_yield 1;
        co_await agdf::sleep_for(1h);
    }) >> fetch;
    auto cancel = [&graph]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(15min);
        graph.cancel();
    };
    asio::co_spawn(io, cancel, asio::detached);
    const auto report = graph.run();
    CHECK(report.outcome == Outcome::cancelled);
    CHECK(attempts == 2);
    CHECK(report.node("fetch").retried == 1);
    CHECK(report.node("fetch").err == 1);
    CHECK(report.node("dead").in == 0);
    CHECK(dead == 0);
    CHECK(lines.count("busy") == 1);
    CHECK(lines.count("dead letters") == 0);
}

TEST_CASE("a signal lets a full queue run empty, however many nodes wait for room", "[drain][signals]")
{
    Scene scene;
    std::vector<int> results;
    int yielded = 0;
    auto source = scene.graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (;;) {
            ++yielded;
            co_yield yielded;
        }
    });
    auto relay = scene.graph.add_node("relay", [](int n) { return n; }, {.workers = 3, .queue_size = 1});
    source >> relay >> scene.graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        if (n == 1)
            co_await agdf::sleep_for(1s);  // so that all the others are stuck
        if (n == 1)
            raise(SIGINT);
        results.push_back(n);
    }, {.queue_size = 1});
    const auto report = scene.run(1s);
    CHECK(report.node("source").out == static_cast<std::uint64_t>(yielded));
    CHECK(results.size() == static_cast<std::size_t>(yielded));
    CHECK(report.node("sink").undelivered + report.node("relay").undelivered == 0);
}

TEST_CASE("a signal ends a source whose call the blocking pool does not come to, and one whose call never returns", "[drain][signals]")
{
    Scene scene;
    const auto released = std::make_shared<std::latch>(1);
    const auto add_caller = [&](const char* name) {
        return scene.graph.add_node(name, [released]() -> agdf::Stream<int> {
            co_yield 1;
            const auto wait = [released] { released->wait(); };
            co_await agdf::run_blocking(wait);
            co_yield 2;
        });
    };
    int seen = 0;
    auto sink = scene.graph.add_node("sink", [&](int) {
        if (++seen == 2)
            raise(SIGINT);
    });
    add_caller("first") >> sink;
    add_caller("second") >> sink;
    CHECK(scene.run().node("sink").in == 2);
    CHECK(seen == 2);
    released->count_down();
}

TEST_CASE("a signal waits for the blocking calls that hold items, and a second one does not", "[drain][signals]")
{
    Scene scene;
    const bool twice = GENERATE(false, true);
    const auto released = std::make_shared<std::latch>(1);
    const auto done = std::make_shared<std::atomic<int>>(0);
    auto load = scene.graph.add_node("load", agdf::blocking([released, done](int) { released->wait(); ++*done; }));
    scene.add_source(3) >> load;
    auto go_on = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 100; ++i)
            co_await asio::post(asio::use_awaitable);  // the first signal arrives meanwhile
        if (twice)
            raise(SIGTERM);
        else
            released->count_down();
    };
    asio::co_spawn(scene.io, go_on, asio::detached);
    if (twice) {
        const agdf::RunReport report = scene.graph.run({.start = {}, .stop_on_signals = true});
        CHECK(report.outcome == Outcome::cancelled);
        CHECK(report.node("load").in == report.node("load").undelivered);
        released->count_down();
    } else {
        const auto report = scene.run();
        CHECK(report.node("load").in == 3);
        CHECK(*done == 3);
    }
}

TEST_CASE("a signal flushes an incomplete batch at once, with and without a delay of its own", "[drain][signals]")
{
    Scene scene;
    const auto max_delay = GENERATE(0s, 3600s);
    std::vector<std::vector<int>> batches;
    auto batch = scene.graph.add_node("batch", agdf::batch<int>({.max_items = 4, .max_delay = max_delay}), {.queue_size = 2});
    scene.add_source(6) >> batch >> scene.graph.add_node("sink", agdf::collect(batches));
    const auto report = scene.run();
    CHECK(batches == std::vector<std::vector<int>>{{1, 2, 3, 4}, {5, 6}});
    CHECK(report.node("batch").undelivered == 0);
    CHECK(report.node("batch").out == 2);
}

TEST_CASE("a signal flushes the batches of a chain of batchers, and those by key", "[drain][signals]")
{
    Scene scene;
    std::size_t seen = 0;
    auto small = scene.graph.add_node("small", agdf::batch<int>({.max_items = 2, .max_delay = 1h}));
    auto large = scene.graph.add_node("large", agdf::batch<std::vector<int>>({.max_items = 10, .max_delay = 1h}));
    auto odd = scene.graph.add_node("odd", agdf::batch_by_key<int>([](const int& n) { return n % 2; }, {.max_delay = 1h}));
    auto source = scene.add_source(5);
    source >> small >> large >> scene.graph.add_node("sink", [&](const std::vector<std::vector<int>>& all) {
        for (const auto& one : all)
            seen += one.size();
    });
    source >> odd >> scene.graph.add_node("other sink", [&](const std::pair<int, std::vector<int>>& one) { seen += one.second.size(); });
    const auto report = scene.run();
    CHECK(seen == 10);
    CHECK(report.node("small").out == 3);
    CHECK(report.node("large").out <= 3);
}

TEST_CASE("a signal does not hurry items that are on their way through a rate limit, a body that sleeps or a time-out", "[drain][signals]")
{
    Scene scene;
    std::vector<int> results;
    const agdf::RateLimiter limit{{.rate = 1, .per = 1s, .burst = 1}};
    auto fetch = scene.graph.add_node("fetch", [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(10ms);
        co_return n;
    }, {.timeout = 1h, .rate_limit = limit});
    scene.add_source(4) >> fetch >> scene.graph.add_node("sink", agdf::collect(results));
    const auto report = scene.run(4s);
    CHECK(report.node("fetch").in == 4);
    CHECK(results.size() + report.node("fetch").undelivered + report.node("fetch").err == 4);
    UNSCOPED_INFO(results.size());
}
