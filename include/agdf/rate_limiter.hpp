#pragma once

// Floor 2: how often something may be done.

#include <agdf/concepts.hpp>
#include <agdf/detail/asio.hpp>

#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>

namespace agdf {

/// How many permits there are in which time, and how many of them may be used at once after a pause.
///
///     const agdf::RateLimit polite{.rate = 50, .per = std::chrono::seconds(1), .burst = 5};
struct RateLimit {
    double rate = 1;
    std::chrono::steady_clock::duration per = std::chrono::seconds(1);
    std::size_t burst = 1;
};

namespace detail {

/// What the handles of one limiter share. What is behind it is a template, so that it costs the build of those programs
/// only that make a limiter with a limit.
class RateLimiterState {
public:
    RateLimiterState() = default;
    RateLimiterState(const RateLimiterState&) = delete;
    RateLimiterState& operator=(const RateLimiterState&) = delete;
    virtual ~RateLimiterState() = default;

    /// Takes itself, so that it outlives the wait.
    [[nodiscard]] virtual asio::awaitable<void> acquire(std::shared_ptr<RateLimiterState> self) = 0;
    virtual void pause(std::chrono::steady_clock::duration duration) = 0;
    virtual void set(const RateLimit& limit) = 0;
    [[nodiscard]] virtual RateLimit limit() const = 0;
};

// Templates, so that they cost the build of those programs only that use them.
template <class Word>
[[nodiscard]] std::shared_ptr<RateLimiterState> make_rate_limiter(const RateLimit& limit);
template <class Limit>
void set_rate_limit(RateLimiterState* state, const Limit& limit);
template <class Result>
[[nodiscard]] asio::awaitable<Result> no_wait();

}  // namespace detail

/// Lets something be done so and so often, and whoever comes too early wait: a handle, whose copies share the limit.
///
/// Permits come at `rate / per`, and `burst` of them at once after a pause. A timer that fires late is made up for by one permit,
/// so two may come closer together than an interval; what a longer stall costs is not made up for. For intervals that are
/// shorter than timers are exact, some 0.1 ms, allow a burst.
///
/// Shape:          for coroutines of any graphs, and without one; in `NodeOptions::rate_limit` for each attempt.
/// Errors:         GraphError unless the rate is a finite number above 0, `per` is above 0 and `burst` at least 1 and no more
///                 than 73 years bring. A cancelled `acquire` throws asio::system_error(operation_aborted) and costs no permit.
/// Resumes:        on the executor of the coroutine that waits, by a post, or at once if there is nothing to wait for.
/// Thread-safety:  safe; the coroutines may run on any executors. The first of those who wait keeps the time for all,
///                 so its context must run.
/// Source:         the generic cell rate algorithm, ITU-T I.371; no ticker runs.
///
///     const agdf::RateLimiter limiter = agdf::RateLimit{.rate = 50};
///     co_await limiter.acquire();
class RateLimiter {
public:
    /// Makes one without a limit: `acquire` never waits.
    RateLimiter();
    RateLimiter(const RateLimiter&);
    RateLimiter(RateLimiter&&) noexcept;
    RateLimiter& operator=(const RateLimiter&);
    RateLimiter& operator=(RateLimiter&&) noexcept;
    ~RateLimiter();

    /// Makes one whose burst is all unused.
    template <class Word = detail::Unit>
    RateLimiter(const RateLimit& limit)  // NOLINT: implicit, so that a RateLimit can stand in NodeOptions
        : state_(detail::make_rate_limiter<Word>(limit))
    {
    }

    /// Waits for the next permit and takes it; those who wait are served in the order in which they came, and nobody who
    /// comes later overtakes them.
    [[nodiscard]] asio::awaitable<void> acquire() const { return state_ ? state_->acquire(state_) : detail::no_wait<void>(); }

    /// Gives nobody a permit for this time from now on; a longer pause that is under way stays as it is. Without effect
    /// if there is no limit.
    void penalize(std::chrono::steady_clock::duration duration) const
    {
        if (state_)
            state_->pause(duration);
    }

    /// Changes the limit from now on, also for those who wait already. Permits that were used ahead stay used.
    ///
    /// Errors: throws GraphError for what the constructor refuses, and if this is empty.
    template <class = void>
    void set(const RateLimit& limit) const
    {
        detail::set_rate_limit(state_.get(), limit);
    }

    /// Returns the limit; its rate is infinite if there is none.
    [[nodiscard]] RateLimit limit() const
    {
        return state_ ? state_->limit() : RateLimit{.rate = std::numeric_limits<double>::infinity()};
    }

    /// Returns whether there is a limit.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    std::shared_ptr<detail::RateLimiterState> state_;
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/rate_limiter.ipp>
#endif
