// How a run ends on signals.

#include "support/catch.hpp"
#include "support/signals.hpp"

#include <agdf/testing.hpp>

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::testing::VirtualTime;
using test::Lines;
using test::OwnHandler;
using test::Watchdog;
using Catch::Matchers::ContainsSubstring;

agdf::Stream<int> numbers()
{
    for (int i = 1;; ++i)
        co_yield i;
}

agdf::RunOptions with_signals(std::chrono::steady_clock::duration grace = 30s)
{
    agdf::RunOptions options;
    options.stop_on_signals = true;
    options.grace = grace;
    return options;
}

/// An endless source, and a sink that raises a signal at its third item and then takes some time.
struct Slow {
    explicit Slow(int signal, std::chrono::steady_clock::duration time, Lines* lines = nullptr)
        : graph(io, lines ? lines->options() : test::quiet())
    {
        auto source = graph.add_node("source", numbers);
        source >> graph.add_node("sink", [this, signal, time](int n) -> asio::awaitable<void> {
            if (n == 3) {
                raise(signal);
                co_await agdf::sleep_for(time);
            }
            seen = n;
        }, {.queue_size = 10});
    }

    OwnHandler own;
    asio::io_context io;
    VirtualTime clock{io};
    agdf::Graph<> graph;
    int seen = 0;
};

}  // namespace

TEST_CASE("the first signal drains the run: all that was yielded arrives, and the exit code names the signal", "[signals]")
{
    Watchdog watchdog;
    const OwnHandler own;
    const int signal = GENERATE(SIGINT, SIGTERM);
    const std::size_t threads = GENERATE(1U, 2U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    std::atomic<int> yielded{0}, seen{0};
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (;;)
            co_yield ++yielded;
    });
    auto twice = graph.add_node("twice", [](int n) { return 2 * n; }, {.queue_size = 7});
    source >> twice >> graph.add_node("sink", [&](int) {
        if (++seen == 100)
            raise(signal);
    }, {.queue_size = 3});
    const agdf::RunReport report = graph.run(with_signals());
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.signal == signal);
    CHECK(report.exit_code() == (signal == SIGINT ? 130 : 143));
    CHECK(report.node("source").out == static_cast<std::uint64_t>(yielded));
    CHECK(seen == yielded);
    CHECK(report.node("sink").undelivered == 0);
    CHECK(OwnHandler::caught() == 0);
}

TEST_CASE("a drain that ends within the grace is not cut short by it", "[signals]")
{
    Watchdog watchdog;
    Slow slow{SIGINT, 4s};
    const agdf::RunReport report = slow.graph.run(with_signals(5s));
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.elapsed == 4s);
    CHECK(report.node("source").out == static_cast<std::uint64_t>(slow.seen));
    CHECK(slow.clock.elapsed() == 4s);
}

TEST_CASE("the end of the grace cancels a drain, and what was not delivered is counted", "[signals]")
{
    Watchdog watchdog;
    const auto grace = GENERATE(5s, 30s, 0s);
    Slow slow{SIGINT, 1h};
    const agdf::RunReport report = slow.graph.run(with_signals(grace));
    CHECK(report.outcome == Outcome::cancelled);
    CHECK(report.elapsed == grace);
    CHECK(report.signal == SIGINT);
    CHECK(report.exit_code() == 130);
    const agdf::NodeStats& sink = report.node("sink");
    CHECK(slow.seen == 2);
    CHECK(sink.in == 2 + sink.undelivered);
    CHECK(sink.in == report.node("source").out);
    CHECK(sink.err == 0);
}

TEST_CASE("a grace without end is one", "[signals]")
{
    Watchdog watchdog;
    Slow slow{SIGTERM, 100h};
    const agdf::RunReport report = slow.graph.run(with_signals(std::chrono::steady_clock::duration::max()));
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.elapsed == 100h);
    CHECK(report.exit_code() == 143);
}

TEST_CASE("the second signal cancels at once, whichever of the two it is", "[signals]")
{
    Watchdog watchdog;
    const int first = GENERATE(SIGINT, SIGTERM);
    const int second = GENERATE(SIGINT, SIGTERM);
    Slow slow{first, 1h};
    auto raise_second = [second]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(2s);
        raise(second);
    };
    asio::co_spawn(slow.io, raise_second, asio::detached);
    const agdf::RunReport report = slow.graph.run(with_signals());
    CHECK(report.outcome == Outcome::cancelled);
    CHECK(report.elapsed == 2s);
    CHECK((report.signal == first || report.signal == second));
    CHECK(report.exit_code() == 128 + report.signal);
    CHECK(report.node("sink").in == 2 + report.node("sink").undelivered);
    CHECK(OwnHandler::caught() == 0);
}

TEST_CASE("a signal after a stop of the program's own still stops, and one more cancels", "[signals]")
{
    Watchdog watchdog;
    Slow slow{SIGINT, 1h};
    slow.graph.add_node("stops", [&]() -> agdf::Stream<int> {
        slow.graph.stop();
        co_return;
    });
    const agdf::RunReport report = slow.graph.run(with_signals(7s));
    CHECK((report.outcome == Outcome::cancelled || slow.seen < 3));
    CHECK(report.elapsed <= 7s);
}

TEST_CASE("after a run that no signal met, signals do again what they did before, and the exit code is 0", "[signals]")
{
    Watchdog watchdog;
    const OwnHandler own;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> results;
    graph.add_node("source", agdf::from_range(std::vector{1, 2})) >> graph.add_node("sink", agdf::collect(results));
    const agdf::RunReport report = graph.run(with_signals());
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.signal == 0);
    CHECK(report.exit_code() == 0);
    CHECK(OwnHandler::is_installed(SIGINT));
    CHECK(OwnHandler::is_installed(SIGTERM));
}

TEST_CASE("after a run that a signal stopped, signals do again what they did before, and another run begins afresh", "[signals]")
{
    Watchdog watchdog;
    Slow slow{SIGINT, 1s};
    for (int i = 0; i < 3; ++i) {
        const agdf::RunReport report = slow.graph.run(with_signals());
        CHECK(report.outcome == Outcome::stopped);
        CHECK(slow.seen >= 3);
        CHECK(OwnHandler::is_installed(SIGINT));
        CHECK(OwnHandler::is_installed(SIGTERM));
    }
}

TEST_CASE("a run that did not ask for signals leaves them to the program", "[signals]")
{
    Watchdog watchdog;
    const OwnHandler own;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("source", [] { raise(SIGINT); raise(SIGTERM); return agdf::from_range(std::vector{1})(); });
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.exit_code() == 0);
    CHECK(OwnHandler::caught() == 2);
}

TEST_CASE("a failure that halts while a signal drains the run is the worse one, and the exit code is 1", "[signals]")
{
    Watchdog watchdog;
    const OwnHandler own;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto source = graph.add_node("source", numbers);
    source >> graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        if (n != 3)
            co_return;
        raise(SIGINT);
        co_await agdf::sleep_for(1ms);
        throw std::runtime_error("broken");
    }, {.on_error = agdf::OnError::halt});
    const agdf::RunReport report = graph.run(with_signals());
    CHECK(report.outcome == Outcome::halted);
    CHECK(report.exit_code() == 1);
    CHECK(test::text_of(report.first_error) == "broken");
}

TEST_CASE("one signal stops every run that asked for it, also those of async_run, and the context is free afterwards", "[signals]")
{
    Watchdog watchdog;
    Slow slow{SIGTERM, 1s};
    agdf::Graph other{slow.io, test::quiet()};
    other.add_node("waits", []() -> agdf::Stream<int> { co_await agdf::sleep_for(1h); });
    std::vector<agdf::RunReport> reports;
    const auto keep = [&](agdf::RunReport report) { reports.push_back(std::move(report)); };
    slow.graph.async_run(with_signals(), keep);
    other.async_run(with_signals(), keep);
    slow.io.run();
    REQUIRE(reports.size() == 2);
    for (const auto& report : reports) {
        CHECK(report.outcome == Outcome::stopped);
        CHECK(report.exit_code() == 143);
    }
    CHECK(reports[0].elapsed < 1s);
    CHECK(slow.clock.elapsed() == 1s);
    CHECK(OwnHandler::is_installed(SIGTERM));
}

TEST_CASE("the log says which signal came, and what its grace came to", "[signals]")
{
    Watchdog watchdog;
    Lines lines;
    SECTION("a drain")
    {
        Slow slow{SIGINT, 1s, &lines};
        REQUIRE(slow.graph.run(with_signals()).outcome == Outcome::stopped);
        CHECK(lines.count("SIGINT") == 1);
    }
    SECTION("the end of the grace")
    {
        Slow slow{SIGTERM, 1h, &lines};
        REQUIRE(slow.graph.run(with_signals()).outcome == Outcome::cancelled);
        CHECK(lines.count("SIGTERM") >= 1);
        CHECK(lines.count("has not drained within 30 s") == 1);
        CHECK_THAT(lines.text(agdf::LogLevel::warning), ContainsSubstring("cancel"));
    }
    UNSCOPED_INFO(lines.text());
}

TEST_CASE("a signal while nodes are set up or torn down ends the run within the grace", "[signals]")
{
    Watchdog watchdog;
    const OwnHandler own;
    const bool at_setup = GENERATE(true, false);
    asio::io_context io;
    VirtualTime clock{io};
    agdf::Graph graph{io, test::quiet()};
    const auto hangs = []() -> asio::awaitable<void> {
        raise(SIGINT);
        co_await agdf::sleep_for(1h);
    };
    const agdf::Hook none;
    bool others_are_torn_down = false;
    graph.add_node("other", [] { return agdf::from_range(std::vector{1})(); }, {.teardown = [&] { others_are_torn_down = true; }});
    graph.add_node("source", agdf::from_range(std::vector{1}), {.setup = at_setup ? agdf::Hook{hangs} : none, .teardown = at_setup ? none : agdf::Hook{hangs}});
    const agdf::RunReport report = graph.run(with_signals(5s));
    CHECK((report.outcome == Outcome::stopped || report.outcome == Outcome::cancelled));
    CHECK(report.elapsed <= 5s);
    CHECK(report.exit_code() == 130);
    CHECK(others_are_torn_down);
}

// Clang's undefined-behaviour sanitizer looks at an object through a pipe, and takes it for broken when it gets none.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define AGDF_TEST_NEEDS_DESCRIPTORS
#endif
#endif

#if !defined(AGDF_TEST_NEEDS_DESCRIPTORS)
TEST_CASE("a run that finds no descriptor to wait for signals throws, and its graph can be run again", "[signals]")
{
    const Watchdog watchdog;
    const OwnHandler own;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> results;
    graph.add_node("source", agdf::from_range(std::vector<int>{1, 2, 3})) >> graph.add_node("results", agdf::collect(results));
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 0;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_THROWS_AS((void)graph.run({.stop_on_signals = true}), std::system_error);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(results.empty());
    CHECK(OwnHandler::is_installed(SIGINT));
    CHECK(graph.run({.stop_on_signals = true}).outcome == Outcome::completed);
    CHECK(results == std::vector<int>{1, 2, 3});
}
#endif
