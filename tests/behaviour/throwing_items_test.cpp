// Items whose copy or move throws, at each of the places where they are moved.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;

/// As a class from before there were moves: what looks like a move is a copy, which may find no memory.
class Heavy {
public:
    explicit Heavy(int value) : value_(std::make_unique<int>(value)) { ++alive; }
    Heavy(const Heavy& other) : value_(copy_of(other)) { ++alive; }
    Heavy& operator=(const Heavy&) = delete;
    ~Heavy() { --alive; }

    [[nodiscard]] int value() const { return *value_; }

    static inline std::atomic<int> alive{0};
    static inline std::atomic<int> copies{0};
    static inline std::atomic<int> fails_at{0};

private:
    static std::unique_ptr<int> copy_of(const Heavy& other)
    {
        if (++copies == fails_at)
            throw std::runtime_error("no room for a copy");
        return std::make_unique<int>(*other.value_);
    }

    std::unique_ptr<int> value_;
};

agdf::Stream<Heavy> heavy_items()
{
    for (int i = 1; i <= 20; ++i) {
        Heavy item{i};
        co_yield item;
    }
}

/// Runs source -> step -> sink, where each copy fails in turn, and returns how many there are.
int run_with_each_copy_failing(std::size_t queue_size, std::size_t threads)
{
    for (int n = 1;; ++n) {
        Heavy::copies = 0;
        Heavy::fails_at = n;
        std::atomic<std::uint64_t> done{0};
        bool failed = false;
        {
            asio::io_context io;
            agdf::Graph graph{io, test::quiet({.threads = threads})};
            auto source = graph.add_node("source", heavy_items);
            auto step = graph.add_node("step", [](Heavy item) { return item; }, {.queue_size = queue_size});
            auto sink = graph.add_node(
                "sink",
                [&done](const Heavy&) -> asio::awaitable<void> {
                    co_await agdf::sleep_for(1us);
                    ++done;
                },
                {.workers = 2, .queue_size = queue_size});
            source >> step >> sink;
            const auto report = graph.run();
            failed = Heavy::copies >= n;
            const auto& last = report.node("sink");
            REQUIRE(report.outcome == (failed ? Outcome::completed_with_errors : Outcome::completed));
            REQUIRE(report.node("source").err + report.node("step").err + last.err == (failed ? 1 : 0));
            REQUIRE(last.in == done + last.err);
            REQUIRE(report.node("source").out == report.node("step").in);  // what failed on its way out is no output
            REQUIRE(report.node("step").out == last.in);
        }
        REQUIRE(Heavy::alive == 0);
        if (!failed)
            return n;
    }
}

}  // namespace

TEST_CASE("a copy that throws on an item's way costs that item alone, wherever it is, and nothing hangs", "[errors]")
{
    const test::Watchdog watchdog;
    for (const std::size_t queue_size : {1U, 3U, 100U})
        CHECK(run_with_each_copy_failing(queue_size, 1) > 20);
}

TEST_CASE("a copy that throws between two threads costs that item alone, and nothing hangs", "[errors]")
{
    const test::Watchdog watchdog;
    for (const std::size_t queue_size : {1U, 3U, 100U})
        CHECK(run_with_each_copy_failing(queue_size, 2) > 20);
}

TEST_CASE("a copy that throws costs a zip that row alone: the rows behind it belong together", "[errors][zip]")
{
    for (int n = 1;; ++n) {
        Heavy::copies = 0;
        Heavy::fails_at = n;
        std::uint64_t rows = 0;
        std::uint64_t mixed_up = 0;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        auto zip = graph.add_node("zip", agdf::zip<Heavy, Heavy>());
        graph.add_edge(graph.add_node("left", heavy_items), zip.input<0>());
        graph.add_edge(graph.add_node("right", heavy_items), zip.input<1>());
        zip >> graph.add_node("sink", [&](const Heavy& left, const Heavy& right) {
            ++rows;
            mixed_up += left.value() == right.value() ? 0 : 1;
        });
        const auto report = graph.run();
        if (report.node("left").err + report.node("right").err == 0)  // else an item is missing on one side
            REQUIRE(mixed_up == 0);
        const auto& left = report.node("zip");
        const auto& right = report.node("zip[1]");
        REQUIRE(left.out == rows + report.node("sink").err);
        const std::uint64_t failed_rows = left.err;  // of two items each
        REQUIRE(left.in + right.in >= 2 * left.out + left.err + left.undelivered + right.undelivered);
        REQUIRE(left.in + right.in <= 2 * (left.out + failed_rows) + left.undelivered + right.undelivered);
        if (Heavy::copies < n)
            break;
    }
    REQUIRE(Heavy::alive == 0);
}

/// Cannot be copied any more once its source has ended, if it is the second one.
class CopiedEarly {
public:
    explicit CopiedEarly(int value) : value_(value) {}
    CopiedEarly(const CopiedEarly& other) : value_(has_ended && other.value_ == 2 ? throw std::runtime_error("too late") : other.value_) {}
    CopiedEarly& operator=(const CopiedEarly&) = delete;
    ~CopiedEarly() = default;

    [[nodiscard]] int value() const { return value_; }

    static inline bool has_ended = false;

private:
    int value_;
};

TEST_CASE("a source's output that was kept back and can never be copied costs that output alone, and the run ends", "[errors][retry]")
{
    test::Watchdog watchdog;
    CopiedEarly::has_ended = false;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> arrived;
    const auto body = []() -> agdf::Stream<CopiedEarly> {
        for (int i = 1; i <= 3; ++i) {
            CopiedEarly item{i};
            co_yield item;
        }
        CopiedEarly::has_ended = true;
    };
    auto source = graph.add_node("source", body, {.retry = {.attempts = 2}});
    source >> graph.add_node("sink", [&arrived](const CopiedEarly& item) { arrived.push_back(item.value()); });
    const auto report = graph.run();
    CHECK(arrived == std::vector<int>{1, 3});
    CHECK(report.node("source").err == 1);
}

TEST_CASE("a join counts each item once, whichever copy throws as items wait in it, meet and leave", "[errors][join]")
{
    struct Other {
        Heavy item;
    };
    for (int n = 1;; ++n) {
        Heavy::copies = 0;
        Heavy::fails_at = n;
        std::uint64_t arrived = 0;
        std::uint64_t lost_on_an_edge = 0;  // which may be a pair, for one error
        asio::io_context io;
        agdf::Graph graph{io, {.log = [&](agdf::LogLevel, std::string_view line) {
            lost_on_an_edge += line.find("output lost") != std::string_view::npos ? 1 : 0;
        }}};
        auto join = graph.add_node("join", agdf::join<Heavy, Other>([](const Heavy& item) { return item.value() % 2; },
                                                                    [](const Other& other) { return other.item.value() % 2; }, {.max_waiting = 1}));
        graph.add_node("items",
                       []() -> agdf::Stream<Heavy> {
                           for (int i = 1; i <= 6; ++i) {
                               const Heavy item{i};
                               co_yield item;
                           }
                       }) >> join;
        graph.add_node("others",
                       []() -> agdf::Stream<Other> {
                           for (int i = 1; i <= 6; i += 2) {
                               const Other other{Heavy{i}};
                               co_yield other;
                           }
                       }) >> join;
        graph.add_edge(join, graph.add_node("pairs", [&](const std::pair<Heavy, Other>&) { arrived += 2; }));
        graph.add_edge(join, graph.add_node("items alone", [&](const agdf::Unmatched<Heavy>&) { ++arrived; }));
        graph.add_edge(join, graph.add_node("others alone", [&](const agdf::Unmatched<Other>&) { ++arrived; }));
        const auto report = graph.run();
        const auto& joined = report.node("join");
        INFO("copy " << n << " throws");
        const std::uint64_t counted = arrived + joined.err + joined.undelivered;
        CHECK(counted + lost_on_an_edge >= joined.in);
        CHECK(counted <= joined.in);
        if (Heavy::copies < n)
            break;
    }
    CHECK(Heavy::alive == 0);
}

TEST_CASE("an item whose copy throws in a window is an error, and is not counted as undelivered as well", "[errors][window]")
{
    for (int n = 1;; ++n) {
        Heavy::copies = 0;
        Heavy::fails_at = n;
        std::uint64_t items = 0;
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        graph.add_node("source", heavy_items) >> graph.add_node("window", agdf::window<Heavy>({.max_items = 3})) >>
            graph.add_node("sink", [&items](const std::vector<Heavy>& window) { items += window.size(); });
        const auto report = graph.run();
        const auto& window = report.node("window");
        REQUIRE(items + window.err + window.undelivered <= window.in);
        if (Heavy::copies < n)
            break;
    }
    REQUIRE(Heavy::alive == 0);
}

TEST_CASE("a channel keeps what it holds, and wakes those who wait, when an item's copy throws", "[errors][channel]")
{
    const test::Watchdog watchdog;
    for (int n = 1, failures = 1; failures > 0; ++n) {
        Heavy::copies = 0;
        Heavy::fails_at = n;
        failures = 0;
        int received = 0;
        {
            asio::io_context io;
            agdf::Channel<Heavy> channel{2};
            auto sends = [&]() -> asio::awaitable<void> {
                for (int i = 1; i <= 5; ++i) {
                    Heavy item{i};
                    try {
                        const bool sent = co_await channel.send(item);
                        CHECK(sent);
                    } catch (const std::runtime_error&) {
                        ++failures;
                    }
                }
                channel.close();
            };
            auto receives = [&]() -> asio::awaitable<void> {
                for (bool more = true; more;) {
                    try {
                        const auto item = co_await channel.receive();
                        more = item.has_value();
                        received += more ? 1 : 0;
                    } catch (const std::runtime_error&) {
                        ++failures;
                    }
                }
            };
            asio::co_spawn(io, sends(), asio::detached);
            asio::co_spawn(io, receives(), asio::detached);
            io.run();
            CHECK(channel.size() == 0);
        }
        CHECK(failures == (Heavy::copies >= n ? 1 : 0));
        CHECK(received + failures == 5);
        REQUIRE(Heavy::alive == 0);
    }
}
