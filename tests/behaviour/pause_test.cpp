// What a paused run does, and what ends the pause.

#include "support/catch.hpp"
#include "support/signals.hpp"

#include <agdf/testing.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::testing::VirtualTime;
using test::Watchdog;
using Ints = std::vector<int>;

struct Scene {
    Watchdog watchdog;
    asio::io_context io;
    VirtualTime clock{io};
    agdf::Graph<> graph{io, test::quiet()};

    void after(std::chrono::seconds time, std::function<void()> action)
    {
        auto wait = [time, action]() -> asio::awaitable<void> {
            co_await agdf::sleep_for(time);
            action();
        };
        asio::co_spawn(io, wait, asio::detached);
    }

    [[nodiscard]] std::uint64_t out(std::size_t node) const { return graph.stats()[node].out; }
};

Ints up_to(int n)
{
    Ints numbers(static_cast<std::size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

agdf::Stream<int> endless()
{
    for (int i = 1;; ++i)
        co_yield i;
}

}  // namespace

TEST_CASE("while a run is paused no body begins, whatever its shape, and after the resume nothing is lost", "[pause]")
{
    Scene scene;
    auto& graph = scene.graph;
    const std::size_t workers = GENERATE(1U, 3U);
    const std::size_t queue_size = GENERATE(1U, 5U, 1'024U);
    int began = 0, at_pause = -1;
    Ints results;
    auto source = graph.add_node("source", agdf::from_range(up_to(200)));
    auto plain = graph.add_node("plain", [&](int n) { ++began; return n; }, {.workers = workers, .queue_size = queue_size});
    auto stream = graph.add_node("stream", [&](int n) -> agdf::Stream<int> {
        ++began;
        co_yield n;
    }, {.workers = workers, .queue_size = queue_size});
    auto one = graph.add_node("one", [&](int n) -> asio::awaitable<int> {
        ++began;
        co_return n;
    }, {.workers = workers, .queue_size = queue_size, .timeout = 1min});
    auto pool = graph.add_node("pool", agdf::blocking([](int n) { return n; }), {.workers = workers, .queue_size = queue_size, .ordered = true});
    source >> plain >> stream >> one >> pool >> graph.add_node("sink", [&](int n) {
        ++began;
        results.push_back(n);
        if (results.size() == 50) {
            graph.pause();
            at_pause = began;
        }
    }, {.queue_size = queue_size});
    std::uint64_t yielded = 0;
    scene.after(1s, [&] { yielded = scene.out(0); });
    scene.after(3600s, [&] {
        CHECK(began == at_pause);
        CHECK(results.size() == 50);
        CHECK(scene.out(0) == yielded);
        graph.resume();
    });
    const auto report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.elapsed == 1h);
    CHECK(results.size() == 200);
    std::sort(results.begin(), results.end());
    CHECK(results == up_to(200));
}

TEST_CASE("a source that wakes up in a pause does not yield before its end", "[pause]")
{
    Scene scene;
    Ints results;
    auto source = scene.graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 1; i <= 3; ++i) {
            co_await agdf::sleep_for(10s);
            co_yield i;
        }
    });
    source >> scene.graph.add_node("sink", agdf::collect(results));
    scene.after(15s, [&] { scene.graph.pause(); });
    scene.after(100s, [&] {
        CHECK(results == Ints{1});
        CHECK(scene.out(0) == 1);
        scene.graph.resume();
    });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("a paused source without edges costs nothing and yields nothing", "[pause]")
{
    Scene scene;
    scene.graph.add_node("source", endless);
    std::uint64_t out = 0;
    scene.after(0s, [&] { scene.graph.pause(); });
    scene.after(1s, [&] { out = scene.out(0); });
    scene.after(3600s, [&] {  // the clock only comes here if nothing spins
        CHECK(scene.out(0) == out);
        scene.graph.stop();
    });
    // An endless source never lets the clock move, so the first step is made by hand.
    scene.clock.advance(1ms);
    const auto report = scene.graph.run();
    CHECK(report.outcome == Outcome::stopped);
}

TEST_CASE("what is under way when the pause begins goes on: awaiting bodies, streams between two outputs, retries", "[pause]")
{
    Scene scene;
    auto& graph = scene.graph;
    Ints ended, streamed;
    int attempts = 0;
    auto source = graph.add_node("source", agdf::from_range(up_to(3)));
    source >> graph.add_node("awaits", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(10s);
        ended.push_back(n);
    });
    source >> graph.add_node("streams", [&](int n) -> agdf::Stream<int> {
        co_yield n;
        co_await agdf::sleep_for(10s);
        co_yield n;
        co_yield n;
        streamed.push_back(n);
    }, {.queue_size = 1}) >> graph.add_node("sink", [](int) {});
    source >> graph.add_node("retries", [&](int) {
        if (++attempts == 1)
            throw std::runtime_error("busy");
    }, {.retry = {.attempts = 2, .delay = 10s, .jitter = agdf::Jitter::none}});
    scene.after(5s, [&] { graph.pause(); });
    scene.after(60s, [&] {
        CHECK(ended == Ints{1});
        CHECK(streamed == Ints{1});
        CHECK(attempts == 2);
        graph.resume();
    });
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(ended == up_to(3));
    CHECK(streamed == up_to(3));
    CHECK(attempts == 4);
}

TEST_CASE("a stop, a signal or a cancel ends the pause", "[pause]")
{
    Scene scene;
    const test::OwnHandler own;
    const std::string what = GENERATE("stop", "signal", "cancel");
    std::uint64_t seen = 0;
    auto source = scene.graph.add_node("source", endless);
    auto relay = scene.graph.add_node("relay", [](int n) { return n; }, {.workers = 2, .queue_size = 7});
    source >> relay >> scene.graph.add_node("sink", [&](int) {
        if (++seen == 20)
            scene.graph.pause();
    }, {.queue_size = 7});
    scene.after(60s, [&] {
        CHECK(seen == 20);
        if (what == "stop")
            scene.graph.stop();
        else if (what == "cancel")
            scene.graph.cancel();
        else
            raise(SIGINT);
    });
    const auto report = scene.graph.run({.start = {}, .stop_on_signals = true});
    CHECK(report.outcome == (what == "cancel" ? Outcome::cancelled : Outcome::stopped));
    CHECK(report.elapsed == 60s);
    CHECK(report.node("relay").in == report.node("source").out);
    CHECK(report.node("sink").in == seen + report.node("sink").undelivered);
    CHECK((what == "cancel" || seen == report.node("source").out));
}

TEST_CASE("a pause while the run drains has no effect, and neither has one before, after or twice", "[pause]")
{
    Scene scene;
    auto& graph = scene.graph;
    Ints results;
    auto source = graph.add_node("source", agdf::from_range(up_to(10)));
    source >> graph.add_node("sink", [&](int n) {
        results.push_back(n);
        if (n == 3) {
            graph.stop();
            graph.pause();
        }
    });
    graph.pause();
    CHECK(graph.run().outcome == Outcome::stopped);
    graph.pause();
    CHECK(graph.run().outcome == Outcome::stopped);
    graph.resume();
    CHECK(results.size() >= 6);
}

TEST_CASE("one resume ends a pause that was asked for twice, and a resume without a pause has no effect", "[pause]")
{
    Scene scene;
    Ints results;
    auto source = scene.graph.add_node("source", agdf::from_range(up_to(10)));
    source >> scene.graph.add_node("sink", [&](int n) {
        results.push_back(n);
        scene.graph.resume();
        if (n % 2 == 0) {
            scene.graph.pause();
            scene.graph.pause();
            scene.after(1s, [&] { scene.graph.resume(); });
        }
    });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(results == up_to(10));
}

TEST_CASE("a run whose last item pauses it still completes, and the next run is not paused", "[pause]")
{
    Scene scene;
    int seen = 0;
    auto source = scene.graph.add_node("source", agdf::from_range(up_to(3)));
    source >> scene.graph.add_node("sink", [&](int n) {
        ++seen;
        if (n == 3)
            scene.graph.pause();
    });
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(scene.graph.run().outcome == Outcome::completed);
    CHECK(seen == 6);
}

TEST_CASE("a pause during the setup holds the first item back", "[pause]")
{
    Scene scene;
    Ints results;
    auto source = scene.graph.add_node("source", agdf::from_range(up_to(3)), {.setup = [&] { scene.graph.pause(); }});
    source >> scene.graph.add_node("sink", agdf::collect(results));
    scene.after(10s, [&] {
        CHECK(results.empty());
        scene.graph.resume();
    });
    const auto report = scene.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.elapsed == 10s);
    CHECK(results == up_to(3));
}

TEST_CASE("a run on two threads that another thread pauses and resumes again and again loses nothing", "[pause][threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    constexpr int count = 5'000;
    std::atomic<int> seen{0}, sum{0};
    auto source = graph.add_node("source", agdf::from_range(up_to(count)));
    auto relay = graph.add_node("relay", [](int n) -> agdf::Stream<int> { co_yield n; }, {.workers = 4, .queue_size = 4});
    source >> relay >> graph.add_node("sink", [&](int n) {
        sum += n;
        ++seen;
    }, {.workers = 2, .queue_size = 2});
    std::atomic<bool> ended{false};
    std::thread thread{[&] {
        while (!ended) {
            graph.pause();
            std::this_thread::yield();
            graph.resume();
            const int before = seen;
            while (!ended && seen < before + 20)
                std::this_thread::yield();
        }
    }};
    const auto report = graph.run();
    ended = true;
    thread.join();
    CHECK(report.outcome == Outcome::completed);
    CHECK(seen == count);
    CHECK(sum == count / 2 * (count + 1));
}

TEST_CASE("a pause that meets a stop or a cancel on another thread does not keep the run from its end", "[pause][threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::atomic<bool> flows{false};
    const auto count_on = [&]() -> agdf::Stream<int> {
        for (int i = 0;; ++i) {
            co_yield i;
            flows = true;
        }
    };
    graph.add_node("source", count_on) >> graph.add_node("sink", [](int) {}, {.queue_size = 8});
    for (int round = 0; round < 300; ++round) {
        flows = false;
        std::atomic<int> ready{0};
        const auto meet = [&] {
            ++ready;
            while (ready < 2) {
            }
        };
        std::thread pauser{[&] {
            while (!flows)
                std::this_thread::yield();
            meet();
            graph.pause();
        }};
        std::thread ender{[&] {
            meet();
            round % 2 == 0 ? graph.stop() : graph.cancel();
        }};
        CHECK(graph.run().outcome == (round % 2 == 0 ? Outcome::stopped : Outcome::cancelled));
        pauser.join();
        ender.join();
    }
}
