#include <agdf/retry.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using agdf::detail::retry_delay;
using agdf::Jitter;
using agdf::Retry;
using agdf::RetryPredicate;

namespace {

template <class E>
std::exception_ptr made(E error)
{
    return std::make_exception_ptr(std::move(error));
}

const std::exception_ptr plain = made(std::runtime_error("plain"));

class Busy : public std::logic_error, public agdf::RetryAfter {
public:
    Busy() : std::logic_error("busy") {}
    std::optional<std::chrono::nanoseconds> retry_after() const noexcept override { return std::nullopt; }
};

bool is_plain(const std::exception_ptr& error) { return error == plain; }

/// The first text that check_retry complains with; empty if there is none.
std::string complaint_about(const Retry& retry)
{
    std::string first;
    agdf::detail::check_retry([&](std::string_view text) { first = first.empty() ? std::string{text} : first; }, retry);
    return first;
}

}  // namespace

TEST_CASE("retrying is off unless asked for, and its defaults are those of the documentation", "[retry]")
{
    const Retry retry;
    CHECK(retry.attempts == 1);
    CHECK(retry.delay == 100ms);
    CHECK(retry.factor == 2);
    CHECK(retry.max_delay == 30s);
    CHECK(retry.jitter == Jitter::full);
    CHECK_FALSE(retry.when);
    CHECK(retry.max_held == 1'024);
    CHECK(complaint_about(retry).empty());
    const Retry all{.attempts = 3, .delay = 1ms, .factor = 1, .max_delay = 1ms, .jitter = Jitter::none, .when = is_plain, .max_held = 1};
    CHECK(complaint_about(all).empty());
}

TEST_CASE("without a predicate every error is tried again", "[retry]")
{
    const RetryPredicate every;
    CHECK_FALSE(every);
    CHECK(every(plain));
    CHECK(every(made(5)));
    CHECK(RetryPredicate{std::function<bool(const std::exception_ptr&)>{}}(plain));
}

TEST_CASE("a predicate may take the exception_ptr, by value or by reference", "[retry]")
{
    const RetryPredicate function = is_plain;
    CHECK(function);
    CHECK(function(plain));
    CHECK_FALSE(function(made(5)));
    int calls = 0;
    const RetryPredicate by_value = [&calls](std::exception_ptr error) { return error && ++calls > 1; };
    CHECK_FALSE(by_value(plain));
    CHECK(by_value(plain));
}

TEST_CASE("a predicate of an exception type is asked about that type and what derives from it, and denies the rest", "[retry]")
{
    const RetryPredicate of_runtime = [](const std::runtime_error& error) { return std::string_view{error.what()} == "plain"; };
    CHECK(of_runtime(plain));
    CHECK(of_runtime(made(agdf::RetryLater("plain", 1s))));
    CHECK_FALSE(of_runtime(made(std::runtime_error("other"))));
    CHECK_FALSE(of_runtime(made(std::logic_error("plain"))));
    CHECK_FALSE(of_runtime(made(5)));
    const RetryPredicate of_wishes = [calls = 0](const agdf::RetryAfter&) mutable noexcept { return ++calls == 1; };
    CHECK(of_wishes(made(Busy{})));
    CHECK_FALSE(of_wishes(made(Busy{})));
}

TEST_CASE("what a predicate throws comes out of its call", "[retry]")
{
    const RetryPredicate by_pointer = [](const std::exception_ptr&) -> bool { throw std::logic_error("mine"); };
    const RetryPredicate by_type = [](const std::runtime_error&) -> bool { throw std::logic_error("mine"); };
    CHECK_THROWS_WITH(by_pointer(plain), "mine");
    CHECK_THROWS_WITH(by_type(plain), "mine");
}

TEST_CASE("without jitter the delay grows by the factor up to its limit, for any number of attempts", "[retry]")
{
    const Retry retry{.delay = 100ms, .factor = 3, .max_delay = 2s, .jitter = Jitter::none};
    CHECK(retry_delay(retry, 1, plain) == 100ms);
    CHECK(retry_delay(retry, 2, plain) == 300ms);
    CHECK(retry_delay(retry, 3, plain) == 900ms);
    CHECK(retry_delay(retry, 4, plain) == 2s);
    for (std::size_t n = 4; n < 5'000; ++n)
        REQUIRE(retry_delay(retry, n, plain) == 2s);
    CHECK(retry_delay(retry, std::numeric_limits<std::size_t>::max(), plain) == 2s);

    const auto longest = std::chrono::steady_clock::duration::max();
    const Retry boundless{.delay = 1ns, .factor = 1e300, .max_delay = longest, .jitter = Jitter::none};
    CHECK(retry_delay(boundless, 1, plain) == 1ns);
    CHECK(retry_delay(boundless, 2, plain) == longest);
    CHECK(retry_delay(boundless, 1'000'000, plain) == longest);
    const Retry even{.delay = 7ms, .factor = 1, .max_delay = 1h, .jitter = Jitter::none};
    CHECK(retry_delay(even, 1'000'000'000, plain) == 7ms);
    const Retry at_once{.delay = 0ms, .factor = 1e300, .jitter = Jitter::none};
    CHECK(retry_delay(at_once, 100'000, plain) == 0ms);
}

TEST_CASE("full jitter is evenly spread between nothing and the delay", "[retry]")
{
    const Retry retry{.delay = 100ms, .factor = 2, .max_delay = 300ms};
    CHECK(retry_delay(retry, 1, plain, 0) == 0ms);
    CHECK(retry_delay(retry, 2, plain, 0.5) == 100ms);
    CHECK(retry_delay(retry, 9, plain, 0.5) == 150ms);
    int quarters[4] = {};
    for (int i = 0; i < 8'000; ++i) {
        const auto delay = retry_delay(retry, 1, plain);
        REQUIRE(delay >= 0ms);
        REQUIRE(delay < 100ms);
        ++quarters[delay / 25ms];
    }
    for (const int quarter : quarters) {
        CHECK(quarter > 1'700);  // 2,000 are expected, with a deviation of 39
        CHECK(quarter < 2'300);
    }
}

TEST_CASE("an error that says when to come back is obeyed up to the limit and without jitter", "[retry]")
{
    const Retry retry{.delay = 100ms, .max_delay = 10s};
    CHECK(retry_delay(retry, 1, made(agdf::RetryLater("wait", 2s)), 0.1) == 2s);
    CHECK(retry_delay(retry, 5, made(agdf::RetryLater("wait", 1ms)), 0.1) == 1ms);
    CHECK(retry_delay(retry, 1, made(agdf::RetryLater("wait", 1h)), 0.1) == 10s);
    CHECK(retry_delay(retry, 1, made(agdf::RetryLater("wait", std::chrono::nanoseconds::max())), 0.1) == 10s);
    CHECK(retry_delay(retry, 1, made(agdf::RetryLater("wait", -1s)), 0.1) == 0s);
    CHECK(retry_delay(retry, 1, made(Busy{}), 0.5) == 50ms);  // it does not say
}

TEST_CASE("retry_after_of finds the wish of an error, whatever its type", "[retry]")
{
    const agdf::RetryLater later{"the table is locked", 2s};
    CHECK(std::string_view{later.what()} == "the table is locked");
    CHECK(agdf::retry_after_of(made(later)) == 2s);
    CHECK(agdf::retry_after_of(made(Busy{})) == std::nullopt);
    CHECK(agdf::retry_after_of(plain) == std::nullopt);
    CHECK(agdf::retry_after_of(made(5)) == std::nullopt);
    CHECK(agdf::retry_after_of(nullptr) == std::nullopt);
}

TEST_CASE("a Retry that cannot work is refused in a sentence", "[retry]")
{
    CHECK(complaint_about({.attempts = 0}) ==
          "the option .retry.attempts is 0. Expected: 1 or more, since the first attempt counts as well. Set it to 1 for no "
          "retry.");
    CHECK(complaint_about({.delay = -1500us}) ==
          "the option .retry.delay is -1.5 ms. Expected: 0 or more. Set it to the wait before the second attempt.");
    for (const double factor : {0.5, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK_THAT(complaint_about({.factor = factor}),
                   Catch::Matchers::ContainsSubstring("Expected: a finite number of at least 1. Set it to 1 for delays"));
    CHECK_THAT(complaint_about({.factor = 0.5}), Catch::Matchers::ContainsSubstring("the option .retry.factor is 0.5."));
    CHECK(complaint_about({.max_delay = -1s}) ==
          "the option .retry.max_delay is negative. Expected: 0 or more; it caps every delay. Raise it.");
    CHECK(complaint_about({.delay = 2s, .max_delay = 1s}).empty());
    CHECK(complaint_about({.max_held = 0}) ==
          "the option .retry.max_held is 0. Expected: room for at least one output. Set it to the most that one attempt yields.");
}
