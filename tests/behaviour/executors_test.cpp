// Graphs on whatever executor there is, also one whose type has been erased.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <asio/thread_pool.hpp>
#if !defined(ASIO_NO_TS_EXECUTORS)
#include <asio/executor.hpp>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <latch>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Watchdog;
using Ints = std::vector<int>;

/// An executor that Asio does not know: it hands everything to a pool, and counts it.
class CountingExecutor {
public:
    CountingExecutor(asio::thread_pool& pool, std::atomic<std::size_t>& count) noexcept : pool_(&pool), count_(&count) {}

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept { return *pool_; }
    [[nodiscard]] static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept
    {
        return asio::execution::blocking.never;
    }
    template <class F>
    void execute(F&& function) const
    {
        ++*count_;
        asio::post(*pool_, std::forward<F>(function));
    }
    friend bool operator==(const CountingExecutor&, const CountingExecutor&) noexcept = default;

private:
    asio::thread_pool* pool_;
    std::atomic<std::size_t>* count_;
};

/// Runs a small graph, and says how it ended.
template <class Executor>
Outcome outcome_on(agdf::Graph<Executor> graph)
{
    Ints seen;
    graph.add_node("source", agdf::from_range(Ints{1, 2, 3})) >> graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        seen.push_back(n);
    });
    const Outcome outcome = graph.run().outcome;
    CHECK(seen == Ints{1, 2, 3});
    return outcome;
}

template <class Executor>
Outcome outcome_on_erased(const Executor& executor)
{
    return outcome_on(agdf::Graph<>{asio::any_io_executor(executor), test::quiet()});
}

}  // namespace

TEST_CASE("run runs the io_context behind an executor, whatever has been made of it", "[executors]")
{
    const Watchdog watchdog;
    asio::io_context io;
    const auto plain = io.get_executor();
    const auto counts_as_work = asio::require(plain, asio::execution::outstanding_work.tracked);
    const asio::any_io_executor erased = plain;
    CHECK(outcome_on_erased(plain) == Outcome::completed);
    CHECK(outcome_on_erased(counts_as_work) == Outcome::completed);
    CHECK(outcome_on_erased(asio::make_strand(plain)) == Outcome::completed);
    CHECK(outcome_on_erased(asio::make_strand(erased)) == Outcome::completed);
    CHECK(outcome_on_erased(asio::make_strand(asio::any_io_executor(asio::make_strand(erased)))) == Outcome::completed);
    CHECK(outcome_on(agdf::Graph{counts_as_work, test::quiet()}) == Outcome::completed);
    CHECK(outcome_on(agdf::Graph{asio::make_strand(counts_as_work), test::quiet()}) == Outcome::completed);
    CHECK(outcome_on(agdf::Graph{asio::make_strand(erased), test::quiet()}) == Outcome::completed);
}

TEST_CASE("a graph runs on an executor of the user's own whose type has been erased", "[executors]")
{
    const Watchdog watchdog;
    asio::thread_pool pool{1};
    std::atomic<std::size_t> count{0};
    CHECK(outcome_on_erased(CountingExecutor{pool, count}) == Outcome::completed);
    CHECK(count > 0);
    CHECK(outcome_on(agdf::Graph{CountingExecutor{pool, count}, test::quiet()}) == Outcome::completed);
    pool.join();
}

TEST_CASE("run on a thread pool only waits: the caller's thread does nothing of the pool's", "[executors]")
{
    const Watchdog watchdog;
    asio::thread_pool pool{1};  // which is a strand to its users
    std::atomic<int> at_once{0};
    std::atomic<int> most_at_once{0};
    std::atomic<bool> is_on_caller{false};
    const auto caller = std::this_thread::get_id();
    for (int i = 0; i < 200; ++i)
        asio::post(pool, [&] {
            if (++at_once > 1)
                ++most_at_once;
            if (std::this_thread::get_id() == caller)
                is_on_caller = true;
            std::this_thread::yield();
            --at_once;
        });
    CHECK(outcome_on(agdf::Graph{pool, test::quiet()}) == Outcome::completed);
    pool.join();
    CHECK_FALSE(is_on_caller);
    CHECK(most_at_once == 0);
}

TEST_CASE("sleeps that end together outside of a strand may go on beside each other", "[executors][sleep]")
{
    const Watchdog watchdog;
    asio::io_context io;
    std::latch both{2};
    const auto sleep_and_meet = [&]() -> asio::awaitable<void> {
        const test::Counted alive;
        co_await agdf::sleep_for(1ms);
        both.arrive_and_wait();  // blocks its thread until the other one is here as well
    };
    asio::co_spawn(io, sleep_and_meet, asio::detached);
    asio::co_spawn(io, sleep_and_meet, asio::detached);
    io.poll();
    const auto due = std::chrono::steady_clock::now() + 1ms;
    while (std::chrono::steady_clock::now() <= due) {
    }
    std::thread other{[&] { io.run(); }};
    io.run();
    other.join();
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("async_run takes a handler that is bound to a strand of an erased executor", "[executors]")
{
    const Watchdog watchdog;
    asio::io_context io;
    const auto strand = asio::make_strand(asio::any_io_executor(io.get_executor()));
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("source", agdf::from_range(Ints{1, 2, 3})) >> graph.add_node("sink", [](int) {});
    bool is_on_strand = false;
    graph.async_run(asio::bind_executor(strand, [&](const agdf::RunReport& report) {
        is_on_strand = strand.running_in_this_thread();
        CHECK(report.outcome == Outcome::completed);
    }));
    io.run();
    CHECK(is_on_strand);
}

namespace {

/// Goes on on a thread of the pool's, as one does before heavy work. The pool has to go before the context that its threads come
/// back to: they may still be at the end of their post when the run has ended.
auto move_to(asio::thread_pool& pool) { return asio::post(asio::bind_executor(pool, asio::use_awaitable)); }

/// Runs 1..n through a body that leaves the graph's strand, and checks that nobody else has.
template <class Body>
agdf::RunReport check_comes_home(asio::io_context& io, Body body, int n, agdf::NodeOptions options, Ints& results)
{
    const Watchdog watchdog;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> at_once{0};
    bool is_alone = true;
    bool is_elsewhere = false;
    const auto caller = std::this_thread::get_id();
    auto numbers = graph.add_node("numbers", [n]() -> agdf::Stream<int> {
        for (int i = 1; i <= n; ++i)
            co_yield i;
    }, {.queue_size = 16});
    auto node = graph.add_node("node", std::move(body), std::move(options));
    numbers >> node >> graph.add_node("sink", [&](int number) {
        is_alone = is_alone && ++at_once == 1;
        is_elsewhere = is_elsewhere || std::this_thread::get_id() != caller;
        results.push_back(number);
        --at_once;
    });
    const auto report = graph.run();
    CHECK(is_alone);
    CHECK_FALSE(is_elsewhere);
    CHECK(report.node("numbers").out == static_cast<std::uint64_t>(n));
    CHECK(report.node("node").in == static_cast<std::uint64_t>(n));
    std::sort(results.begin(), results.end());
    return report;
}

Ints up_to(int n)
{
    Ints numbers(static_cast<std::size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

}  // namespace

TEST_CASE("a body may go on on another executor, and all that comes after it is on the graph's strand again", "[executors]")
{
    asio::io_context io;
    asio::thread_pool pool{2};
    constexpr int count = 3'000;
    Ints results;
    SECTION("an awaitable")
    {
        const auto body = [&](int n) -> asio::awaitable<int> {
            co_await move_to(pool);
            co_return n;
        };
        const auto report = check_comes_home(io, body, count, {.workers = 4}, results);
        CHECK(report.outcome == Outcome::completed);
        CHECK(results == up_to(count));
    }
    SECTION("an awaitable that is tried again, in order")
    {
        std::atomic<int> calls{0};
        const auto body = [&](int n) -> asio::awaitable<int> {
            co_await move_to(pool);
            if (++calls % 3 == 0)
                throw std::runtime_error("not yet");
            co_return n;
        };
        const auto report = check_comes_home(io, body, count, {.workers = 4, .retry = {.attempts = 100, .delay = 0s}, .ordered = true}, results);
        CHECK(report.outcome == Outcome::completed);
        CHECK(results == up_to(count));
    }
    SECTION("an awaitable that fails there")
    {
        const auto body = [&](int n) -> asio::awaitable<int> {
            co_await move_to(pool);
            if (n % 2 == 0)
                throw std::runtime_error("even");
            co_return n;
        };
        const auto report = check_comes_home(io, body, count, {.workers = 4}, results);
        CHECK(report.node("node").err == count / 2);
        CHECK(results.size() == count / 2);
    }
    SECTION("a stream, at its next output")
    {
        const auto body = [&](int n) -> agdf::Stream<int> {
            co_await move_to(pool);
            co_yield n;
        };
        const auto report = check_comes_home(io, body, count, {.workers = 4}, results);
        CHECK(report.outcome == Outcome::completed);
        CHECK(results == up_to(count));
    }
    SECTION("a whole stream, and one that fails there")
    {
        const auto body = [&](agdf::Receiver<int> items) -> agdf::Stream<int> {
            while (auto item = co_await items.next()) {
                co_await move_to(pool);
                const int number = *item;
                co_yield number;
            }
        };
        const auto report = check_comes_home(io, body, count, {}, results);
        CHECK(report.outcome == Outcome::completed);
        CHECK(results == up_to(count));
    }
    pool.join();
}

TEST_CASE("a whole-stream body may ask for its next item from another executor", "[executors]")
{
    const Watchdog watchdog;
    asio::io_context io;
    asio::thread_pool pool{2};
    agdf::Graph graph{io, test::quiet()};
    constexpr int count = 3'000;
    int sum = 0;
    std::atomic<int> at_once{0};
    bool is_alone = true;
    const auto body = [&](agdf::Receiver<int> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next()) {
            is_alone = is_alone && ++at_once == 1;
            --at_once;
            sum += *item;
            co_await move_to(pool);
            if (*item % 1'000 == 0)
                throw std::runtime_error("a thousand");
        }
    };
    graph.add_node("numbers", agdf::from_range(up_to(count)), {}) >> graph.add_node("body", body, {.queue_size = 4});
    const auto report = graph.run();
    CHECK(report.node("body").err == 3);
    CHECK(sum == count * (count + 1) / 2);
    CHECK(is_alone);
    pool.join();
}

TEST_CASE("a setup and a teardown may leave the graph's strand", "[executors]")
{
    const Watchdog watchdog;
    asio::io_context io;
    asio::thread_pool pool{1};
    agdf::Graph graph{io, test::quiet()};
    const auto caller = std::this_thread::get_id();
    bool is_elsewhere = false;
    const auto look = [&] { is_elsewhere = is_elsewhere || std::this_thread::get_id() != caller; };
    const auto leave = [&]() -> asio::awaitable<void> {
        look();
        co_await move_to(pool);
    };
    const auto fail_there = [&]() -> asio::awaitable<void> {
        look();
        co_await move_to(pool);
        throw std::runtime_error("there");
    };
    graph.add_node("first", look, {.setup = leave, .teardown = look});
    graph.add_node("second", look, {.setup = leave, .teardown = fail_there});
    CHECK(graph.run().outcome == Outcome::completed_with_errors);
    CHECK_FALSE(is_elsewhere);
    pool.join();
}

#if !defined(ASIO_NO_TS_EXECUTORS)
TEST_CASE("async_run takes a handler that is bound to an executor of the networking TS", "[executors]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("source", agdf::from_range({1, 2, 3})) >> graph.add_node("sink", [](int) {});
    bool has_ended = false;
    const asio::executor executor = io.get_executor();
    graph.async_run(asio::bind_executor(executor, [&](const agdf::RunReport& report) { has_ended = report.outcome == Outcome::completed; }));
    io.run();
    CHECK(has_ended);
}
#endif

TEST_CASE("a cancel that comes while a body is on another executor neither fails its item nor keeps its worker there", "[executors][cancel]")
{
    const Watchdog watchdog;
    asio::io_context io;
    asio::thread_pool pool{1};
    agdf::Graph graph{io, test::quiet()};
    const bool fails = GENERATE(false, true);
    const auto body = [&](int n) -> asio::awaitable<int> {
        co_await move_to(pool);
        graph.cancel();
        std::promise<void> has_come;
        asio::post(io, [&] { has_come.set_value(); });
        has_come.get_future().get();
        if (fails)
            throw asio::system_error(asio::error::operation_aborted);
        co_return n;
    };
    graph.add_node("numbers", agdf::from_range({1, 2, 3})) >> graph.add_node("node", body) >> graph.add_node("sink", [](int) {});
    const auto report = graph.run();
    CHECK(report.outcome == Outcome::cancelled);
    CHECK(report.node("node").err == 0);
    CHECK(report.node("node").in == 3);
    CHECK(report.node("node").out + report.node("node").undelivered == 3);
    pool.join();
}
