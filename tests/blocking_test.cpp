// Calls that block, in the thread pool.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Counted;
using test::Watchdog;
using Ints = std::vector<int>;

agdf::Stream<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i)
        co_yield i;
}

[[gnu::noinline]] std::thread::id this_thread() { return std::this_thread::get_id(); }

/// Remembers how many were in it at once.
class Gauge {
public:
    void enter()
    {
        const int now = ++now_;
        int most = most_;
        while (most < now && !most_.compare_exchange_weak(most, now)) {
        }
    }
    void leave() { --now_; }
    [[nodiscard]] int most() const { return most_; }
    void reset() { most_ = 0; }

private:
    std::atomic<int> now_{0};
    std::atomic<int> most_{0};
};

/// Counts the threads that have one.
class CountedThread {
public:
    explicit CountedThread(std::atomic<int>& threads) : threads_(threads) { ++threads_; }
    CountedThread(const CountedThread&) = delete;
    CountedThread& operator=(const CountedThread&) = delete;
    ~CountedThread() { --threads_; }

private:
    std::atomic<int>& threads_;
};

/// Does something while its context shuts down.
class AtShutdown : public asio::execution_context::service {
public:
    using key_type = AtShutdown;
    inline static asio::execution_context::id id;

    explicit AtShutdown(asio::execution_context& context) : asio::execution_context::service(context) {}

    std::function<void()> action;

private:
    void shutdown() noexcept override  // which newer versions of Asio call twice
    {
        if (const auto once = std::exchange(action, nullptr))
            once();
    }
};

/// Says on which thread it is destroyed, unless it was moved on.
class Witness {
public:
    explicit Witness(std::promise<std::thread::id>* destroyed) : destroyed_(destroyed) {}
    Witness(Witness&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
    Witness& operator=(Witness&&) = delete;
    ~Witness()
    {
        if (destroyed_)
            destroyed_->set_value(this_thread());
    }

private:
    std::promise<std::thread::id>* destroyed_;
};

}  // namespace

TEST_CASE("a blocking call runs off the graph's thread and its coroutine resumes on it", "[blocking]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const auto here = this_thread();
    bool off = false, back = false;
    graph.add_node("source", [&]() -> agdf::Stream<int> {
        auto where = co_await agdf::run_blocking([] { return this_thread(); });
        off = where != here;
        back = this_thread() == here;
        co_yield 1;
    });
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(off);
    CHECK(back);
}

TEST_CASE("run_blocking returns values, move-only ones and none, and throws what the call throws", "[blocking]")
{
    Watchdog watchdog;
    asio::io_context io;
    int checks = 0;
    const auto program = [&]() -> asio::awaitable<void> {
        auto number = co_await agdf::run_blocking([] { return 42; });
        checks += number == 42 ? 1 : 0;
        auto owned = co_await agdf::run_blocking([] { return std::make_unique<int>(7); });
        checks += *owned == 7 ? 1 : 0;
        bool called = false;
        const auto call = [&called] { called = true; };
        co_await agdf::run_blocking(call);
        checks += called ? 1 : 0;
        std::string caught;
        try {
            co_await agdf::run_blocking([] { throw std::runtime_error("blocked"); });
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
        checks += caught == "blocked" ? 1 : 0;
    };
    asio::co_spawn(io, program, asio::detached);
    io.run();
    CHECK(checks == 4);
}

TEST_CASE("a blocking call may return what can be moved but not assigned", "[blocking]")
{
    struct Pinned {
        explicit Pinned(int n) : number(n) {}
        const int number;
        std::unique_ptr<int> own = std::make_unique<int>(0);
    };
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        auto pinned = co_await agdf::run_blocking([] { return Pinned{1}; });
        co_yield pinned.number;
    });
    auto make = graph.add_node("make", agdf::blocking([](int n) { return Pinned{n + 1}; }));
    auto sink = graph.add_node("sink", [&](const Pinned& pinned) { sum += pinned.number; });
    source >> make >> sink;
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(sum == 2);
}

TEST_CASE("the context stays alive while only a blocking call is under way", "[blocking]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::promise<void> release;
    std::promise<void> entered;
    std::optional<Outcome> outcome;
    graph.add_node("waits", agdf::blocking([&] {
        entered.set_value();
        release.get_future().wait();
    }));
    graph.async_run([&](const agdf::RunReport& report) { outcome = report.outcome; });
    std::thread other{[&] {
        entered.get_future().wait();
        release.set_value();
    }};
    io.run();
    other.join();
    CHECK(outcome == Outcome::completed);
}

TEST_CASE("a blocking node calls on as many threads as it has workers, and never on more", "[blocking]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Gauge gauge;
    std::latch all{3};
    auto source = graph.add_node("source", [] { return count_to(60); });
    source >> graph.add_node("blocks", agdf::blocking([&](int n) {
        gauge.enter();
        if (n <= 3)
            all.arrive_and_wait();  // three must be inside at once
        gauge.leave();
    }), {.workers = 3});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(gauge.most() == 3);
}

TEST_CASE("the calls of one worker never overlap and need no lock", "[blocking]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints seen;
    auto source = graph.add_node("source", [] { return count_to(100); });
    source >> graph.add_node("blocks", agdf::blocking([&](int n) { seen.push_back(n); }), {.queue_size = 2});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(seen.size() == 100);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("the pool never has more calls under way than blocking_threads, over all nodes of the graph", "[blocking]")
{
    Watchdog watchdog;
    const std::size_t bound = GENERATE(1U, 2U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.blocking_threads = bound})};
    Gauge gauge;
    std::atomic<int> calls{0};
    const auto work = [&] {
        gauge.enter();
        ++calls;
        std::this_thread::yield();
        gauge.leave();
    };
    auto source = graph.add_node("source", [] { return count_to(50); });
    source >> graph.add_node("a", agdf::blocking([&](int) { work(); }), {.workers = 4});
    source >> graph.add_node("b", [&](int) -> asio::awaitable<void> { co_await agdf::run_blocking(work); }, {.workers = 4});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(calls == 100);
    CHECK(gauge.most() <= static_cast<int>(bound));
}

TEST_CASE("the pool's threads go when the workers that used them have ended, but for a few, and come back in the next run", "[blocking]")
{
    Watchdog watchdog;
    constexpr int calls = 16;
    std::atomic<int> threads{0};  // the last of them end with the graph
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.blocking_threads = calls})};
    Gauge gauge;
    auto source = graph.add_node("source", [] { return count_to(calls); });
    auto blocks = graph.add_node("blocks", agdf::blocking([&](int n) {
        thread_local CountedThread here{threads};
        gauge.enter();
        while (gauge.most() < calls)  // all must be inside at once
            std::this_thread::yield();
        gauge.leave();
        return n;
    }), {.workers = calls});
    blocks >> graph.add_node("waits", [&](agdf::Receiver<int> items) -> asio::awaitable<void> {
        while (auto item = co_await items.next()) {}
        while (threads > 4)
            std::this_thread::yield();
    });
    source >> blocks;
    for (int run = 0; run < 3; ++run) {
        CHECK(graph.run().outcome == Outcome::completed);
        CHECK(gauge.most() == calls);
        gauge.reset();
    }
}

#if defined(__cpp_lib_jthread)  // libc++ up to 19 has no std::stop_token unless -fexperimental-library is given
TEST_CASE("a cancel does not wait for a blocking call, which finishes alone and is told through its stop_token", "[blocking][cancel]")
{
    Watchdog watchdog;
    auto told = std::make_shared<std::promise<void>>();
    auto was_told = told->get_future();
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        std::atomic<bool> entered{false};
        graph.add_node("source", [&]() -> agdf::Stream<int> {
            const test::Counted local;
            const auto call = [told, &entered](std::stop_token token) {
                entered = true;
                while (!token.stop_requested())
                    std::this_thread::yield();
                told->set_value();
                return 1;
            };
            auto result = co_await agdf::run_blocking(call);
            co_yield result;
        });
        std::thread canceller{[&] {
            while (!entered)
                std::this_thread::yield();
            graph.cancel();
        }};
        const agdf::RunReport report = graph.run();
        canceller.join();
        CHECK(report.outcome == Outcome::cancelled);
        CHECK(report.node("source").out == 0);
        CHECK(test::Counted::alive() == 0);
        was_told.wait();
    }
}
#endif

TEST_CASE("a stop lets a blocking node that is no source finish its calls", "[blocking][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> finished{0}, entered{0};
    std::promise<void> release;
    auto released = release.get_future().share();
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 0;; ++i)
            co_yield i;
    });
    source >> graph.add_node("blocks", agdf::blocking([&, released](int) {
        ++entered;
        released.wait();
        ++finished;
    }), {.workers = 2, .queue_size = 3});
    std::thread stopper{[&] {
        while (entered < 2)
            std::this_thread::yield();
        graph.stop();
        release.set_value();
    }};
    const agdf::RunReport report = graph.run();
    stopper.join();
    CHECK(report.outcome == Outcome::stopped);
    CHECK(report.node("source").out == static_cast<std::uint64_t>(finished));
    CHECK(report.node("blocks").undelivered == 0);
}

TEST_CASE("calls that wait for a place in the pool are given up on a cancel", "[blocking][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.blocking_threads = 1})};
    std::promise<void> release;
    auto released = release.get_future().share();
    auto calls = std::make_shared<std::atomic<int>>(0);
    std::atomic<int> waiting{0};
    auto source = graph.add_node("source", [] { return count_to(10); });
    source >> graph.add_node("blocks", [&, released, calls](int) -> asio::awaitable<void> {
        ++waiting;
        const auto call = [released, calls] {
            ++*calls;
            released.wait();
        };
        co_await agdf::run_blocking(call);
    }, {.workers = 3});
    std::thread canceller{[&] {
        while (waiting < 3 || *calls < 1)
            std::this_thread::yield();
        graph.cancel();
    }};
    CHECK(graph.run().outcome == Outcome::cancelled);
    canceller.join();
    release.set_value();
    // the thread is free again for the next run
    agdf::Graph next{io, test::quiet({.blocking_threads = 1})};
    int done = 0;
    next.add_node("source", agdf::blocking([&] { ++done; }));
    CHECK(next.run().outcome == Outcome::completed);
    CHECK(done == 1);
    CHECK(*calls == 1);
}

TEST_CASE("each graph keeps its own bound, although two share a context", "[blocking]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph narrow{io, test::quiet({.blocking_threads = 1})};
    agdf::Graph wide{io, test::quiet({.blocking_threads = 4})};
    std::latch all{4};
    auto many = wide.add_node("source", [] { return count_to(4); });
    many >> wide.add_node("blocks", agdf::blocking([&](int) { all.arrive_and_wait(); }), {.workers = 4});
    CHECK(wide.run().outcome == Outcome::completed);
    Gauge gauge;
    auto source = narrow.add_node("source", [] { return count_to(30); });
    source >> narrow.add_node("blocks", agdf::blocking([&](int) {
        gauge.enter();
        std::this_thread::yield();
        gauge.leave();
    }), {.workers = 4});
    CHECK(narrow.run().outcome == Outcome::completed);
    CHECK(gauge.most() == 1);
}

TEST_CASE("a context may be destroyed as soon as a run with blocking calls has returned", "[blocking][lifetime]")
{
    // A pool's thread once held the executor for a moment longer than the run.
    Watchdog watchdog;
    for (int round = 0; round < 500; ++round) {
        int total = 0;
        {
            asio::io_context io;
            agdf::Graph graph{io, test::quiet()};
            graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3})) >>
                graph.add_node("blocks", agdf::blocking([](int n) { return n; }), {.workers = 2}) >>
                graph.add_node("sink", [&](int n) { total += n; });
            CHECK(graph.run().exit_code() == 0);
        }
        REQUIRE(total == 6);
    }
}

TEST_CASE("when a run has returned nothing that its blocking calls took or returned is alive", "[blocking][lifetime]")
{
    // What a call returned was moved on, and its empty shell once stayed with the pool's thread for a moment longer.
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3})) >>
        graph.add_node("blocks", agdf::blocking([](int n) { return Counted{n}; }), {.workers = 2}) >> graph.add_node("sink", [](const Counted&) {});
    int alive = 0;
    for (int round = 0; round < 3'000; ++round) {
        (void)graph.run();
        alive += Counted::alive();
    }
    CHECK(alive == 0);
}

TEST_CASE("a context may be destroyed when a call has returned and its coroutine was not resumed yet", "[blocking][lifetime]")
{
    // The call once stayed in the context's list of those who wait.
    struct Steps {
        std::promise<void> first_may_end, second_begins, second_may_end;
    };
    Watchdog watchdog;
    const auto steps = std::make_shared<Steps>();  // the second call outlives the test
    {
        asio::io_context io;
        const agdf::testing::VirtualTime time{io};  // its services go after those of Asio's strands, with their handlers
        agdf::Graph graph{io, test::quiet({.blocking_threads = 1})};
        graph.add_node("numbers", agdf::from_range(std::vector{1, 2})) >> graph.add_node("blocks", agdf::blocking([steps](int n) {
            if (n == 2)
                steps->second_begins.set_value();
            (n == 1 ? steps->first_may_end : steps->second_may_end).get_future().wait();
        }), {.workers = 2});
        graph.async_run([](const agdf::RunReport&) { FAIL("a run whose context has gone was reported"); });
        io.poll();  // both calls are on their way
        steps->first_may_end.set_value();
        steps->second_begins.get_future().wait();  // so the first one has returned
    }
    steps->second_may_end.set_value();
}

TEST_CASE("a call that returns while its context goes leaves the waiting coroutine to the thread that destroys the context", "[blocking][lifetime]")
{
    // Asio's strands had shut down before the library let go of its coroutines, so the pool's thread destroyed one that the
    // context was about to look at.
    struct Steps {
        std::promise<void> first_may_end, second_begins;
        std::promise<std::thread::id> destroyed;
    };
    Watchdog watchdog;
    const auto steps = std::make_shared<Steps>();
    {
        asio::io_context io;
        const agdf::testing::VirtualTime time{io};  // its services are there before Asio's strands
        asio::use_service<AtShutdown>(io).action = [&] {
            steps->first_may_end.set_value();
            steps->second_begins.get_future().wait();  // so the first one has returned
        };
        agdf::Graph graph{io, test::quiet({.blocking_threads = 1})};
        graph.add_node("numbers", agdf::from_range(std::vector{1, 2})) >> graph.add_node("blocks", agdf::blocking([steps](int n) {
            if (n == 1)
                steps->first_may_end.get_future().wait();
            else
                steps->second_begins.set_value();
            return Witness{n == 1 ? &steps->destroyed : nullptr};
        }), {.workers = 2}) >> graph.add_node("sink", [](Witness) {});
        graph.async_run([](const agdf::RunReport&) { FAIL("a run whose context has gone was reported"); });
        io.poll();  // both calls are on their way
    }
    CHECK(steps->destroyed.get_future().get() == this_thread());
}
