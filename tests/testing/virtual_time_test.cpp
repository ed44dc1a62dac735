#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using agdf::testing::VirtualTime;
using Clock = std::chrono::steady_clock;

namespace {

asio::awaitable<void> sleep_and_note(Clock::duration time, int number, std::vector<int>& order)
{
    co_await agdf::sleep_for(time);
    order.push_back(number);
}

/// A coroutine that keeps an object alive until its sleep ends, and takes down how it ended.
asio::awaitable<void> sleep_with(test::Counted, Clock::duration time, std::string& end)
{
    try {
        co_await agdf::sleep_for(time);
        end = "slept";
    } catch (const asio::system_error& error) {
        end = error.code() == asio::error::operation_aborted ? "aborted" : "failed";
    }
}

agdf::Stream<int> count_slowly(int last, Clock::duration pause)
{
    for (int i = 1; i <= last; ++i) {
        co_await agdf::sleep_for(pause);
        co_yield i;
    }
}

}  // namespace

TEST_CASE("a sleep of an hour takes no time", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    const auto began = time.now();
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    io.run();
    REQUIRE(time.elapsed() == 1h);
    REQUIRE(time.now() - began == 1h);
}

TEST_CASE("virtual time starts at the real time", "[virtual_time]")
{
    asio::io_context io;
    const auto before = Clock::now();
    const VirtualTime time{io};
    REQUIRE(time.now() >= before);
    REQUIRE(time.now() <= Clock::now());
    REQUIRE(time.elapsed() == 0s);
}

TEST_CASE("sleeps end in the order of their times, and of one time in the order in which they began", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::vector<int> order;
    asio::co_spawn(io, sleep_and_note(3s, 5, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(1s, 1, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(1s, 2, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(2s, 4, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(1s, 3, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(-1s, 0, order), asio::detached);
    io.run();
    REQUIRE(order == std::vector{0, 1, 2, 3, 4, 5});
    REQUIRE(time.elapsed() == 3s);
}

TEST_CASE("the sleeps are taken down in the order in which they began", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    const auto two = []() -> asio::awaitable<void> {
        co_await agdf::sleep_for(2s);
        co_await agdf::sleep_for(500ms);
    };
    asio::co_spawn(io, two, asio::detached);
    asio::co_spawn(io, agdf::sleep_for(1s), asio::detached);
    io.run();
    REQUIRE(time.sleeps() == std::vector<Clock::duration>{2s, 1s, 500ms});
}

TEST_CASE("of very many sleeps only the last are remembered", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    const auto many = []() -> asio::awaitable<void> {
        for (int i = 1; i <= 10'003; ++i)
            co_await agdf::sleep_for(std::chrono::milliseconds(i));
    };
    asio::co_spawn(io, many, asio::detached);
    io.run();
    REQUIRE(time.sleeps().size() == 10'000);
    REQUIRE(time.sleeps().front() == 4ms);
    REQUIRE(time.sleeps().back() == 10'003ms);
}

TEST_CASE("time stands still while anything is ready to run", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io{GENERATE(1, 2)};  // with the hint 1 Asio queues differently
    const VirtualTime time{io};
    std::vector<int> order;
    asio::co_spawn(io, sleep_and_note(1ns, 1'000, order), asio::detached);
    std::function<void(int)> step = [&](int i) {
        order.push_back(i);
        if (i < 100)
            asio::post(io, [&step, i] { step(i + 1); });
    };
    asio::post(io, [&step] { step(0); });
    io.run();
    REQUIRE(order.size() == 102);
    REQUIRE(order.back() == 1'000);
}

TEST_CASE("run_one returns after a step also in virtual time", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::function<void()> forever = [&] { asio::post(io, forever); };  // never idle, so time never moves
    asio::post(io, forever);
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    for (int i = 0; i < 100; ++i)
        REQUIRE(io.run_one() == 1);
    REQUIRE(time.elapsed() == 0s);
}

TEST_CASE("Graph::run needs nothing special, and its report's elapsed time is virtual", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> got;
    const auto source = graph.add_node("count", [] { return count_slowly(24, 1h); });
    const auto sink = graph.add_node("collect", agdf::collect(got));
    graph.add_edge(source, sink);
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == agdf::Outcome::completed);
    REQUIRE(got.size() == 24);
    REQUIRE(report.elapsed == 24h);
}

TEST_CASE("two graphs on one context share its virtual time", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::vector<std::string> order;
    const auto add = [&](agdf::Graph<>& graph, std::string name, Clock::duration pause) {
        const auto source = graph.add_node("count", [pause] { return count_slowly(2, pause); });
        const auto sink = graph.add_node("note", [&order, name](int) { order.push_back(name); });
        graph.add_edge(source, sink);
    };
    agdf::Graph slow{io, test::quiet()};
    agdf::Graph fast{io, test::quiet()};
    add(slow, "slow", 3h);
    add(fast, "fast", 2h);
    slow.async_run([&](agdf::RunReport report) { REQUIRE(report.elapsed == 6h); });
    fast.async_run([&](agdf::RunReport report) { REQUIRE(report.elapsed == 4h); });
    io.run();
    REQUIRE(order == std::vector<std::string>{"fast", "slow", "fast", "slow"});
}

TEST_CASE("receive_for and send_for time out in virtual time", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::vector<std::string> errors;
    const auto waits = [&]() -> asio::awaitable<void> {
        agdf::Channel<int> channel{1};
        try {
            (void)co_await channel.receive_for(10min);
        } catch (const agdf::TimeoutError& error) {
            errors.push_back(error.what());
        }
        const bool sent = co_await channel.send_for(1, 1h);
        REQUIRE(sent);
        try {
            (void)co_await channel.send_for(2, 20min);
        } catch (const agdf::TimeoutError& error) {
            errors.push_back(error.what());
        }
    };
    asio::co_spawn(io, waits, [](std::exception_ptr error) { REQUIRE_FALSE(error); });
    io.run();
    REQUIRE(errors.size() == 2);
    REQUIRE(time.elapsed() == 30min);
    REQUIRE(time.sleeps().empty());
}

TEST_CASE("a StatsLogger ticks sixty times in a virtual hour", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    (void)graph.add_node("sleep", [] { return count_slowly(1, 1h + 1s); });
    int lines = 0;
    const agdf::StatsLogger logger{graph, {.interval = 1min, .sink = [&](std::string_view) { ++lines; }}};
    (void)graph.run();
    REQUIRE(lines == 60 + 1);
}

TEST_CASE("a blocking call holds the clock", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::promise<void> release;
    std::optional<Clock::duration> after_call;
    const auto blocks = [&]() -> asio::awaitable<void> {
        auto wait = [&] { release.get_future().wait(); };
        co_await agdf::run_blocking(std::move(wait));
        after_call = time.elapsed();
    };
    asio::co_spawn(io, blocks, asio::detached);
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    while (io.poll() > 0) {
    }
    REQUIRE(time.elapsed() == 0s);
    release.set_value();
    io.run();
    REQUIRE(after_call == Clock::duration{0});
    REQUIRE(time.elapsed() == 1h);
}

TEST_CASE("a cancelled blocking call holds the clock no longer", "[virtual_time]")
{
    const test::Watchdog watchdog;
    std::promise<void> release;
    asio::io_context io;
    const VirtualTime time{io};
    asio::cancellation_signal signal;
    std::promise<void> began;
    const auto blocks = [&]() -> asio::awaitable<void> {
        auto wait = [&began, released = release.get_future().share()] {
            began.set_value();
            released.wait();
        };
        co_await agdf::run_blocking(std::move(wait));
    };
    asio::co_spawn(io, blocks, asio::bind_cancellation_slot(signal.slot(), asio::detached));
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    io.poll();
    began.get_future().wait();
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    REQUIRE(time.elapsed() == 1h);
    release.set_value();
}

TEST_CASE("a hold keeps the clock, on any thread, until it is destroyed", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::optional<VirtualTime::Hold> hold{time.hold()};
    std::optional<VirtualTime::Hold> other{time.hold()};
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    while (io.poll() > 0) {
    }
    other.reset();
    REQUIRE(io.poll() == 0);
    REQUIRE(time.elapsed() == 0s);
    std::thread thread{[&] { hold.reset(); }};
    io.run();
    thread.join();
    REQUIRE(time.elapsed() == 1h);
}

TEST_CASE("a sleep of nothing needs no move of the clock, so no hold keeps it", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    const auto hold = time.hold();
    std::vector<int> order;
    asio::co_spawn(io, sleep_and_note(0s, 1, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(-1h, 2, order), asio::detached);
    io.run();
    REQUIRE(order == std::vector{1, 2});
    REQUIRE(time.elapsed() == 0s);
}

TEST_CASE("advance ends what is due, whatever holds the clock", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    VirtualTime time{io};
    const auto hold = time.hold();
    std::vector<int> order;
    asio::co_spawn(io, sleep_and_note(3s, 3, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(1s, 1, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(2s, 2, order), asio::detached);
    io.poll();
    time.advance(2s);
    REQUIRE(order.empty());
    io.poll();
    REQUIRE(order == std::vector{1, 2});
    time.advance(999ms);
    io.poll();
    REQUIRE(order.size() == 2);
    time.advance(1ms);
    io.run();
    REQUIRE(order == std::vector{1, 2, 3});
    REQUIRE(time.elapsed() == 3s);
}

TEST_CASE("advance refuses to go back", "[virtual_time]")
{
    asio::io_context io;
    VirtualTime time{io};
    REQUIRE_THROWS_WITH(time.advance(-1ns), Catch::Matchers::StartsWith("agdf::testing::VirtualTime::advance: the duration is negative."));
    time.advance(Clock::duration::max());
    REQUIRE(time.now() == Clock::time_point::max());
}

TEST_CASE("on a context that is no io_context, advance moves the clock", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::thread_pool pool{1};
    VirtualTime time{pool};
    std::promise<void> slept;
    asio::co_spawn(pool, agdf::sleep_for(1h), [&](std::exception_ptr) { slept.set_value(); });
    auto end = slept.get_future();
    while (time.sleeps().empty())
        std::this_thread::yield();
    REQUIRE(end.wait_for(0s) == std::future_status::timeout);
    time.advance(1h);
    end.wait();
    pool.join();
    REQUIRE(time.elapsed() == 1h);
}

TEST_CASE("whoever runs a context that is no io_context lets the clock jump to the next wait", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    VirtualTime time{static_cast<asio::execution_context&>(io)};
    std::vector<int> order;
    asio::co_spawn(io, sleep_and_note(2h, 3, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(1h, 1, order), asio::detached);
    asio::co_spawn(io, sleep_and_note(1h, 2, order), asio::detached);
    io.poll();
    REQUIRE(order.empty());
    {
        const auto hold = time.hold();
        REQUIRE_FALSE(time.advance_to_next());
    }
    REQUIRE(time.elapsed() == 0s);
    REQUIRE(time.advance_to_next());
    REQUIRE(time.elapsed() == 1h);
    io.poll();
    REQUIRE(order == std::vector{1, 2});
    REQUIRE(time.advance_to_next());
    io.poll();
    REQUIRE(order == std::vector{1, 2, 3});
    REQUIRE_FALSE(time.advance_to_next());
    agdf::detail::Timer for_ever{io.get_executor()};
    for_ever.expires_at(Clock::time_point::max());
    for_ever.call_when_over([] {});
    REQUIRE_FALSE(time.advance_to_next());
    REQUIRE(time.elapsed() == 2h);
}

TEST_CASE("a context has one virtual time", "[virtual_time]")
{
    asio::io_context io;
    {
        const VirtualTime time{io};
        REQUIRE_THROWS_WITH(VirtualTime{io}, Catch::Matchers::StartsWith("agdf::testing::VirtualTime: the context's time is virtual already."));
        REQUIRE(agdf::detail::now_of(io) == time.now());
    }
    const VirtualTime again{io};
    REQUIRE(again.elapsed() == 0s);
}

TEST_CASE("a virtual sleep can be cancelled", "[virtual_time]")
{
    const test::Watchdog watchdog;
    {
        asio::io_context io;
        const VirtualTime time{io};
        asio::cancellation_signal signal;
        std::string end;
        asio::co_spawn(io, sleep_with(test::Counted{}, 2h, end), asio::bind_cancellation_slot(signal.slot(), asio::detached));
        const auto canceller = [&]() -> asio::awaitable<void> {
            co_await agdf::sleep_for(1h);
            signal.emit(asio::cancellation_type::terminal);
        };
        asio::co_spawn(io, canceller, asio::detached);
        io.run();
        REQUIRE(end == "aborted");
        REQUIRE(time.elapsed() == 1h);
    }
    REQUIRE(test::Counted::alive() == 0);
}

TEST_CASE("a cancellation that comes when the virtual time is over changes nothing", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    VirtualTime time{io};
    asio::cancellation_signal signal;
    const auto hold = time.hold();
    std::optional<asio::error_code> result;
    agdf::detail::Timer timer{io.get_executor()};
    timer.expires_after(1s);
    timer.async_wait(asio::bind_cancellation_slot(signal.slot(), [&](asio::error_code error) { result = error; }));
    time.advance(1s);
    signal.emit(asio::cancellation_type::terminal);
    timer.cancel();
    io.run();
    REQUIRE(result == asio::error_code{});
}

TEST_CASE("a timer is cancelled by cancel, by a new time, and by its end", "[virtual_time]")
{
    const test::Watchdog watchdog;
    const bool is_virtual = GENERATE(true, false);
    asio::io_context io;
    std::optional<VirtualTime> time;
    if (is_virtual)
        time.emplace(io);
    std::vector<asio::error_code> results;
    const auto note = [&](asio::error_code error) { results.push_back(error); };
    std::optional<agdf::detail::Timer> timer{io.get_executor()};
    timer->expires_after(1h);
    timer->async_wait(note);
    timer->cancel();
    timer->async_wait(note);
    timer->expires_after(2h);
    timer->async_wait(note);
    timer.reset();
    timer.emplace(io.get_executor());
    timer->expires_after(0s);
    timer->async_wait(note);
    io.run();
    const asio::error_code aborted = asio::error::operation_aborted;
    REQUIRE(results == std::vector{aborted, aborted, aborted, asio::error_code{}});
}

TEST_CASE("the clock does not jump to the end of all time", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::optional<asio::error_code> result;
    agdf::detail::Timer timer{io.get_executor()};
    timer.expires_at(Clock::time_point::max());
    timer.async_wait([&](asio::error_code error) { result = error; });
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    while (io.poll() > 0) {
    }
    REQUIRE_FALSE(result);
    REQUIRE(time.elapsed() == 1h);
    timer.cancel();
    io.run();
    REQUIRE(result == asio::error_code{asio::error::operation_aborted});
}

TEST_CASE("a handler on another context keeps the timer's own context running", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    asio::io_context other;
    const VirtualTime time{io};
    bool called = false;
    agdf::detail::Timer timer{io.get_executor()};
    timer.expires_after(1h);
    timer.async_wait(asio::bind_executor(other, [&](asio::error_code) { called = true; }));
    {
        const auto hold = time.hold();
        io.poll();
        REQUIRE_FALSE(io.stopped());
    }
    io.run();
    REQUIRE_FALSE(called);
    other.run();
    REQUIRE(called);
}

TEST_CASE("a wait that outlives its virtual time ends as if cancelled, and time is real again", "[virtual_time]")
{
    const test::Watchdog watchdog;
    {
        asio::io_context io;
        std::optional<VirtualTime> time{io};
        std::string end;
        asio::co_spawn(io, sleep_with(test::Counted{}, 1h, end), asio::detached);
        auto hold = time->hold();
        io.poll();
        time.reset();
        io.run();
        REQUIRE(end == "aborted");
        const auto now = agdf::detail::now_of(io);
        REQUIRE(now <= Clock::now());
        io.restart();
        asio::co_spawn(io, sleep_with(test::Counted{}, 1ms, end), asio::detached);
        io.run();
        REQUIRE(end == "slept");
    }
    REQUIRE(test::Counted::alive() == 0);
}

TEST_CASE("a context that goes takes its virtual waits with it", "[virtual_time]")
{
    const test::Watchdog watchdog;
    const bool time_goes_first = GENERATE(true, false);
    const int steps = GENERATE(range(0, 12));
    std::string end;
    std::optional<VirtualTime::Hold> hold;
    {
        std::optional<asio::io_context> io{std::in_place};
        std::optional<VirtualTime> time{*io};
        asio::co_spawn(*io, sleep_with(test::Counted{}, 1h, end), asio::detached);
        asio::co_spawn(asio::make_strand(*io), sleep_with(test::Counted{}, 1h, end), asio::detached);
        agdf::Graph graph{*io, test::quiet()};
        (void)graph.add_node("sleep", [] { return count_slowly(2, 1h); });
        const agdf::StatsLogger logger{graph, {.interval = 1min, .sink = [](std::string_view) {}}};
        graph.async_run([](agdf::RunReport) {});
        for (int i = 0; i < steps; ++i)
            io->run_one();
        hold.emplace(time->hold());
        if (time_goes_first)
            time.reset();
        io.reset();
    }
    hold.reset();
    REQUIRE(test::Counted::alive() == 0);
}

TEST_CASE("an exception that leaves the context's run leaves virtual time intact", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    for (int i = 0; i < 3; ++i)
        asio::post(io, [&io] { asio::post(io, [] { throw std::runtime_error("thrown"); }); });
    int thrown = 0;
    for (;;) {
        try {
            io.run();
            break;
        } catch (const std::runtime_error&) {
            ++thrown;
        }
    }
    REQUIRE(thrown == 3);
    REQUIRE(time.elapsed() == 1h);
}

TEST_CASE("a stopped context stops its virtual time until it is run again", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    for (int i = 0; i < 2; ++i)
        asio::post(io, [&io] { io.stop(); });
    io.run();
    REQUIRE(time.elapsed() == 0s);
    while (io.stopped()) {
        io.restart();
        io.run();
        if (time.elapsed() > 0s)
            break;
    }
    REQUIRE(time.elapsed() == 1h);
}

TEST_CASE("a graph that is run by a handler finds its virtual time moving", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    asio::co_spawn(io, agdf::sleep_for(5h), asio::detached);
    std::optional<agdf::RunReport> report;
    for (int i = 0; i < 4; ++i)
        asio::post(io, [&, i] {
            if (i != 3)
                return;
            agdf::Graph graph{io, test::quiet()};
            (void)graph.add_node("sleep", [] { return count_slowly(3, 1h); });
            report.emplace(graph.run());
        });
    io.run();
    REQUIRE(report->elapsed == 3h);
    REQUIRE(time.elapsed() == 5h);
}

TEST_CASE("virtual time and two threads go together", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::atomic<int> items = 0;
    const auto source = graph.add_node("count", [] { return count_slowly(200, 1min); });
    const auto work = graph.add_node(
        "work",
        [](int i) -> asio::awaitable<int> {
            co_await agdf::sleep_for(std::chrono::seconds(i % 7));
            co_return i;
        },
        {.workers = 4});
    const auto block = graph.add_node("block", agdf::blocking([](int i) { return i; }), {.workers = 2});
    const auto sink = graph.add_node("sink", [&](int) { ++items; });
    source >> work >> block >> sink;
    const agdf::StatsLogger logger{graph, {.interval = 10min, .sink = [](std::string_view) {}}};
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == agdf::Outcome::completed);
    REQUIRE(items == 200);
    REQUIRE(report.elapsed >= 200min);
}

TEST_CASE("cancellations race with virtual time on two threads, and each wait ends once", "[virtual_time]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    const VirtualTime time{io};
    std::atomic<int> ended = 0;
    constexpr int count = 300;
    for (int i = 0; i < count; ++i) {
        const auto strand = asio::make_strand(io);
        const auto signal = std::make_shared<asio::cancellation_signal>();
        asio::co_spawn(strand, agdf::sleep_for(1ms), asio::bind_cancellation_slot(signal->slot(), [&, signal](std::exception_ptr) { ++ended; }));
        const auto canceller = [signal]() -> asio::awaitable<void> {
            co_await agdf::sleep_for(1ms);
            signal->emit(asio::cancellation_type::terminal);
        };
        asio::co_spawn(strand, canceller, asio::detached);
    }
    std::thread thread{[&] { io.run(); }};
    io.run();
    thread.join();
    REQUIRE(ended == count);
}
