// How many attempts may be under way, and how often they may begin.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::StreamBody;
using test::Ticks;
using test::up_to;

/// A body that takes a second and remembers how many of its kind ran at the same time.
struct Crowd {
    Body body()
    {
        return [this](int n) -> asio::awaitable<int> {
            const Counted local;
            most = std::max(most, ++now);
            co_await agdf::sleep_for(1s);
            --now;
            co_return n;
        };
    }
    int now = 0;
    int most = 0;
};

/// Runs a chain of two nodes that share one permit, with little room between them.
template <class First>
void check_chain_ends(First first)
{
    Bench bench;
    const agdf::Semaphore limit{1};
    Crowd crowd;
    auto a = bench.graph.add_node("a", first, {.limit = limit});
    auto b = bench.graph.add_node("b", crowd.body(), {.workers = 2, .queue_size = 1, .limit = limit});
    auto c = bench.graph.add_node("c", agdf::collect(bench.results));
    bench.graph.add_node("source", agdf::from_range(up_to(20))) >> a >> b >> c;
    CHECK(bench.graph.run().outcome == Outcome::completed);
    std::sort(bench.results.begin(), bench.results.end());
    CHECK(bench.results == up_to(20));
    CHECK(crowd.most == 1);
    CHECK(limit.available() == 1);
}

}  // namespace

TEST_CASE("no more attempts are under way than there are permits", "[limit]")
{
    Bench bench;
    Crowd crowd;
    bench.run(crowd.body(), {.workers = 8, .limit = agdf::Semaphore{3}}, up_to(12));
    CHECK(crowd.most == 3);
    CHECK(bench.results.size() == 12);
    CHECK(bench.report.elapsed == 4s);
}

TEST_CASE("nodes that follow each other may share a limit, for none keeps its permit while it waits for the other", "[limit]")
{
    check_chain_ends(Body{[](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1ms);
        co_return n;
    }});
    check_chain_ends(StreamBody{[](int n) -> agdf::Stream<int> {
        co_await agdf::sleep_for(1ms);
        co_yield n;
        co_await agdf::sleep_for(1ms);
    }});
}

TEST_CASE("a cancel ends the wait for a permit of either kind, and gives none away", "[limit]")
{
    Bench bench;
    const agdf::Semaphore limit{1};
    Crowd crowd;
    {
        const auto taken = limit.try_acquire();
        bench.at(1s, [&] { bench.graph.cancel(); });
        bench.run(crowd.body(), {.workers = 3, .limit = limit}, up_to(10));
    }
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(bench.report.elapsed == 1s);
    CHECK(crowd.most == 0);
    CHECK(bench.node().undelivered == bench.node().in);
    CHECK(bench.node().err == 0);
    CHECK(limit.available() == 1);
    CHECK(limit.waiting() == 0);

    Bench slow;
    slow.at(1s, [&] { slow.graph.cancel(); });
    slow.run(crowd.body(), {.rate_limit = agdf::RateLimit{.rate = 1, .per = 1h}}, up_to(10));
    CHECK(slow.report.outcome == Outcome::cancelled);
    CHECK(slow.report.elapsed == 1s);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a stop carries on items that wait for permits", "[limit]")
{
    Bench bench;
    Crowd crowd;
    bench.at(1500ms, [&] { bench.graph.stop(); });
    bench.run(crowd.body(), {.workers = 4, .rate_limit = agdf::RateLimit{.rate = 1}, .limit = agdf::Semaphore{2}}, up_to(6));
    CHECK(bench.report.outcome == Outcome::stopped);
    CHECK(bench.results.size() == 6);
}

TEST_CASE("nodes that share a rate limiter keep the rate together", "[limit]")
{
    Bench bench;
    const agdf::RateLimiter limiter = agdf::RateLimit{.rate = 2};
    const Body body = [&](int n) -> asio::awaitable<int> {
        bench.mark();
        co_return n;
    };
    auto a = bench.graph.add_node("a", body, {.rate_limit = limiter});
    auto b = bench.graph.add_node("b", body, {.workers = 2, .rate_limit = limiter});
    auto source = bench.graph.add_node("source", agdf::from_range(up_to(5)));
    source >> a;
    source >> b;
    CHECK(bench.graph.run().outcome == Outcome::completed);
    std::vector<Ticks> expected;
    for (int i = 0; i < 10; ++i)
        expected.push_back(i * 500ms);
    CHECK(bench.marks == expected);
}

TEST_CASE("a permit comes back from an attempt that fails or takes too long", "[limit]")
{
    Bench bench;
    const agdf::Semaphore limit{1};
    const Body body = [](int n) -> asio::awaitable<int> {
        if (n % 2 == 0)
            throw std::runtime_error("even");
        co_await agdf::sleep_for(1h);
        co_return n;
    };
    bench.run(body, {.workers = 3, .timeout = 1s, .limit = limit}, up_to(6));
    CHECK(bench.node().err == 6);
    CHECK(bench.report.elapsed == 3s);
    CHECK(limit.available() == 1);
}
