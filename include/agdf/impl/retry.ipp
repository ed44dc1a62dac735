#pragma once

// Floor 2: whether and when something that failed is tried again.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/mix.hpp>
#include <agdf/retry.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

namespace agdf {

AGDF_DECL RetryPredicate::RetryPredicate() = default;
AGDF_DECL RetryPredicate::RetryPredicate(const RetryPredicate&) = default;
AGDF_DECL RetryPredicate::RetryPredicate(RetryPredicate&&) noexcept = default;
AGDF_DECL RetryPredicate& RetryPredicate::operator=(const RetryPredicate&) = default;
AGDF_DECL RetryPredicate& RetryPredicate::operator=(RetryPredicate&&) noexcept = default;
AGDF_DECL RetryPredicate::~RetryPredicate() = default;

AGDF_DECL bool RetryPredicate::operator()(const std::exception_ptr& error) const { return !judge_ || judge_(error); }

AGDF_DECL std::optional<std::chrono::nanoseconds> retry_after_of(const std::exception_ptr& error) noexcept
{
    if (!error)
        return std::nullopt;
    try {
        std::rethrow_exception(error);
    } catch (const RetryAfter& wish) {
        return wish.retry_after();
    } catch (...) {
        return std::nullopt;
    }
}

namespace detail {

AGDF_DECL std::atomic<std::uint64_t>& random_state() noexcept
{
    static std::atomic<std::uint64_t> state{
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
    return state;
}

AGDF_DECL double random_fraction() noexcept
{
    const std::uint64_t z = mix(random_state().fetch_add(0x9E3779B97F4A7C15U, std::memory_order_relaxed));
    return static_cast<double>(z >> 11U) * 0x1p-53;
}

AGDF_DECL std::chrono::steady_clock::duration retry_delay(const Retry& retry, std::size_t failed, const std::exception_ptr& error,
                                                          double fraction) noexcept
{
    using Duration = std::chrono::steady_clock::duration;
    if (const auto wish = retry_after_of(error)) {
        if (*wish >= retry.max_delay)
            return retry.max_delay;
        return std::max(std::chrono::ceil<Duration>(*wish), Duration::zero());
    }
    if (retry.delay == Duration::zero())
        return retry.delay;
    const double grown = static_cast<double>(retry.delay.count()) * std::pow(retry.factor, static_cast<double>(failed - 1));
    // infinity is above every limit, and what is below it fits again
    const Duration delay = grown >= static_cast<double>(retry.max_delay.count())
                               ? retry.max_delay
                               : Duration(static_cast<Duration::rep>(grown));
    if (retry.jitter == Jitter::none)
        return delay;
    return Duration(static_cast<Duration::rep>(static_cast<double>(delay.count()) * fraction));
}

AGDF_DECL void check_retry(const std::function<void(const std::string& what)>& fail, const Retry& retry)
{
    using Milliseconds = std::chrono::duration<double, std::milli>;
    if (retry.attempts == 0)
        fail("the option .retry.attempts is 0. Expected: 1 or more, since the first attempt counts as well. Set it to 1 for "
             "no retry.");
    if (retry.delay < retry.delay.zero())
        fail(fmt::format("the option .retry.delay is {} ms. Expected: 0 or more. Set it to the wait before the second attempt.",
                         Milliseconds(retry.delay).count()));
    if (!std::isfinite(retry.factor) || retry.factor < 1)
        fail(fmt::format("the option .retry.factor is {}. Expected: a finite number of at least 1. Set it to 1 for delays that "
                         "do not grow.",
                         retry.factor));
    if (retry.max_delay < retry.max_delay.zero())
        fail("the option .retry.max_delay is negative. Expected: 0 or more; it caps every delay. Raise it.");
    if (retry.max_held == 0)
        fail("the option .retry.max_held is 0. Expected: room for at least one output. Set it to the most that one attempt "
             "yields.");
}

}  // namespace detail

}  // namespace agdf
