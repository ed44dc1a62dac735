#include <agdf/rate_limiter.hpp>
#include <agdf/sleep.hpp>
#include <agdf/testing.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using agdf::RateLimit;
using agdf::RateLimiter;
using agdf::testing::VirtualTime;
using test::Counted;
using test::Watchdog;

static_assert(std::is_convertible_v<RateLimit, RateLimiter> && std::is_copy_constructible_v<RateLimiter>);

namespace {

using Duration = std::chrono::steady_clock::duration;

/// A context in virtual time, and when somebody got a permit there.
struct Scene {
    asio::io_context io;
    VirtualTime time{io};
    std::vector<Duration> grants;
    std::vector<int> order;

    asio::awaitable<void> take(RateLimiter limiter, int who)
    {
        const Counted alive{who};
        co_await limiter.acquire();
        grants.push_back(time.elapsed());
        order.push_back(who);
    }

    asio::awaitable<void> take_after(RateLimiter limiter, int who, Duration delay)
    {
        co_await agdf::sleep_for(delay);
        co_await take(limiter, who);
    }

    asio::awaitable<void> take_many(RateLimiter limiter, int count)
    {
        for (int i = 0; i < count; ++i)
            co_await take(limiter, i);
    }

    void crowd(const RateLimiter& limiter, int count)
    {
        for (int i = 0; i < count; ++i)
            asio::co_spawn(io, take(limiter, i), asio::detached);
    }

    /// Does something at a point in time.
    template <class Action>
    void at(Duration when, Action action)
    {
        const auto act = [](Duration delay, Action what) -> asio::awaitable<void> {
            co_await agdf::sleep_for(delay);
            what();
        };
        asio::co_spawn(io, act(when, action), asio::detached);
    }

    void run()
    {
        io.restart();
        io.run();
    }
};

/// Whether in no window of time there are more than burst + t * rate grants.
bool keeps(const RateLimit& limit, const std::vector<Duration>& grants)
{
    const double rate = limit.rate / static_cast<double>(limit.per.count());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < grants.size(); ++i) {
        const double here = static_cast<double>(i) - static_cast<double>(grants[i].count()) * rate;
        least = std::min(least, here);
        if (here - least + 1 > static_cast<double>(limit.burst) + 1e-4)
            return false;
    }
    return true;
}

/// When a bucket of tokens gives each of those who arrive at these times, in order, the first one that it can.
std::vector<double> by_token_bucket(const RateLimit& limit, const std::vector<Duration>& arrivals)
{
    const double rate = limit.rate / static_cast<double>(limit.per.count());
    double tokens = static_cast<double>(limit.burst);
    double now = 0;
    std::vector<double> times;
    for (const Duration arrival : arrivals) {
        const double start = std::max(now, static_cast<double>(arrival.count()));
        tokens = std::min(static_cast<double>(limit.burst), tokens + (start - now) * rate);
        now = start;
        if (tokens < 1) {
            now += (1 - tokens) / rate;
            tokens = 1;
        }
        tokens -= 1;
        times.push_back(now);
    }
    return times;
}

}  // namespace

TEST_CASE("a limiter lets a burst go at once and then one after each interval", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 50, .per = 1s, .burst = 3};
    CHECK(limiter);
    CHECK(limiter.limit().rate == 50);
    CHECK(limiter.limit().burst == 3);
    scene.crowd(limiter, 7);
    scene.run();
    CHECK(scene.grants == std::vector<Duration>{0ms, 0ms, 0ms, 20ms, 40ms, 60ms, 80ms});
    CHECK(scene.order == std::vector{0, 1, 2, 3, 4, 5, 6});
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a burst comes back one permit for each interval, and no further than its size", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 10, .burst = 2};
    scene.crowd(limiter, 2);
    scene.at(100ms, [&] { scene.crowd(limiter, 2); });
    scene.at(10s, [&] { scene.crowd(limiter, 3); });
    scene.run();
    CHECK(scene.grants == std::vector<Duration>{0ms, 0ms, 100ms, 200ms, 10s, 10s, 10s + 100ms});
}

TEST_CASE("at any rate and for any arrivals there is never a permit too many and none too late", "[rate_limiter]")
{
    const Watchdog watchdog{100s};
    std::minstd_rand random{7};
    for (const RateLimit limit : {RateLimit{50, 1s, 1}, RateLimit{3, 1s, 1}, RateLimit{1'000, 1min, 7}, RateLimit{0.7, 1ms, 40},
                                  RateLimit{1e6 / 3, 1s, 2}}) {
        CAPTURE(limit.rate, limit.burst);
        Scene scene;
        const RateLimiter limiter = limit;
        std::vector<Duration> arrivals;
        Duration now{};
        // Crowds that come together, a stream at about the rate, and idle times that give the burst back.
        std::exponential_distribution<double> gap{limit.rate / static_cast<double>(limit.per.count())};
        for (int i = 0; i < 2'000; ++i) {
            const auto kind = random() % 20;
            if (kind > 4)
                now += Duration(static_cast<Duration::rep>(gap(random) * (kind == 19 ? 10 : 1)));
            arrivals.push_back(now);
            asio::co_spawn(scene.io, scene.take_after(limiter, i, now), asio::detached);
        }
        scene.run();
        REQUIRE(scene.grants.size() == arrivals.size());
        CHECK(std::is_sorted(scene.order.begin(), scene.order.end()));
        CHECK(keeps(limit, scene.grants));
        const std::vector<double> expected = by_token_bucket(limit, arrivals);
        double latest = 0;
        for (std::size_t i = 0; i < expected.size(); ++i)
            latest = std::max(latest, static_cast<double>(scene.grants[i].count()) - expected[i]);
        CHECK(latest < 3);  // nanoseconds
    }
}

TEST_CASE("a rate that no clock tick divides does not drift", "[rate_limiter]")
{
    const Watchdog watchdog{100s};
    for (const double rate : {3.0, 7.0, 1e6 / 7}) {
        CAPTURE(rate);
        Scene scene;
        asio::co_spawn(scene.io, scene.take_many(RateLimit{.rate = rate}, 10'001), asio::detached);
        scene.run();
        const double expected = 10'000 / rate * 1e9;
        CHECK(std::abs(static_cast<double>(scene.grants.back().count()) - expected) < 3);
    }
}

TEST_CASE("a limiter without a limit never waits", "[rate_limiter]")
{
    Scene scene;
    const RateLimiter none;
    CHECK_FALSE(none);
    CHECK(std::isinf(none.limit().rate));
    none.penalize(1h);
    scene.crowd(none, 1'000);
    scene.run();
    CHECK(scene.grants.size() == 1'000);
    CHECK(scene.time.elapsed() == 0s);
    CHECK(test::graph_error_of([&] { none.set({.rate = 1}); }) ==
          "agdf::RateLimiter::set: this one is empty, so no copy would hear of it. Expected: a limiter made from a RateLimit. "
          "Assign one instead.");
}

TEST_CASE("an acquire outlives the handle that it was asked of", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const auto from_temporaries = [&]() -> asio::awaitable<void> {
        auto acquire = RateLimiter{RateLimit{.rate = 1}}.acquire();
        co_await std::move(acquire);
        auto limiter = std::make_unique<RateLimiter>(RateLimit{.rate = 1});
        co_await limiter->acquire();
        auto second = limiter->acquire();
        limiter.reset();
        co_await std::move(second);
    };
    asio::co_spawn(scene.io, from_temporaries, asio::detached);
    scene.run();
    CHECK(scene.time.elapsed() == 1s);
}

TEST_CASE("an acquire that is cancelled at any moment costs no permit and lets the others keep their order",
          "[rate_limiter][cancellation]")
{
    const Watchdog watchdog;
    for (int steps = 0; steps < 60; ++steps) {
        CAPTURE(steps);
        Scene scene;
        const RateLimiter limiter = RateLimit{.rate = 10};
        std::array<asio::cancellation_signal, 6> signals;
        for (int i = 0; i < 6; ++i)
            asio::co_spawn(scene.io, scene.take(limiter, i),
                           asio::bind_cancellation_slot(signals[static_cast<std::size_t>(i)].slot(), asio::detached));
        for (int i = 0; i < steps; ++i)
            scene.io.poll_one();
        for (const std::size_t cancelled : {0U, 1U, 4U})
            signals[cancelled].emit(asio::cancellation_type::terminal);
        scene.run();
        REQUIRE(std::is_sorted(scene.order.begin(), scene.order.end()));
        REQUIRE(scene.order.size() >= 3);
        for (std::size_t i = 0; i < scene.grants.size(); ++i)
            REQUIRE(scene.grants[i] == 100ms * i);
        REQUIRE(Counted::alive() == 0);
    }
}

TEST_CASE("a cancelled acquire says so", "[rate_limiter][cancellation]")
{
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 1};
    asio::cancellation_signal signal;
    std::string text;
    scene.crowd(limiter, 1);
    asio::co_spawn(scene.io, scene.take(limiter, 1), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) {
                       text = agdf::describe(error);
                   }));
    scene.at(500ms, [&] { signal.emit(asio::cancellation_type::terminal); });
    scene.run();
    CHECK(text.find("agdf::RateLimiter::acquire") != std::string::npos);
    CHECK(scene.time.elapsed() == 500ms);
}

TEST_CASE("a pause or an interval that would end after the clock's time lasts for the rest of it", "[rate_limiter]")
{
    // The sum was once beyond what the clock can hold, and such a pause was over at once.
    const Watchdog watchdog;
    Scene scene;
    scene.time.advance(std::chrono::hours(2'240'000));
    const RateLimiter limiter = RateLimit{.rate = 1, .per = std::chrono::hours(600'000)};
    scene.crowd(limiter, 1);  // the next one after 68 years
    const RateLimiter paused = RateLimit{.rate = 1};
    paused.penalize(Duration::max());
    scene.crowd(limiter, 1);
    scene.crowd(paused, 1);
    scene.at(std::chrono::hours(300'000), [&] { scene.io.stop(); });
    scene.io.run();
    CHECK(scene.grants == std::vector<Duration>{std::chrono::hours(2'240'000)});
}

TEST_CASE("penalize pauses everyone who shares the limiter, and a shorter pause does not end a longer one", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 10};
    const RateLimiter copy = limiter;
    scene.crowd(limiter, 4);
    scene.at(150ms, [&] { copy.penalize(2s); });
    scene.at(160ms, [&] { copy.penalize(1s); });
    scene.at(170ms, [&] { copy.penalize(-1h); });
    SECTION("once")
    {
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 100ms, 2'150ms, 2'250ms});
    }
    SECTION("and once more, for longer")
    {
        scene.at(1s, [&] { copy.penalize(3s); });
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 100ms, 4s, 4'100ms});
    }
    SECTION("for those as well who come in the pause")
    {
        scene.at(1s, [&] { scene.crowd(copy, 1); });
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 100ms, 2'150ms, 2'250ms, 2'350ms});
    }
}

TEST_CASE("a pause that begins before anybody asked counts from then", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 10};
    limiter.penalize(Duration::max());
    limiter.set({.rate = 10});
    const RateLimiter other = RateLimit{.rate = 10};
    other.penalize(1h);
    scene.crowd(other, 1);
    scene.run();
    CHECK(scene.grants.front() > 59min);
    CHECK(scene.grants.front() <= 1h);
}

TEST_CASE("a limit that is changed holds for those who wait already", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 1, .per = 1h};
    scene.crowd(limiter, 4);
    SECTION("the first goes earlier, and has waited for half of its permit")
    {
        scene.at(30min, [&] { limiter.set({.rate = 10}); });
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 30min + 50ms, 30min + 150ms, 30min + 250ms});
        CHECK(limiter.limit().per == 1s);
    }
    SECTION("a burst that is added can be used")
    {
        scene.at(30min, [&] { limiter.set({.rate = 1, .per = 1h, .burst = 3}); });
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 30min, 30min, 1h});
    }
    SECTION("it may become slower")
    {
        scene.at(30min, [&] { limiter.set({.rate = 1, .per = 10h}); });
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 5h + 30min, 15h + 30min, 25h + 30min});
    }
    SECTION("many changes lose nobody")
    {
        for (int i = 0; i < 100; ++i)
            scene.at(1min * i, [&limiter, i] { limiter.set({.rate = i % 2 ? 1.0 : 2.0, .per = 1h}); });
        scene.run();
        CHECK(scene.grants.size() == 4);
        CHECK(scene.grants[1] > 30min);
        CHECK(scene.grants[1] < 1h);
    }
}

TEST_CASE("a timer that fires late is made up for by one permit at most", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 10};
    scene.crowd(limiter, 7);
    SECTION("a little late: the next one is on time")
    {
        scene.at(50ms, [&] { scene.time.advance(80ms); });  // over the time of the second
        scene.run();
        CHECK(scene.grants == std::vector<Duration>{0ms, 130ms, 200ms, 300ms, 400ms, 500ms, 600ms});
    }
    SECTION("a long stall: no flood")
    {
        scene.at(50ms, [&] { scene.time.advance(10s); });
        scene.run();
        const Duration back = 10'050ms;
        CHECK(scene.grants == std::vector<Duration>{0ms, back, back, back + 100ms, back + 200ms, back + 300ms, back + 400ms});
    }
}

TEST_CASE("who comes after an idle time gets no permit for it beyond the burst", "[rate_limiter]")
{
    Scene scene;
    const RateLimiter limiter = RateLimit{.rate = 10};
    scene.at(1h, [&] { scene.crowd(limiter, 3); });
    scene.run();
    CHECK(scene.grants == std::vector<Duration>{1h, 1h + 100ms, 1h + 200ms});
}

TEST_CASE("a limit that cannot work is refused in a sentence", "[rate_limiter]")
{
    const auto text_of = [](RateLimit limit) { return test::graph_error_of([&] { const RateLimiter limiter = limit; }); };
    CHECK(text_of({.rate = 0}) == "agdf::RateLimit: .rate is 0. Expected: a finite number above 0. Set it to the permits in the time "
                                  ".per, or take agdf::RateLimiter{} for no limit.");
    for (const double rate : {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK(text_of({.rate = rate}).find("Expected: a finite number above 0.") != std::string::npos);
    CHECK(text_of({.per = -1500ms}) ==
          "agdf::RateLimit: .per is -1.5 s. Expected: more than 0. Set it to the time in which there are .rate permits.");
    CHECK(text_of({.per = 0s}).find(".per is 0 s.") != std::string::npos);
    CHECK(text_of({.burst = 0}) ==
          "agdf::RateLimit: .burst is 0. Expected: 1 or more, since nobody could go at all. Set it to the permits that may be used "
          "at once.");
    CHECK(text_of({.rate = 1, .burst = 10'000'000'000}) ==
          "agdf::RateLimit: .burst is 10000000000, which at 1 permits in 1 s takes longer than 73 years to come. Expected: less. "
          "Lower .burst or raise .rate.");
    CHECK(text_of({.rate = std::numeric_limits<double>::denorm_min()}).find("73 years") != std::string::npos);
    CHECK(text_of({}).empty());
    const RateLimiter limiter = RateLimit{.rate = 5};
    CHECK(test::graph_error_of([&] { limiter.set({.rate = 0}); }).find("agdf::RateLimit: .rate is 0.") == 0);
    CHECK(limiter.limit().rate == 5);
}

TEST_CASE("the slowest and the fastest limits work", "[rate_limiter]")
{
    const Watchdog watchdog;
    Scene scene;
    scene.crowd(RateLimit{.rate = 1, .per = 24h * 365 * 70}, 2);
    scene.run();
    CHECK(scene.grants == std::vector<Duration>{0h, 24h * 365 * 70});
    Scene fast;
    fast.crowd(RateLimit{.rate = std::numeric_limits<double>::max(), .burst = std::numeric_limits<std::size_t>::max()}, 1'000);
    fast.run();
    CHECK(fast.grants.size() == 1'000);
    CHECK(fast.time.elapsed() <= 1us);
}

TEST_CASE("a context that is destroyed at any step leaves nothing behind, and the limiter goes on elsewhere",
          "[rate_limiter][lifetime]")
{
    const Watchdog watchdog;
    bool more = true;
    for (int steps = 0; more; ++steps) {
        CAPTURE(steps);
        const RateLimiter limiter = RateLimit{.rate = 10, .burst = 2};
        std::size_t granted = 0;
        {
            Scene scene;
            scene.crowd(limiter, 5);
            scene.at(150ms, [&] { limiter.set({.rate = 20, .burst = 2}); });
            for (int i = 0; i < steps && more; ++i)
                more = scene.io.run_one() != 0;
            granted = scene.grants.size();
        }
        REQUIRE(Counted::alive() == 0);
        Scene other;
        other.crowd(limiter, 3);
        other.run();
        REQUIRE(other.grants.size() == 3);
        REQUIRE(other.grants.back() <= (granted == 0 ? 100ms : 300ms));
    }
}

TEST_CASE("thousands may wait, each in its turn", "[rate_limiter]")
{
    const Watchdog watchdog{100s};
    Scene scene;
    scene.crowd(RateLimit{.rate = 100}, 10'000);
    scene.run();
    CHECK(scene.grants.size() == 10'000);
    CHECK(std::is_sorted(scene.order.begin(), scene.order.end()));
    CHECK(scene.grants.back() == 99'990ms);
}

TEST_CASE("a limiter that has served virtual time serves real time after it", "[rate_limiter]")
{
    const Watchdog watchdog;
    const RateLimiter limiter = RateLimit{.rate = 1'000};
    {
        Scene scene;
        scene.at(1h, [&] { scene.crowd(limiter, 3); });
        scene.run();
        CHECK(scene.grants.size() == 3);
    }
    asio::io_context io;
    int taken = 0;
    const auto take = [&]() -> asio::awaitable<void> {
        co_await limiter.acquire();
        ++taken;
    };
    asio::co_spawn(io, take, asio::detached);
    asio::co_spawn(io, take, asio::detached);
    io.run();
    CHECK(taken == 2);
}

TEST_CASE("graphs, contexts and threads that share a limiter keep it together, in real time", "[rate_limiter][threads]")
{
    const Watchdog watchdog{50s};
    const RateLimiter limiter = RateLimit{.rate = 2'000, .burst = 4};
    constexpr int each = 150;
    std::atomic<int> taken{0};
    const auto work = [&, limiter](int) -> asio::awaitable<void> {
        co_await limiter.acquire();
        ++taken;
    };
    const auto run = [&] {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet({.threads = 2})};
        auto numbers = graph.add_node("numbers", []() -> agdf::Stream<int> {
            for (int i = 0; i < each; ++i)
                co_yield i;
        });
        auto worker = graph.add_node("work", work, {.workers = 8});
        graph.add_edge(numbers, worker);
        const agdf::RunReport report = graph.run();
        if (report.exit_code() != 0)
            std::abort();
    };
    const auto start = std::chrono::steady_clock::now();
    std::thread other{run};
    run();
    other.join();
    CHECK(taken == 2 * each);
    CHECK(std::chrono::steady_clock::now() - start >= 500us * (2 * each - 4) - 500us);
}

TEST_CASE("a limiter may be changed, paused and left by cancellation while two threads use it", "[rate_limiter][threads]")
{
    const Watchdog watchdog{50s};
    const RateLimiter limiter = RateLimit{.rate = 20'000};
    asio::thread_pool pool{2};
    std::atomic<int> ended{0};
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    const auto take = [&]() -> asio::awaitable<void> {
        const Counted alive{0};
        for (int i = 0; i < 3; ++i)
            co_await limiter.acquire();
    };
    for (int i = 0; i < 300; ++i) {
        auto strand = asio::make_strand(pool);
        signals.push_back(std::make_unique<asio::cancellation_signal>());
        asio::co_spawn(strand, take,
                       asio::bind_cancellation_slot(signals.back()->slot(), [&](const std::exception_ptr&) { ++ended; }));
        if (i % 3 == 0)
            asio::post(strand, [signal = signals.back().get()] { signal->emit(asio::cancellation_type::terminal); });
        if (i % 50 == 0) {
            limiter.set({.rate = 20'000.0 + i});
            limiter.penalize(1ms);
            CHECK(limiter.limit().rate == 20'000.0 + i);
        }
    }
    // without a strand a timer may fire before its wait has begun
    for (int i = 0; i < 300; ++i)
        asio::co_spawn(pool, take, [&](const std::exception_ptr&) { ++ended; });
    pool.join();
    CHECK(ended == 600);
    CHECK(Counted::alive() == 0);
}
