// One thread and several.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Watchdog;
using Ints = std::vector<int>;

agdf::Stream<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i)
        co_yield i;
}

/// The same, and says how far it has come.
agdf::Stream<int> count_aloud(int last, std::atomic<int>& yielded)
{
    for (int i = 1; i <= last; ++i) {
        co_yield i;
        yielded = i;
    }
}

[[gnu::noinline]] std::thread::id this_thread() { return std::this_thread::get_id(); }

/// Says whether two have ever been inside at the same time.
class Inside {
public:
    explicit Inside(std::atomic<int>& now, std::atomic<bool>& overlapped) : now_(now)
    {
        if (now_.fetch_add(1) != 0)
            overlapped = true;
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { --now_; }

private:
    std::atomic<int>& now_;
};

}  // namespace

TEST_CASE("sums are right with any number of threads and workers", "[threads]")
{
    Watchdog watchdog;
    const std::size_t threads = GENERATE(1U, 2U, 3U, 4U);
    const std::size_t workers = GENERATE(1U, 4U);
    const std::size_t queue_size = GENERATE(1U, 64U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    const int items = 500;
    std::atomic<long> sum{0};
    const agdf::NodeOptions options{.workers = workers, .queue_size = queue_size};
    auto source = graph.add_node("source", [] { return count_to(items); });
    auto plain = graph.add_node("plain", [](int n) { return n; }, options);
    auto stream = graph.add_node("stream", [](int n) -> agdf::Stream<int> { co_yield n; }, options);
    auto awaits = graph.add_node("awaits", [](int n) -> asio::awaitable<int> {
        const auto executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        co_return n;
    }, options);
    auto whole = graph.add_node("whole", [](agdf::Receiver<int> numbers) -> agdf::Stream<int> {
        int total = 0;
        while (auto n = co_await numbers.next())
            total += *n;
        co_yield total;
    }, options);
    auto sink = graph.add_node("sink", [&](int n) { sum += n; }, options);
    source >> plain >> sink;
    source >> stream >> sink;
    source >> awaits >> sink;
    source >> whole >> sink;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(sum == 4L * items * (items + 1) / 2);
    CHECK(report.node("sink").in == 3 * items + workers);
    CHECK(report.node("whole").out == workers);
}

TEST_CASE("the workers of one node really run at the same time on several threads", "[threads]")
{
    Watchdog watchdog;
    const int threads = GENERATE(2, 3, 4);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = static_cast<std::size_t>(threads)})};
    std::latch all{threads};  // each body waits until all of them have begun
    auto source = graph.add_node("source", [&] { return count_to(threads); });
    source >> graph.add_node("meet", [&](int) { all.arrive_and_wait(); }, {.workers = static_cast<std::size_t>(threads)});
    CHECK(graph.run().outcome == Outcome::completed);
}

TEST_CASE("different nodes run at the same time on several threads", "[threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::latch both{2};
    auto source = graph.add_node("source", [] { return count_to(1); });
    source >> graph.add_node("a", [&](int) { both.arrive_and_wait(); });  // one worker each: these are on different strands
    source >> graph.add_node("b", [&](int) { both.arrive_and_wait(); });
    CHECK(graph.run().outcome == Outcome::completed);
}

TEST_CASE("run uses the calling thread and no more threads than asked for", "[threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    std::mutex mutex;
    std::set<std::thread::id> seen;
    auto source = graph.add_node("source", [] { return count_to(300); });
    source >> graph.add_node("sink", [&](int) -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        const std::lock_guard lock{mutex};
        seen.insert(this_thread());
    }, {.workers = 8});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(seen.size() <= 3);
}

TEST_CASE("with threads = 1 no two bodies ever run at once, even if four threads run the context", "[threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::atomic<int> now{0};
    std::atomic<bool> overlapped{false};
    int unguarded = 0;
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (int i = 0; i < 300; ++i) {
            {
                const Inside inside{now, overlapped};
                ++unguarded;
            }
            co_yield i;
        }
    });
    auto awaits = graph.add_node("awaits", [&](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1us);
        {
            const Inside inside{now, overlapped};
            ++unguarded;
        }
        co_return n;
    }, {.workers = 4, .queue_size = 8});
    auto blocks = graph.add_node("blocks", [&](int n) -> agdf::Stream<int> {
        co_await agdf::run_blocking([] {});
        {
            const Inside inside{now, overlapped};
            ++unguarded;
        }
        co_yield n;
    }, {.workers = 4, .queue_size = 8});
    auto sink = graph.add_node("sink", [&](int) {
        const Inside inside{now, overlapped};
        ++unguarded;
    }, {.workers = 2});
    source >> awaits >> sink;
    source >> blocks >> sink;
    bool done = false;
    graph.async_run([&](const agdf::RunReport& report) { done = report.outcome == Outcome::completed; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { io.run(); });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(done);
    CHECK_FALSE(overlapped);
    CHECK(unguarded == 300 * 5);
}

TEST_CASE("stats may be read from another thread at any time", "[threads][stats]")
{
    Watchdog watchdog;
    const std::size_t threads = GENERATE(1U, 3U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    auto source = graph.add_node("source", [] { return count_to(3'000); });
    auto relay = graph.add_node("relay", [](int n) -> asio::awaitable<int> {
        const auto executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        co_return n;
    }, {.workers = 3, .queue_size = 16});
    source >> relay >> graph.add_node("sink", [](int) {}, {.queue_size = 4});
    std::atomic<bool> done{false};
    std::atomic<bool> plausible{true};
    std::thread watcher{[&] {
        std::uint64_t before = 0;
        while (!done) {
            const auto stats = graph.stats();
            if (stats.size() != 3 || stats[1].queued > 16 || stats[1].active > 3 || stats[2].in > 3'000)
                plausible = false;
            if (stats[2].in < before && stats[2].in != 0)
                plausible = false;
            before = stats[2].in;
        }
    }};
    const agdf::RunReport report = graph.run();
    done = true;
    watcher.join();
    CHECK(report.outcome == Outcome::completed);
    CHECK(plausible);
    CHECK(graph.stats()[2].in == 3'000);
}

TEST_CASE("stats may be read from another thread while the graph is built", "[threads][stats]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    constexpr std::size_t nodes = 1'000;
    std::atomic<bool> is_wrong{false};
    std::thread reader{[&] {
        std::size_t known = 0;
        while (known < nodes) {
            const auto stats = graph.stats();
            if (stats.size() < known || (!stats.empty() && stats.back().name != std::to_string(stats.size() - 1)))
                is_wrong = true;
            known = stats.size();
        }
    }};
    for (std::size_t i = 0; i < nodes; ++i)
        graph.add_node(std::to_string(i), [] {});
    reader.join();
    CHECK_FALSE(is_wrong);
}

TEST_CASE("one worker behind one producer keeps the order on any number of threads", "[threads][order]")
{
    Watchdog watchdog;
    const std::size_t threads = GENERATE(1U, 2U, 4U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    Ints results;
    int calls = 0;  // one worker: its state needs no lock
    auto source = graph.add_node("source", [] { return count_to(2'000); });
    auto twice = graph.add_node("twice", [](int n) -> agdf::Stream<int> {
        const int first = 2 * n, second = 2 * n + 1;
        co_yield first;
        co_yield second;
    }, {.queue_size = 10});
    auto counts = graph.add_node("counts", [&](int n) {
        ++calls;
        return n;
    }, {.queue_size = 3});
    source >> twice >> counts >> graph.add_node("sink", agdf::collect(results));
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(results.size() == 4'000);
    CHECK(calls == 4'000);
    CHECK(std::is_sorted(results.begin(), results.end()));
}

TEST_CASE("many short runs on several threads all end", "[threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    std::atomic<int> sum{0};
    auto source = graph.add_node("source", [] { return count_to(5); });
    auto relay = graph.add_node("relay", [](int n) { return n; }, {.workers = 2, .queue_size = 1});
    source >> relay >> graph.add_node("sink", [&](int n) { sum += n; }, {.workers = 2, .queue_size = 1});
    for (int i = 0; i < 100; ++i)
        CHECK(graph.run().outcome == Outcome::completed);
    CHECK(sum == 1'500);
}

TEST_CASE("workers that halt at the same time leave one halting error and correct counts", "[threads][halt]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 4, .on_error = agdf::OnError::halt})};
    std::atomic<std::uint64_t> finished{0};
    auto source = graph.add_node("source", [] { return count_to(1'000); });
    auto sink = graph.add_node("sink", [&](int n) {
        if (n >= 20)
            throw std::runtime_error("item " + std::to_string(n));
        ++finished;
    }, {.workers = 4, .queue_size = 16});
    source >> sink;
    for (int i = 0; i < 30; ++i) {
        finished = 0;
        const agdf::RunReport report = graph.run();
        REQUIRE(report.outcome == Outcome::halted);
        const agdf::NodeStats& stats = report.node("sink");
        CHECK(stats.err >= 1);
        CHECK(stats.in == finished + stats.err + stats.undelivered);
        CHECK(report.first_error_node == "sink");
    }
}

TEST_CASE("a stop at any moment on several threads carries all that was yielded to the end", "[threads][stop]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    std::atomic<std::uint64_t> yielded{0}, seen{0};
    auto source = graph.add_node("source", [&]() -> agdf::Stream<int> {
        for (int i = 0;; ++i) {
            ++yielded;
            co_yield i;
        }
    });
    auto relay = graph.add_node("relay", [](int n) -> agdf::Stream<int> { co_yield n; }, {.workers = 2, .queue_size = 8});
    source >> relay >> graph.add_node("sink", [&](int) { ++seen; }, {.workers = 2, .queue_size = 2});
    for (unsigned i = 0; i < 30; ++i) {
        yielded = 0;
        seen = 0;
        std::thread stopper{[&] {
            while (seen < i * 7U)
                std::this_thread::yield();
            while (yielded == 0)
                std::this_thread::yield();
            graph.stop();
        }};
        const agdf::RunReport report = graph.run();
        stopper.join();
        REQUIRE(report.outcome == Outcome::stopped);
        CHECK(seen == yielded);
        CHECK(report.node("source").out == yielded);
        CHECK(report.node("sink").in == yielded);
    }
}

TEST_CASE("what a worker has taken from another strand at once still counts as waiting, within the bound", "[threads]")
{
    Watchdog watchdog;
    const int sources = GENERATE(1, 2);  // one puts without a lock, several with one
    const int items = 5'000;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::size_t most = 0;
    std::uint64_t begun = 0;
    std::uint64_t furthest = 0;
    auto sink = graph.add_node(
        "sink",
        [&](int) {
            ++begun;
            const agdf::NodeStats stats = graph.stats().front();
            most = std::max(most, stats.queued);
            furthest = std::max(furthest, stats.in - begun);
        },
        {.queue_size = 8});
    for (int i = 0; i < sources; ++i)
        graph.add_node("source " + std::to_string(i), [] { return count_to(items); }) >> sink;
    const agdf::RunReport report = graph.run();
    const auto all = static_cast<std::uint64_t>(sources * items);
    CHECK(report.outcome == Outcome::completed);
    CHECK(begun == all);
    CHECK(most <= 8);
    CHECK(furthest <= 8 + static_cast<std::uint64_t>(sources));  // and those that the sources stand with
    CHECK(report.node("sink").in == all);
    CHECK(report.node("sink").queued == 0);
    CHECK(report.node("sink").queue_peak <= 8);
}

TEST_CASE("an item that takes long keeps nothing from being worked on, wherever it is in the stream", "[threads][workers]")
{
    Watchdog watchdog;
    const int long_one = GENERATE(1, 2, 5'000, 5'001, 5'002, 5'003);
    const std::size_t workers = GENERATE(2U, 5U);
    const int items = 10'000;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::atomic<int> yielded{0};
    std::atomic<int> others{0};
    const auto work = [&](int n) {
        if (n != long_one)
            ++others;
        else
            for (const int all = yielded - 1; others < all;)  // the source may be on this strand
                std::this_thread::yield();
    };
    graph.add_node("source", [&] { return count_aloud(items, yielded); }) >> graph.add_node("work", work, {.workers = workers});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(others == items - 1);
}

TEST_CASE("items that were taken with one that takes long are not overtaken by many", "[threads][workers]")
{
    Watchdog watchdog;
    const int long_one = GENERATE(5'000, 5'001, 5'002, 5'003);
    const int behind = 20;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::atomic<int> yielded{0};
    std::atomic<int> begun_behind{0};
    std::atomic<int> overtaking{0};
    std::atomic<bool> takes_long{false};
    const auto work = [&](int n) {
        if (n > long_one + behind)
            overtaking += takes_long && begun_behind < behind;
        else if (n > long_one)
            ++begun_behind;
        if (n != long_one)
            return;
        takes_long = true;
        for (const int some = std::min(behind, yielded - n); begun_behind < some;)
            std::this_thread::yield();
        takes_long = false;
    };
    graph.add_node("source", [&] { return count_aloud(100'000, yielded); }) >> graph.add_node("work", work, {.workers = 2});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(overtaking <= 64);
}

TEST_CASE("a worker whose output waits for room leaves the next item to those who need no room", "[threads][workers]")
{
    Watchdog watchdog;
    const int items = 2'000;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    agdf::Channel<int> gate{1};
    std::atomic<int> odd{0};
    const int first_kept = GENERATE(2, 500, 502, 504);
    // Three outputs are one too many: one is in the sink, one waits before it, and one stands with its worker.
    const auto work = [&](int n) -> std::optional<int> {
        if (n % 2 == 0 && n >= first_kept && n < first_kept + 6)
            return n;
        if (++odd == items - 3)
            gate.close();
        return std::nullopt;
    };
    const auto sink = [&](int) -> asio::awaitable<void> { auto opened = co_await gate.receive(); (void)opened; };
    graph.add_node("source", [] { return count_to(items); }) >> graph.add_node("work", work, {.workers = 2}) >>
        graph.add_node("sink", sink, {.queue_size = 1});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.node("sink").in == 3);
    CHECK(odd == items - 3);
}

TEST_CASE("an item that has been begun keeps no producer waiting, whatever was taken together with it", "[threads]")
{
    Watchdog watchdog;
    constexpr int room = 8;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    std::atomic<int> yielded{0};
    int begun = 0;
    const auto source = [&]() -> agdf::Stream<int> {
        for (int i = 0; i < 20; ++i) {
            co_yield i;
            ++yielded;
        }
    };
    const auto waits = [&](int) {
        ++begun;
        if (begun == 1)
            while (graph.stats()[0].in < 1 + room)  // then the queue is full, or producers wait until it is half empty
                std::this_thread::yield();
        if (begun == room)
            while (yielded < room + room / 2)  // those taken together have all been begun, or all but one
                std::this_thread::yield();
    };
    auto sink = graph.add_node("sink", waits, {.queue_size = room});
    graph.add_node("first", source) >> sink;
    graph.add_node("second", source) >> sink;
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(begun == 40);
}

TEST_CASE("a cancel counts what a worker had taken from another strand at once and not begun", "[threads]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(1U, 2U, 7U, 64U, 1'024U);
    const int sources = GENERATE(1, 2);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    std::uint64_t finished = 0;
    auto sink = graph.add_node(
        "sink",
        [&](int) {
            if (++finished == 2'000)
                graph.cancel();
        },
        {.queue_size = queue_size});
    for (int i = 0; i < sources; ++i)
        graph.add_node("source " + std::to_string(i), [] { return count_to(1'000'000'000); }) >> sink;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::cancelled);
    const agdf::NodeStats& stats = report.node("sink");
    CHECK(finished == 2'000);
    CHECK(stats.in == finished + stats.undelivered);
    CHECK(stats.queued == 0);
    std::uint64_t out = 0;
    for (int i = 0; i < sources; ++i)
        out += report.node("source " + std::to_string(i)).out;
    CHECK(out == stats.in);
}

TEST_CASE("two nodes on two strands wait for each other again and again, and nobody is forgotten", "[threads]")
{
    Watchdog watchdog;
    const std::size_t queue_size = GENERATE(1U, 2U, 3U, 7U, 64U, 1'024U);
    const int pause_after = GENERATE(1, 3, 40, 3'000);  // items of a source, and, the other way round, of a sink
    constexpr int items = 12'000;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    Ints seen;
    const auto source = [&]() -> agdf::Stream<int> {
        for (int i = 0; i < items; ++i) {
            if (i % pause_after == 0)
                co_await asio::post(asio::use_awaitable);
            co_yield i;
        }
    };
    const auto sink = [&](int item) -> asio::awaitable<void> {
        if (item % (3'001 - pause_after) == 0)
            co_await asio::post(asio::use_awaitable);
        seen.push_back(item);
    };
    graph.add_node("source", source) >> graph.add_node("sink", sink, {.queue_size = queue_size});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(seen.size() == items);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(report.node("sink").queue_peak <= queue_size);
}

TEST_CASE("a failing item among those that a worker took at once costs that item alone", "[threads]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    Ints seen;
    auto source = graph.add_node("source", [] { return count_to(1'000); });
    auto odd = graph.add_node("odd", [](int x) {
        if (x % 2 == 0)
            throw std::runtime_error("even");
        return x;
    });
    auto sink = graph.add_node("sink", [&](int x) { seen.push_back(x); });
    source >> odd >> sink;
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed_with_errors);
    CHECK(report.node("odd").err == 500);
    CHECK(report.node("odd").out == 500);
    CHECK(seen.size() == 500);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("a pause and a resume from outside lose nothing that was on its way between strands", "[threads]")
{
    Watchdog watchdog;
    constexpr int items = 20'000;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 3})};
    std::atomic<int> arrived{0};
    std::atomic<bool> is_over{false};
    auto source = graph.add_node("source", [] { return count_to(items); }, {.queue_size = 16});
    auto middle = graph.add_node("middle", [](int x) { return x; }, {.queue_size = 16});
    auto sink = graph.add_node("sink", [&](int) { ++arrived; }, {.queue_size = 16});
    source >> middle >> sink;
    std::thread other{[&] {
        for (int seen = 0; !is_over; seen = arrived) {
            graph.pause();
            graph.resume();
            while (!is_over && arrived == seen)
                std::this_thread::yield();
        }
    }};
    const agdf::RunReport report = graph.run();
    is_over = true;
    other.join();
    CHECK(report.outcome == Outcome::completed);
    CHECK(arrived == items);
}

TEST_CASE("a cancel from another thread while a run begins is a cancel like any other", "[threads][cancel]")
{
    const bool with_setup = GENERATE(false, true);
    const Watchdog watchdog;
    std::size_t others = 0;
    for (int i = 0; i < 300; ++i) {
        asio::io_context io;
        auto work = asio::make_work_guard(io);
        agdf::Graph graph{io, test::quiet({.threads = 3})};
        agdf::NodeOptions options{.workers = 8};
        if (with_setup)
            options.setup = [] {};
        auto source = graph.add_node("source", [] { return count_to(2); }, options);
        auto sink = graph.add_node("sink", [](int) {}, {.workers = 30});
        source >> sink;
        std::atomic<bool> is_over{false};
        const auto run_context = [&] { io.run(); };
        std::vector<std::thread> threads;
        threads.emplace_back(run_context);
        threads.emplace_back(run_context);
        threads.emplace_back([&] {
            while (!is_over)
                graph.cancel();
        });
        graph.async_run([&](const agdf::RunReport& report) {
            others += report.outcome != Outcome::cancelled && report.outcome != Outcome::completed ? 1 : 0;
            others += report.first_error ? 1 : 0;
            is_over = true;
            work.reset();
        });
        for (std::thread& thread : threads)
            thread.join();
    }
    CHECK(others == 0);
}

TEST_CASE("bodies that sleep on several threads end well however they are timed out, stopped or cancelled, and no item is lost", "[threads]")
{
    Watchdog watchdog;
    std::atomic<int> alive{0};
    for (int round = 0; round < 120; ++round) {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet({.threads = 4})};
        std::atomic<int> begun{0};
        const int moment = 1 + round * 7 % 400;
        const auto sleep_a_while = [&](int item) -> asio::awaitable<int> {
            ++alive;
            ++begun;
            const std::shared_ptr<void> guard{nullptr, [&](void*) { --alive; }};
            co_await agdf::sleep_for(std::chrono::microseconds(item * 37 % 150));
            co_return item;
        };
        std::atomic<int> delivered{0};
        auto source = graph.add_node("source", [] { return count_to(400); }, {.queue_size = 8});
        auto sleeping = graph.add_node("sleeping", sleep_a_while, {.workers = 16, .queue_size = 8, .timeout = 120us});
        auto sink = graph.add_node("sink", [&](int) { ++delivered; });
        source >> sleeping >> sink;
        std::thread other{[&] {
            while (begun < moment)
                std::this_thread::yield();
            round % 3 == 0 ? graph.cancel() : graph.stop();
        }};
        const auto report = graph.run();
        begun = moment;
        other.join();
        const auto counts = report.node("sleeping");
        REQUIRE(counts.in == report.node("source").out);
        REQUIRE(counts.in == counts.out + counts.err + counts.undelivered);
        REQUIRE(counts.out == report.node("sink").in);
        REQUIRE(report.node("sink").in == static_cast<std::uint64_t>(delivered) + report.node("sink").undelivered);
        REQUIRE(alive == 0);
    }
}
