// Graphs on whatever executor there is, also one whose type has been erased.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
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
