// What the log says about a run in which nothing moves.

#include "support/catch.hpp"
#include "support/signals.hpp"

#include <agdf/testing.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::LogLevel;
using agdf::Outcome;
using agdf::testing::VirtualTime;
using test::Watchdog;
using Catch::Matchers::ContainsSubstring;

struct Scene {
    explicit Scene(std::chrono::steady_clock::duration stall_after = 60s)
        : graph(io, {.log = [this](LogLevel level, std::string_view line) {
                         if (line.find("nothing has moved") == line.npos)
                             return;
                         CHECK(level == LogLevel::warning);
                         stalls.emplace_back(line);
                         times.push_back(clock.elapsed());
                     },
                     .stall_after = stall_after})
    {
    }

    void after(std::chrono::seconds time, std::function<void()> action)
    {
        auto wait = [time, action]() -> asio::awaitable<void> {
            co_await agdf::sleep_for(time);
            action();
        };
        asio::co_spawn(io, wait, asio::detached);
    }

    Watchdog watchdog;
    asio::io_context io;
    VirtualTime clock{io};
    std::vector<std::string> stalls;
    std::vector<std::chrono::steady_clock::duration> times;
    agdf::Graph<> graph;
};

std::vector<int> numbers(int n)
{
    std::vector<int> all;
    for (int i = 1; i <= n; ++i)
        all.push_back(i);
    return all;
}

}  // namespace

TEST_CASE("a stall is logged once, with the nodes that hold items and how many", "[stall]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(100)));
    auto relay = scene.graph.add_node("relay", [](int n) { return n; }, {.queue_size = 5});
    auto sink = scene.graph.add_node("sink", [](int n) -> asio::awaitable<void> {
        if (n == 10)
            co_await agdf::sleep_for(1h);
    }, {.queue_size = 3});
    source >> relay >> sink;
    source >> scene.graph.add_node("free", [](int) {}, {.queue_size = 200});
    CHECK(scene.graph.run().outcome == Outcome::completed);
    REQUIRE(scene.stalls.size() == 1);
    CHECK_THAT(scene.stalls[0], ContainsSubstring("'relay' (5 queued") && ContainsSubstring("'sink' (3 queued, 1 under way)"));
    CHECK_THAT(scene.stalls[0], ContainsSubstring("60 s") && ContainsSubstring("Expected: "));
    CHECK_THAT(scene.stalls[0], !ContainsSubstring("'free'") && !ContainsSubstring("'source'"));
    CHECK(scene.times[0] >= 60s);
    CHECK(scene.times[0] <= 90s);
}

TEST_CASE("after progress another stall is logged again", "[stall]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(6)));
    source >> scene.graph.add_node("sink", [](int n) -> asio::awaitable<void> {
        if (n % 2 == 0)
            co_await agdf::sleep_for(1h);
    });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(scene.stalls.size() == 3);
}

TEST_CASE("slow progress is no stall", "[stall]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(10)));
    source >> scene.graph.add_node("sink", [](int) { return agdf::sleep_for(50s); });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(scene.stalls.empty());
}

TEST_CASE("a paused run does not stall, and after the resume the time begins anew", "[stall][pause]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(10)));
    source >> scene.graph.add_node("sink", [](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(n == 2 ? 3'630s : 1s);
    });
    scene.after(10s, [&] { scene.graph.pause(); });
    scene.after(3'600s, [&] { scene.graph.resume(); });  // 31 s before item 2 is through
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(scene.stalls.empty());
}

TEST_CASE("a run whose source waits in a long poll, and whose nodes hold nothing, does not stall", "[stall]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", []() -> agdf::Stream<int> {
        co_yield 1;
        co_await agdf::sleep_for(24h);
        co_yield 2;
    });
    auto whole = scene.graph.add_node("whole", [](agdf::Receiver<int> items) -> agdf::Stream<int> {
        while (auto item = co_await items.next())
            co_yield *item;
    });
    source >> whole >> scene.graph.add_node("sink", [](int) {});
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(scene.stalls.empty());
}

TEST_CASE("a stall is not looked for unless it is asked for", "[stall]")
{
    Scene scene{0s};
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(1)));
    source >> scene.graph.add_node("sink", [](int) { return agdf::sleep_for(1'000h); });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(scene.stalls.empty());
}

TEST_CASE("an item that waits for its retry or for somebody else is held by its node", "[stall]")
{
    Scene scene;
    agdf::Channel<int> never{1};
    int attempts = 0;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(1)));
    auto retries = scene.graph.add_node("retries", [&](int) {
        if (++attempts == 1)
            throw std::runtime_error("busy");
    }, {.retry = {.attempts = 2, .delay = 100s, .max_delay = 100s, .jitter = agdf::Jitter::none}});
    auto waits = scene.graph.add_node("waits", [&](int) -> asio::awaitable<void> { co_await never.receive(); });
    auto streams = scene.graph.add_node("streams", [&](int) -> agdf::Stream<int> { co_await never.receive(); });
    auto whole = scene.graph.add_node("whole", [&](agdf::Receiver<int> items) -> asio::awaitable<void> {
        co_await items.next();
        co_await never.receive();
    });
    source >> retries;
    source >> waits;
    source >> streams;
    source >> whole;
    scene.after(500s, [&] { never.close(); });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    REQUIRE(scene.stalls.size() == 2);
    CHECK_THAT(scene.stalls[0], ContainsSubstring("'retries' (0 queued, 1 under way)") && ContainsSubstring("'waits'") &&
                                    ContainsSubstring("'streams'") && ContainsSubstring("'whole'"));
    CHECK_THAT(scene.stalls[1], !ContainsSubstring("'retries'") && ContainsSubstring("'waits'"));
}

TEST_CASE("a node whose body takes nothing holds its items like others, when nothing moves", "[stall]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(2)));
    source >> scene.graph.add_node("once each", [] { return agdf::sleep_for(1h); });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    REQUIRE_FALSE(scene.stalls.empty());
    CHECK_THAT(scene.stalls[0], ContainsSubstring("'once each' (1 queued, 1 under way)"));
}

TEST_CASE("looking for stalls keeps neither the run nor its context going", "[stall]")
{
    Scene scene{1h};
    int ended = 0;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(3)));
    source >> scene.graph.add_node("sink", [](int) { return agdf::sleep_for(1s); });
    scene.graph.async_run([&](const agdf::RunReport& report) { ended += report.outcome == Outcome::completed; });
    scene.io.run();
    CHECK(ended == 1);
    CHECK(scene.clock.elapsed() == 3s);
}

TEST_CASE("a drain that does not come to its end is a stall, too", "[stall][signals]")
{
    Scene scene;
    auto source = scene.graph.add_node("source", agdf::from_range(numbers(3)));
    source >> scene.graph.add_node("sink", [&](int) -> asio::awaitable<void> {
        scene.graph.stop();
        co_await agdf::sleep_for(100s);
    });
    CHECK(scene.graph.run().outcome == Outcome::stopped);
    CHECK_FALSE(scene.stalls.empty());
}

TEST_CASE("a time after which a run stalls is bounded below by zero, and not above", "[stall]")
{
    asio::io_context io;
    CHECK_THAT(test::graph_error_of([&] { agdf::Graph graph{io, {.stall_after = -1s}}; }), ContainsSubstring("stall_after"));
    Scene scene{std::chrono::steady_clock::duration::max()};
    scene.graph.add_node("source", agdf::from_range(numbers(1)));
    CHECK(scene.graph.run().outcome == Outcome::completed);
}
