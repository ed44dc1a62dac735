#pragma once

// Floor 2: how often something may be done.

#include <agdf/concepts.hpp>
#include <agdf/detail/channel_operation.hpp>
#include <agdf/detail/timer.hpp>
#include <agdf/error.hpp>
#include <agdf/semaphore.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

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

/// A time in clock ticks and a part of one, so that no rate drifts.
struct FineTime {
    using Ticks = std::chrono::steady_clock::duration;

    Ticks whole{};
    double part = 0;  // in [0, 1)

    /// Numbers beyond 2^61 ticks, which are 73 years, are cut there: so sums of some of them and of the time fit.
    static constexpr double most = 0x1p61;

    [[nodiscard]] static FineTime of(double ticks) noexcept
    {
        const double cut = std::min(ticks, most);
        const double whole = std::floor(cut);
        return {Ticks(static_cast<Ticks::rep>(whole)), cut - whole};
    }

    [[nodiscard]] Ticks rounded_up() const noexcept { return part > 0 ? whole + Ticks(1) : whole; }

    [[nodiscard]] double ticks() const noexcept { return static_cast<double>(whole.count()) + part; }

    friend FineTime operator+(FineTime a, FineTime b) noexcept
    {
        const double sum = a.part + b.part;
        return sum < 1 ? FineTime{a.whole + b.whole, sum} : FineTime{a.whole + b.whole + Ticks(1), sum - 1};
    }

    friend FineTime operator-(FineTime a, FineTime b) noexcept
    {
        const double rest = a.part - b.part;
        return rest < 0 ? FineTime{a.whole - b.whole - Ticks(1), rest + 1} : FineTime{a.whole - b.whole, rest};
    }
};

/// The generic cell rate algorithm: a permit comes each interval, and one may be used early by `burst - 1` intervals.
class Gcra {
public:
    using Ticks = FineTime::Ticks;

    explicit Gcra(const RateLimit& limit) : limit_(limit), interval_(interval_of(limit)), early_(early_of(limit)) {}

    [[nodiscard]] const RateLimit& limit() const noexcept { return limit_; }

    /// Takes a permit, or says how long to wait before trying again; zero if it is taken.
    ///
    /// A timer fires late. The permit of one who waits since `arrival` counts as taken at the time when it could have
    /// been, by one interval before now at most: so the rate is kept, and a long stall is not made up for by a flood.
    [[nodiscard]] Ticks take(Ticks now, Ticks arrival) noexcept
    {
        const Ticks due = std::max((next_ - early_).rounded_up(), paused_until_);
        if (due > now)
            return due - now;
        const Ticks taken = std::min(now, std::max({arrival, paused_until_, now - interval_.whole}));
        if (next_.whole < taken)
            next_ = {taken, 0};
        next_ = next_ + interval_;
        return Ticks::zero();
    }

    void pause(Ticks now, Ticks duration) noexcept
    {
        const Ticks cut = std::min(duration, Ticks(static_cast<Ticks::rep>(FineTime::most)));
        paused_until_ = std::max(paused_until_, now + std::max(cut, Ticks::zero()));
    }

    /// Goes on with another limit: who has used so many permits ahead has still used so many.
    void set(Ticks now, const RateLimit& limit) noexcept
    {
        const double ahead = (next_ - FineTime{now, 0}).ticks();
        if (ahead > 0)
            next_ = FineTime{now, 0} + FineTime::of(ahead / ticks_of(limit_) * ticks_of(limit));
        limit_ = limit;
        interval_ = interval_of(limit);
        early_ = early_of(limit);
    }

    /// Goes on with another clock.
    void shift(Ticks by) noexcept
    {
        next_.whole += by;
        paused_until_ += by;
    }

    /// The time from one permit to the next.
    [[nodiscard]] static double ticks_of(const RateLimit& limit) noexcept
    {
        return static_cast<double>(limit.per.count()) / limit.rate;
    }

private:
    [[nodiscard]] static FineTime interval_of(const RateLimit& limit) noexcept { return FineTime::of(ticks_of(limit)); }
    [[nodiscard]] static FineTime early_of(const RateLimit& limit) noexcept
    {
        return FineTime::of(ticks_of(limit) * static_cast<double>(limit.burst - 1));
    }

    RateLimit limit_;
    FineTime interval_;
    FineTime early_;
    FineTime next_{};  // when the next permit comes for one who uses none early
    Ticks paused_until_{};
};

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

template <class Word>
class LimitedRate final : public RateLimiterState {
public:
    using Ticks = FineTime::Ticks;

    explicit LimitedRate(const RateLimit& limit)
        : turn_(1), change_(1, Refill::first_place, Sharing::many_threads), gcra_(limit)
    {
    }

    [[nodiscard]] asio::awaitable<void> acquire([[maybe_unused]] std::shared_ptr<RateLimiterState> self) override
    {
        const auto executor = co_await asio::this_coro::executor;
        const TimeService& time = time_service_of(executor);
        const auto arrival = time.now();
        const Permit turn = co_await turn_.acquire();
        for (;;) {
            const auto wait = take(time, arrival);
            if (wait == wait.zero())
                co_return;
            Change change{change_};
            const Deadline<Change> deadline{executor, wait, change};
            co_await change.suspend();
            change.throw_if_failed();
            if (change.is_cancelled())
                throw asio::system_error(asio::error::operation_aborted, "agdf::RateLimiter::acquire");
        }
    }

    void pause(Ticks duration) override
    {
        const std::lock_guard lock{mutex_};
        gcra_.pause(now_by(clock_), duration);
    }

    void set(const RateLimit& limit) override
    {
        {
            const std::lock_guard lock{mutex_};
            gcra_.set(now_by(clock_), limit);
        }
        Word word;
        (void)change_.try_put(word);  // one word is enough, and one that comes too late does no harm
    }

    [[nodiscard]] RateLimit limit() const override
    {
        const std::lock_guard lock{mutex_};
        return gcra_.limit();
    }

private:
    using Change = ReceiveOperation<Word>;

    [[nodiscard]] Ticks take(const TimeService& time, std::chrono::steady_clock::time_point arrival)
    {
        auto clock = time.clock();
        const std::lock_guard lock{mutex_};
        adopt(std::move(clock));
        return gcra_.take(now_by(clock_), arrival.time_since_epoch());
    }

    [[nodiscard]] static Ticks now_by(const std::shared_ptr<VirtualClock>& clock)
    {
        return (clock ? clock->now() : std::chrono::steady_clock::now()).time_since_epoch();
    }

    /// All times here are by the clock of the last one who asked.
    void adopt(std::shared_ptr<VirtualClock> clock)
    {
        if (clock == clock_)
            return;
        gcra_.shift(now_by(clock) - now_by(clock_));
        clock_ = std::move(clock);
    }

    const Semaphore turn_;      // who has it waits for the next permit, the others for their turn
    ChannelCore<Word> change_;  // tells the one who waits to look again
    mutable std::mutex mutex_;
    std::shared_ptr<VirtualClock> clock_;
    Gcra gcra_;
};

}  // namespace detail

/// Lets something be done so and so often, and whoever comes too early wait: a handle, whose copies share the limit.
///
/// In any time t there are never more than `burst + t * rate / per` permits, and when enough coroutines wait never fewer.
/// A timer that fires late is made up for by one permit at most, so for intervals that are shorter than timers are exact,
/// some 0.1 ms, allow a burst.
///
/// Shape:          for coroutines of any graphs, and without one; in `NodeOptions::rate_limit` for each attempt.
/// Errors:         GraphError unless the rate is a finite number above 0, `per` is above 0 and `burst` at least 1. A
///                 cancelled `acquire` throws asio::system_error(operation_aborted) and costs no permit.
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
    RateLimiter() = default;

    /// Makes one whose burst is all unused.
    template <class Word = detail::Unit>
    RateLimiter(const RateLimit& limit)  // NOLINT: implicit, so that a RateLimit can stand in NodeOptions
        : state_(std::make_shared<detail::LimitedRate<Word>>(checked(limit)))
    {
    }

    /// Waits for the next permit and takes it; those who wait are served in the order in which they came, and nobody who
    /// comes later overtakes them.
    [[nodiscard]] asio::awaitable<void> acquire() const { return state_ ? state_->acquire(state_) : no_wait(); }

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
        if (!state_)
            throw GraphError("agdf::RateLimiter::set: this one is empty, so no copy would hear of it. Expected: a limiter made "
                             "from a RateLimit. Assign one instead.");
        state_->set(checked(limit));
    }

    /// Returns the limit; its rate is infinite if there is none.
    [[nodiscard]] RateLimit limit() const
    {
        return state_ ? state_->limit() : RateLimit{.rate = std::numeric_limits<double>::infinity()};
    }

    /// Returns whether there is a limit.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    template <class = void>
    static const RateLimit& checked(const RateLimit& limit)
    {
        const auto fail = [](const std::string& what) { throw GraphError("agdf::RateLimit: " + what); };
        if (!std::isfinite(limit.rate) || limit.rate <= 0)
            fail(fmt::format(".rate is {}. Expected: a finite number above 0. Set it to the permits in the time .per, or take "
                             "agdf::RateLimiter{{}} for no limit.",
                             limit.rate));
        if (limit.per <= limit.per.zero())
            fail(fmt::format(".per is {} s. Expected: more than 0. Set it to the time in which there are .rate permits.",
                             std::chrono::duration<double>(limit.per).count()));
        if (limit.burst == 0)
            fail(".burst is 0. Expected: 1 or more, since nobody could go at all. Set it to the permits that may be used at once.");
        if (detail::Gcra::ticks_of(limit) * static_cast<double>(limit.burst) > detail::FineTime::most)
            fail(fmt::format(".burst is {}, which at {} permits in {} s takes longer than 73 years to come. Expected: less. Lower "
                             ".burst or raise .rate.",
                             limit.burst, limit.rate, std::chrono::duration<double>(limit.per).count()));
        return limit;
    }

    // GCC makes code of each coroutine that is no template, used or not.
    template <class = void>
    static asio::awaitable<void> no_wait()
    {
        co_return;
    }

    std::shared_ptr<detail::RateLimiterState> state_;
};

}  // namespace agdf
