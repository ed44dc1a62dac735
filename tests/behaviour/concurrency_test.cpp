// Many workers of a node on one strand: those that are needed are woken, and all that are needed.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Counted;
using test::Watchdog;

constexpr int workers = 40;

agdf::Stream<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i)
        co_yield i;
}

/// Lets nobody through before all have come.
class Barrier {
public:
    Barrier(asio::io_context& io, int all) : timer_(io, asio::steady_timer::time_point::max()), missing_(all) {}

    asio::awaitable<void> arrive()
    {
        const Counted inside{1};
        if (--missing_ == 0)
            timer_.cancel();
        if (missing_ <= 0)
            co_return;
        try {
            co_await timer_.async_wait(asio::use_awaitable);
        } catch (const asio::system_error&) {
            if (missing_ > 0)
                throw;
        }
    }

private:
    asio::steady_timer timer_;
    int missing_;
};

/// As many items as there are workers, none of which is done before all of them are being worked on.
template <class Body>
void run(const Body& body, asio::io_context& io, agdf::NodeOptions options)
{
    Watchdog watchdog;
    options.workers = workers;
    agdf::Graph graph{io, test::quiet()};
    int seen = 0;
    graph.add_node("source", [] { return count_to(workers); }) >> graph.add_node("work", body, std::move(options)) >>
        graph.add_node("sink", [&](int) { ++seen; });
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(seen == workers);
    CHECK(Counted::alive() == 0);
}

}  // namespace

TEST_CASE("as many items as a node has workers are worked on at once, though their source has ended long before", "[workers]")
{
    const std::size_t queue_size = GENERATE(1U, 3U, 1'024U);
    asio::io_context io;
    Barrier barrier{io, workers};

    SECTION("in awaitable bodies")
    {
        const auto body = [&](int n) -> asio::awaitable<int> {
            co_await barrier.arrive();
            co_return n;
        };
        run(body, io, {.queue_size = queue_size});
    }
    SECTION("in streams, which yield before and after")
    {
        const auto body = [&](int n) -> agdf::Stream<int> {
            co_await barrier.arrive();
            co_yield n;
        };
        run(body, io, {.queue_size = queue_size});
    }
    SECTION("under policies")
    {
        const auto body = [&](int n) -> asio::awaitable<int> {
            co_await barrier.arrive();
            co_return n;
        };
        run(body, io, {.queue_size = queue_size, .retry = {.attempts = 2}, .timeout = 1h, .ordered = true});
    }
}

TEST_CASE("a worker that waits for room does not keep the others from the items behind its own", "[workers]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    // The first item yields without end into a sink that waits until the others have been seen.
    int others = 0;
    asio::steady_timer all_seen{io, asio::steady_timer::time_point::max()};
    const auto work = [&](int n) -> agdf::Stream<int> {
        if (n == 1) {
            for (int i = 0; i < 100; ++i)
                co_yield n;
        } else if (++others == 9) {
            all_seen.cancel();
        }
    };
    const auto sink = [&](int) -> asio::awaitable<void> {
        if (others == 9)
            co_return;
        asio::error_code error;
        co_await all_seen.async_wait(asio::redirect_error(asio::use_awaitable, error));
    };
    graph.add_node("source", [] { return count_to(10); }) >> graph.add_node("work", work, {.workers = 3}) >>
        graph.add_node("sink", sink, {.queue_size = 1});
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.node("sink").in == 100);
}

TEST_CASE("idle workers beside a busy one are not woken by items that it takes itself", "[workers]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::size_t most_active = 0;
    const auto work = [&](int n) {
        most_active = std::max(most_active, graph.stats()[1].active);
        return n;
    };
    graph.add_node("source", [] { return count_to(10'000); }) >> graph.add_node("work", work, {.workers = workers}) >>
        graph.add_node("sink", [](int) {});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(most_active <= 2);  // the one that works, and one that has just been woken
}
