#pragma once

// Floor 2: how often something may be done.

#include <agdf/detail/channel_operation.hpp>
#include <agdf/detail/fmt.hpp>
#include <agdf/detail/timer.hpp>
#include <agdf/error.hpp>
#include <agdf/rate_limiter.hpp>
#include <agdf/semaphore.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace agdf {

AGDF_DECL RateLimiter::RateLimiter() = default;
AGDF_DECL RateLimiter::RateLimiter(const RateLimiter&) = default;
AGDF_DECL RateLimiter::RateLimiter(RateLimiter&&) noexcept = default;
AGDF_DECL RateLimiter& RateLimiter::operator=(const RateLimiter&) = default;
AGDF_DECL RateLimiter& RateLimiter::operator=(RateLimiter&&) noexcept = default;
AGDF_DECL RateLimiter::~RateLimiter() = default;

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

    [[nodiscard]] Ticks rounded_up() const noexcept { return part > 0 ? later(whole, Ticks(1)) : whole; }

    [[nodiscard]] double ticks() const noexcept { return static_cast<double>(whole.count()) + part; }

    /// A sum that ends with the clock: virtual time may have come near that.
    [[nodiscard]] static Ticks later(Ticks time, Ticks by) noexcept
    {
        return by > Ticks::zero() && time > Ticks::max() - by ? Ticks::max() : time + by;
    }

    friend FineTime operator+(FineTime a, FineTime b) noexcept
    {
        const double sum = a.part + b.part;
        return sum < 1 ? FineTime{later(a.whole, b.whole), sum} : FineTime{later(later(a.whole, b.whole), Ticks(1)), sum - 1};
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
        paused_until_ = std::max(paused_until_, FineTime::later(now, std::max(cut, Ticks::zero())));
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
        next_.whole = FineTime::later(next_.whole, by);
        paused_until_ = FineTime::later(paused_until_, by);
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

template <class Word>
class LimitedRate final : public RateLimiterState {
public:
    using Ticks = FineTime::Ticks;

    explicit LimitedRate(const RateLimit& limit)
        : turn_(1), change_(1, Refill::first_place, Sharing::many_strands), gcra_(limit)
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

template <class Limit>
const Limit& checked(const Limit& limit)
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
    if (Gcra::ticks_of(limit) * static_cast<double>(limit.burst) > FineTime::most)
        fail(fmt::format(".burst is {}, which at {} permits in {} s takes longer than 73 years to come. Expected: less. Lower "
                         ".burst or raise .rate.",
                         limit.burst, limit.rate, std::chrono::duration<double>(limit.per).count()));
    return limit;
}

template <class Word>
std::shared_ptr<RateLimiterState> make_rate_limiter(const RateLimit& limit)
{
    return std::make_shared<LimitedRate<Word>>(checked(limit));
}

template <class Limit>
void set_rate_limit(RateLimiterState* state, const Limit& limit)
{
    if (!state)
        throw GraphError("agdf::RateLimiter::set: this one is empty, so no copy would hear of it. Expected: a limiter made "
                         "from a RateLimit. Assign one instead.");
    state->set(checked(limit));
}

template <class Result>
asio::awaitable<Result> no_wait()
{
    co_return;
}

}  // namespace detail

}  // namespace agdf
