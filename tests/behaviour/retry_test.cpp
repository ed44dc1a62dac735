// An item that fails is tried again: how often, when, for which errors, and what becomes of its outputs.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using agdf::Jitter;
using agdf::Outcome;
using agdf::Retry;
using agdf::RetryPredicate;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::StreamBody;
using test::Ticks;
using test::up_to;
using Times = std::vector<Ticks>;

/// Returns a body that fails so often, marks when it is called, and then hands its item on.
Body fails(Bench& bench, std::size_t times)
{
    return [&bench, times](int n) -> asio::awaitable<int> {
        const Counted local;
        bench.mark();
        if (bench.marks.size() <= times)
            throw std::runtime_error("failure " + std::to_string(bench.marks.size()));
        co_return n;
    };
}

constexpr std::size_t always = 1'000'000;

/// Checks that a body which fails twice, by `failures`, is called three times and delivers once.
template <class B>
void check_is_tried_again(Bench& bench, const int& calls, B body)
{
    bench.run(std::move(body), {.retry = {.attempts = 3, .delay = 1s, .jitter = Jitter::none}}, {7});
    CHECK(calls == 3);
    CHECK(bench.results == Ints{7});
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(bench.node().retried == 2);
    CHECK(bench.node().err == 0);
    CHECK(bench.report.elapsed == 3s);
    CHECK(Counted::alive() == 0);
}

/// Runs an item through a body that always throws runtime_error("failure n"), and returns how often it was called.
std::size_t calls_with(RetryPredicate when)
{
    Bench bench;
    bench.run(fails(bench, always), {.retry = {.attempts = 3, .when = std::move(when)}});
    CHECK(bench.node().err == 1);
    CHECK(bench.node().retried == bench.marks.size() - 1);
    return bench.marks.size();
}

bool is_second(const std::runtime_error& error) { return error.what() == std::string{"failure 1"}; }

}  // namespace

TEST_CASE("a failed item is tried again after delays that grow by the factor up to the cap", "[retry]")
{
    Bench bench;
    bench.run(fails(bench, always),
              {.retry = {.attempts = 6, .delay = 100ms, .factor = 3, .max_delay = 1s, .jitter = Jitter::none}});
    CHECK(bench.marks == Times{0ms, 100ms, 400ms, 1300ms, 2300ms, 3300ms});
    CHECK(bench.results.empty());
    CHECK(bench.report.outcome == Outcome::completed_with_errors);
    CHECK(bench.node().in == 1);
    CHECK(bench.node().err == 1);
    CHECK(bench.node().retried == 5);
    REQUIRE(bench.report.exceptions("node").size() == 1);
    CHECK(test::text_of(bench.report.first_error) == "failure 6");
    CHECK(Counted::alive() == 0);
}

TEST_CASE("an item that succeeds in the end is no error, whatever the kind of the body", "[retry]")
{
    int calls = 0;
    const auto attempt = [&calls] {
        if (++calls < 3)
            throw std::runtime_error("not yet");
    };
    SECTION("coroutine")
    {
        Bench bench;
        check_is_tried_again(bench, calls, Body{[&](int n) -> asio::awaitable<int> {
                                 const Counted local;
                                 attempt();
                                 co_return n;
                             }});
        CHECK(bench.report.exit_code() == 0);
        CHECK(bench.report.first_error == nullptr);
        CHECK(bench.report.exceptions("node").empty());
    }
    SECTION("plain function")
    {
        Bench bench;
        check_is_tried_again(bench, calls, [&](int n) {
            attempt();
            return n;
        });
    }
    SECTION("blocking function")
    {
        Bench bench;
        check_is_tried_again(bench, calls, agdf::blocking([&](int n) {
            attempt();
            return n;
        }));
    }
    SECTION("stream")
    {
        Bench bench;
        check_is_tried_again(bench, calls, StreamBody{[&](int n) -> agdf::Stream<int> {
                                 const Counted local;
                                 co_yield n;
                                 attempt();
                             }});
        CHECK(bench.node().out == 1);
    }
}

TEST_CASE("a source that fails begins anew, and what it had yielded is not doubled", "[retry]")
{
    Bench bench;
    int calls = 0;
    auto source = bench.graph.add_node("source", [&]() -> agdf::Stream<int> {
        const int call = ++calls;
        for (int i = 1; i <= 3; ++i) {
            if (i == 2 && call < 3)
                throw std::runtime_error("the connection broke");
            co_yield i;
        }
    }, {.retry = {.attempts = 3, .delay = 1s, .factor = 1, .jitter = Jitter::none}});
    source >> bench.graph.add_node("sink", agdf::collect(bench.results));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 2, 3});
    CHECK(calls == 3);
    CHECK(report.node("source").retried == 2);
    CHECK(report.node("source").out == 3);
    CHECK(report.elapsed == 2s);
}

TEST_CASE("full jitter spreads the waits evenly between nothing and the delay", "[retry]")
{
    Bench bench;
    bench.run(fails(bench, 400), {.retry = {.attempts = 401, .delay = 1s, .factor = 1}});
    REQUIRE(bench.marks.size() == 401);
    int below_half = 0;
    for (std::size_t i = 1; i < bench.marks.size(); ++i) {
        const Ticks wait = bench.marks[i] - bench.marks[i - 1];
        CHECK((wait >= 0s && wait <= 1s));
        below_half += wait < 500ms;
    }
    CHECK((below_half > 100 && below_half < 300));
}

TEST_CASE("a predicate, of any shape, says which errors are worth another attempt", "[retry]")
{
    CHECK(calls_with({}) == 3);
    CHECK(calls_with([](const std::exception_ptr&) { return true; }) == 3);
    CHECK(calls_with([](std::exception_ptr error) { return test::text_of(error) == "failure 1"; }) == 2);  // NOLINT
    CHECK(calls_with(is_second) == 2);
    CHECK(calls_with([](const std::exception&) { return true; }) == 3);
    CHECK(calls_with([](const std::logic_error&) { return true; }) == 1);
    CHECK(calls_with([](const std::exception&) -> bool { throw std::logic_error("cannot say"); }) == 1);
}

TEST_CASE("an error says itself how long to wait, up to the cap and without jitter", "[retry]")
{
    Bench bench;
    const Body body = [&](int n) -> asio::awaitable<int> {
        bench.mark();
        if (bench.marks.size() == 1)
            throw agdf::RetryLater("locked", 7s);
        if (bench.marks.size() == 2)
            throw agdf::RetryLater("locked", 1h);
        co_return n;
    };
    bench.run(body, {.retry = {.attempts = 3, .delay = 1ms, .max_delay = 10s}});
    CHECK(bench.marks == Times{0s, 7s, 17s});
    CHECK(bench.results == Ints{1});
}

TEST_CASE("what an attempt yielded that is tried again never leaves, and what the good one yielded leaves once", "[retry]")
{
    Bench bench;
    const StreamBody body = [&](int n) -> agdf::Stream<int> {
        const Counted local;
        bench.mark();
        const bool good = bench.marks.size() % 3 == 0;
        co_yield n;
        co_await agdf::sleep_for(1ms);
        co_yield 10 * n;
        if (!good)
            throw std::runtime_error("after two outputs");
    };
    bench.run(body, {.retry = {.attempts = 3, .delay = 1ms}}, {1, 2, 3});
    CHECK(bench.results == Ints{1, 10, 2, 20, 3, 30});
    CHECK(bench.node().out == 6);
    CHECK(bench.node().retried == 6);
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("an attempt with more outputs than may be held is not tried again, and what it yielded stays", "[retry]")
{
    Bench bench;
    const StreamBody body = [&](int n) -> agdf::Stream<int> {
        bench.mark();
        for (int i = 0; i < n; ++i)
            co_yield i;
    };
    bench.run(body, {.retry = {.attempts = 3, .max_held = 3}}, {3, 4});
    CHECK(bench.marks.size() == 2);
    CHECK(bench.results == Ints{0, 1, 2, 0, 1, 2});
    CHECK(bench.node().err == 1);
    CHECK(bench.node().retried == 0);
    CHECK_THAT(test::text_of(bench.report.first_error), ContainsSubstring("max_held") && ContainsSubstring("Expected:"));
}

TEST_CASE("what the last attempt had yielded before it failed stays, once", "[retry]")
{
    Bench bench;
    const StreamBody body = [&](int n) -> agdf::Stream<int> {
        bench.mark();
        co_yield n;
        throw std::runtime_error("always");
    };
    bench.run(body, {.retry = {.attempts = 3, .delay = 1ms}});
    CHECK(bench.marks.size() == 3);
    CHECK(bench.results == Ints{1});
    CHECK(bench.node().err == 1);
    CHECK(bench.node().out == 1);
}

TEST_CASE("an item that waits for another attempt holds no permit", "[retry]")
{
    Bench bench;
    const agdf::Semaphore limit{1};
    Times done;
    const Body body = [&](int n) -> asio::awaitable<int> {
        bench.mark();
        if (n == 1 && bench.marks.size() == 1)
            throw std::runtime_error("first");
        CHECK(limit.available() == 0);
        done.push_back(bench.time.elapsed());
        co_return n;
    };
    bench.run(body, {.workers = 2, .retry = {.attempts = 2, .delay = 10s, .jitter = Jitter::none}, .limit = limit}, {1, 2});
    CHECK(bench.results == Ints{2, 1});
    CHECK(done == Times{0s, 10s});
    CHECK(limit.available() == 1);
}

TEST_CASE("each attempt takes a permit of the rate limit", "[retry]")
{
    Bench bench;
    bench.run(fails(bench, 2), {.retry = {.attempts = 3, .delay = 0s}, .rate_limit = agdf::RateLimit{.rate = 1}}, {1, 2});
    CHECK(bench.marks == Times{0s, 1s, 2s, 3s});
    CHECK(bench.results == Ints{1, 2});
}

TEST_CASE("an error that says how long to wait pauses everyone who shares the rate limit", "[retry]")
{
    Bench bench;
    const agdf::RateLimiter limiter = agdf::RateLimit{.rate = 10};
    const auto busy = [&bench](int n) -> asio::awaitable<int> {
        bench.mark();
        if (bench.marks.size() == 2)
            throw agdf::RetryLater("locked", 5s);
        co_return n;
    };
    bench.run(busy, {.workers = 3, .retry = {.attempts = 2, .jitter = Jitter::none}, .rate_limit = limiter}, {1, 2, 3, 4});
    CHECK(bench.report.outcome == Outcome::completed);
    CHECK(bench.marks == Times{0ms, 100ms, 5100ms, 5200ms, 5300ms});  // nobody begins in the five seconds that it asked for
}

TEST_CASE("it does so also if its own item is not tried again", "[retry]")
{
    Bench bench;
    const agdf::RateLimiter limiter = agdf::RateLimit{.rate = 10};
    const auto busy = [&bench](int n) -> asio::awaitable<int> {
        bench.mark();
        if (n < 3)
            throw agdf::RetryLater("locked", n == 1 ? 5s : 1h);
        co_return n;
    };
    SECTION("since there is no retry")
    {
        bench.run(busy, {.retry = {.max_delay = 10s}, .rate_limit = limiter}, {1, 2, 3});
        CHECK(bench.marks == Times{0s, 5s, 15s});  // the hour is more than what an error may ask for
    }
    SECTION("since the predicate says no")
    {
        bench.run(busy, {.retry = {.attempts = 3, .max_delay = 10s, .when = [](const std::exception&) { return false; }}, .rate_limit = limiter},
                  {1, 2, 3});
        CHECK(bench.marks == Times{0s, 5s, 15s});
    }
    SECTION("since it was the last attempt")
    {
        bench.run(busy, {.retry = {.attempts = 2}, .rate_limit = limiter}, {1, 3});
        CHECK(bench.marks == Times{0s, 5s, 10s});
    }
    CHECK(bench.results == Ints{3});
}

TEST_CASE("what a predicate throws does not replace the error that it was asked about", "[retry]")
{
    std::string logged;
    Bench bench;
    agdf::Graph graph{bench.io, {.log = [&](agdf::LogLevel, std::string_view line) { logged += std::string(line) + "\n"; }}};
    const auto fails = [](int) -> int { throw std::runtime_error("the real error"); };
    auto node = graph.add_node("node", fails, {.retry = {.attempts = 3, .when = [](const std::exception&) -> bool {
                                                              throw std::logic_error("cannot say");
                                                          }}});
    graph.add_node("source", agdf::from_range(Ints{1})) >> node;
    std::vector<std::string> letters;
    graph.add_error_edge(node, graph.add_node("letters", [&](const agdf::Failed<int>& failed) { letters.push_back(test::text_of(failed.error)); }));
    const auto report = graph.run();
    CHECK(letters == std::vector<std::string>{"the real error"});
    CHECK(test::text_of(report.first_error) == "the real error");
    CHECK(report.node("node").err == 1);
    CHECK(report.node("node").retried == 0);
    REQUIRE(report.exceptions("node").size() == 2);
    CHECK(test::text_of(report.exceptions("node").front()) == "cannot say");
    CHECK_THAT(logged, ContainsSubstring("'node': its .retry.when failed, so the item is not tried again: cannot say") &&
                           ContainsSubstring("the real error"));
}

TEST_CASE("items that cannot be copied are tried again if the body only looks at them", "[retry]")
{
    using Box = std::unique_ptr<int>;
    Bench bench;
    const Retry retry{.attempts = 2, .delay = 0s};
    auto boxes = bench.graph.add_node("boxes", [](int n) { return std::make_unique<int>(n); });
    bench.graph.add_node("numbers", agdf::from_range(up_to(2))) >> boxes;
    boxes >> bench.graph.add_node("open", [&](const Box& box) {
        bench.mark();
        if (bench.marks.size() % 2 == 1)
            throw std::runtime_error("closed");
        bench.results.push_back(*box);
    }, {.retry = retry});
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_node("take", [](Box) {}, {.retry = retry}); }),
               ContainsSubstring("'take'") && ContainsSubstring("by reference"));
    const agdf::RunReport report = bench.graph.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(bench.results == Ints{1, 2});
    CHECK(bench.marks.size() == 4);
}

TEST_CASE("a stop ends the wait for another attempt, and the attempts left follow without delay", "[retry]")
{
    const std::size_t failures = GENERATE(1U, 2U, 3U);
    Bench bench;
    bench.at(1s, [&] { bench.graph.stop(); });
    bench.run(fails(bench, failures), {.retry = {.attempts = 3, .delay = 1h, .max_delay = 1h, .jitter = Jitter::none}});
    CHECK(bench.report.outcome == Outcome::stopped);
    CHECK(bench.report.elapsed == 1s);
    CHECK(bench.marks.size() == std::min<std::size_t>(failures + 1, 3));
    CHECK(bench.results.size() == (failures < 3 ? 1 : 0));
    CHECK(bench.node().err == (failures < 3 ? 0 : 1));
    CHECK(bench.node().undelivered == 0);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a cancel ends the wait for another attempt, and the item counts with the error that it had", "[retry]")
{
    Bench bench;
    bench.at(1s, [&] { bench.graph.cancel(); });
    bench.run(fails(bench, always), {.retry = {.attempts = 3, .delay = 1h, .max_delay = 1h, .jitter = Jitter::none}}, {1, 2});
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(bench.report.elapsed == 1s);
    CHECK(bench.marks.size() == 1);
    CHECK(bench.node().err == 1);
    CHECK(bench.node().retried == 0);  // it was not tried again
    CHECK(bench.node().in == bench.node().err + bench.node().undelivered);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a source that is stopped while it waits for another attempt has failed, and what it had yielded stays", "[retry][stop]")
{
    const bool is_cancelled = GENERATE(false, true);
    Bench bench;
    bench.at(1s, [&] { is_cancelled ? bench.graph.cancel() : bench.graph.stop(); });
    auto source = bench.graph.add_node("source", []() -> agdf::Stream<int> {
        for (int i = 1; i <= 3; ++i)
            co_yield i;
        throw std::runtime_error("source");
    }, {.retry = {.attempts = 2, .delay = 1h, .max_delay = 1h, .jitter = Jitter::none}});
    source >> bench.graph.add_node("sink", [&](int n) { bench.results.push_back(n); });
    bench.report = bench.graph.run();
    CHECK(bench.report.outcome == (is_cancelled ? Outcome::cancelled : Outcome::stopped));
    CHECK(bench.report.elapsed == 1s);
    CHECK(bench.results == (is_cancelled ? Ints{} : up_to(3)));
    CHECK(bench.report.node("source").out == bench.results.size());
    CHECK(bench.report.node("source").err == 1);
    CHECK(bench.report.node("source").retried == 0);
}
