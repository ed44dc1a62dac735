#pragma once

// Testing: time that passes when there is nothing else to do.

#include <agdf/detail/shutdown.hpp>
#include <agdf/detail/timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

namespace agdf {

namespace detail {

/// A clock that moves on to the next wait's time whenever its io_context has nothing ready to run.
///
/// Whether that is so it finds out with a check that it keeps in the context's own queue while waits are pending. Each
/// check runs one ready handler, nested, and goes to the end of the queue again; only one that found none moves the
/// clock. So whoever runs the context, and however, runs the clock as well, and stays in control: `run_one` still
/// returns after a handler, and an exception leaves it as ever.
///
/// Thread-safety: safe. Nothing is called with the lock held but posts.
class IdleClock final : public VirtualClock, private ShutdownHook, public std::enable_shared_from_this<IdleClock> {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    static constexpr std::size_t max_sleeps = 10'000;

    /// @param io  The context to look after; null for a clock that only its user moves.
    explicit IdleClock(asio::io_context* io) : io_(io) {}

    /// Becomes the clock of a context; false if that has one already.
    [[nodiscard]] bool begin(asio::execution_context& context)
    {
        auto& service = asio::use_service<TimeService>(context);
        if (!service.install(shared_from_this()))
            return false;
        service_ = &service;
        hooks_ = &asio::use_service<ShutdownService>(context);
        hooks_->add(*this);
        return true;
    }

    /// Gives the context its real time back. Waits that are left end as if they were cancelled.
    void end()
    {
        Waits left;
        {
            const std::lock_guard lock{mutex_};
            if (ended_)
                return;  // the context went first
            ended_ = true;
            io_ = nullptr;
            left.swap(waits_);
        }
        hooks_->remove(*this);
        service_->uninstall();
        for (const auto& [key, wait] : left)
            wait->complete(asio::error::operation_aborted);
    }

    [[nodiscard]] time_point start() const noexcept { return start_; }

    [[nodiscard]] time_point now() const override
    {
        const std::lock_guard lock{mutex_};
        return now_;
    }

    [[nodiscard]] WaitKey next_key(time_point deadline) override
    {
        const std::lock_guard lock{mutex_};
        return {deadline, next_sequence_++};
    }

    void add(WaitKey key, std::unique_ptr<VirtualWait> wait) override
    {
        asio::error_code error;
        {
            const std::lock_guard lock{mutex_};
            if (!ended_ && key.deadline > now_) {
                waits_.emplace(key, std::move(wait));
                post_check();
                return;
            }
            if (ended_)
                error = asio::error::operation_aborted;
        }
        wait->complete(error);
    }

    void cancel(WaitKey key) override
    {
        std::unique_ptr<VirtualWait> wait;
        {
            const std::lock_guard lock{mutex_};
            const auto found = waits_.find(key);
            if (found == waits_.end())
                return;
            wait = std::move(found->second);
            waits_.erase(found);
        }
        wait->complete(asio::error::operation_aborted);
    }

    void note_sleep(duration time) override
    {
        const std::lock_guard lock{mutex_};
        if (sleeps_.size() == max_sleeps)
            sleeps_.pop_front();
        sleeps_.push_back(time);
    }

    [[nodiscard]] std::vector<duration> sleeps() const
    {
        const std::lock_guard lock{mutex_};
        return {sleeps_.begin(), sleeps_.end()};
    }

    void hold() noexcept override
    {
        const std::lock_guard lock{mutex_};
        ++holds_;
    }

    void release() noexcept override
    {
        const std::lock_guard lock{mutex_};
        if (--holds_ == 0)
            post_check();
    }

    void advance(duration time)
    {
        std::vector<std::unique_ptr<VirtualWait>> due;
        {
            const std::lock_guard lock{mutex_};
            now_ = time > time_point::max() - now_ ? time_point::max() : now_ + time;
            due = take_due();
        }
        complete(due);
    }

    /// Moves on to the next wait's time; false if there is none, or the clock may not.
    bool move_on()
    {
        std::vector<std::unique_ptr<VirtualWait>> due;
        {
            const std::lock_guard lock{mutex_};
            if (!can_move())
                return false;  // nor may it by itself, or another thread was first
            now_ = std::max(now_, waits_.begin()->first.deadline);
            due = take_due();
        }
        complete(due);
        return true;
    }

private:
    using Waits = std::map<WaitKey, std::unique_ptr<VirtualWait>>;

    /// Posts the next check in any case, also when a user's handler throws.
    struct Again {
        IdleClock& clock;
        ~Again()
        {
            const std::lock_guard lock{clock.mutex_};
            clock.post_check();
        }
    };

    /// A wait until the end of all time is for its cancellation; the clock never goes there by itself.
    [[nodiscard]] bool can_move() const noexcept
    {
        return holds_ == 0 && !waits_.empty() && waits_.begin()->first.deadline != time_point::max();
    }

    void post_check()
    {
        if (!io_ || check_posted_ || !can_move())
            return;
        asio::post(*io_, [self = shared_from_this()] { self->check(); });
        check_posted_ = true;
    }

    void check()
    {
        asio::io_context* io = nullptr;
        {
            const std::lock_guard lock{mutex_};
            check_posted_ = false;
            if (!io_ || !can_move())
                return;
            io = io_;
        }
        const Again again{*this};
        if (io->poll_one() == 0 && !io->stopped())
            move_on();
    }

    [[nodiscard]] std::vector<std::unique_ptr<VirtualWait>> take_due()
    {
        std::vector<std::unique_ptr<VirtualWait>> due;
        while (!waits_.empty() && waits_.begin()->first.deadline <= now_) {
            due.push_back(std::move(waits_.begin()->second));
            waits_.erase(waits_.begin());
        }
        return due;
    }

    static void complete(const std::vector<std::unique_ptr<VirtualWait>>& due)
    {
        for (const auto& wait : due)
            wait->complete({});
    }

    /// Destroys the coroutines that wait, since Asio does not know of them.
    void context_is_going() noexcept override
    {
        Waits left;
        {
            const std::lock_guard lock{mutex_};
            ended_ = true;
            io_ = nullptr;
            left.swap(waits_);
        }
    }

    mutable std::mutex mutex_;
    asio::io_context* io_;
    TimeService* service_ = nullptr;
    ShutdownService* hooks_ = nullptr;
    const time_point start_ = std::chrono::steady_clock::now();
    time_point now_ = start_;
    Waits waits_;
    std::uint64_t next_sequence_ = 0;
    std::size_t holds_ = 0;
    std::deque<duration> sleeps_;
    bool check_posted_ = false;
    bool ended_ = false;
};

}  // namespace detail

namespace testing {

/// Makes the time of an execution context virtual, for as long as it lives: whatever the library waits for there
/// (`sleep_for`, the time-outs of a channel, the interval of a StatsLogger) takes no time at all.
///
/// The clock stands still while anything is ready to run. When nothing is, it jumps to the time of the next wait, and
/// waits for the same time end in the order in which they began. Nothing special has to run the context: `io.run()`,
/// `Graph::run` and `run_one` all do. Waits that began before it was made stay real.
///
/// What is real keeps the clock from jumping while it lasts: a call in the blocking pool, an HTTP request, and whatever
/// a `hold()` is kept for. (So a call in the pool that itself waits for virtual time to pass waits for ever.) Of other
/// sockets, timers and threads of yours it knows nothing.
///
/// Units:          it starts at the real `std::chrono::steady_clock::now()`; `RunReport::elapsed` is virtual, too.
/// Errors:         throws std::logic_error if the context's time is virtual already. A wait that is left over when this
///                 is destroyed ends with asio::error::operation_aborted; with the context it just goes.
/// Resumes:        as with real time, by a post to the executor of whoever waits.
/// Thread-safety:  safe. With several threads on the context it may jump while one of them still computes, for it sees
///                 only what waits to run; test what depends on exact times on one thread.
/// Source:         the paused clock of Tokio, and MockClock of Trio with autojump.
///
///     asio::io_context io;
///     agdf::testing::VirtualTime time{io};
///     asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
///     io.run();  // returns at once
///     REQUIRE(time.elapsed() == 1h);
class VirtualTime {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;
    using Hold = agdf::detail::ClockHold;

    explicit VirtualTime(asio::io_context& io) : VirtualTime(io, &io) {}

    /// On any other context only `advance` and `advance_to_next` move the clock.
    explicit VirtualTime(asio::execution_context& context) : VirtualTime(context, nullptr) {}

    VirtualTime(const VirtualTime&) = delete;
    VirtualTime& operator=(const VirtualTime&) = delete;
    ~VirtualTime() { clock_->end(); }

    [[nodiscard]] time_point now() const { return clock_->now(); }

    /// Returns how much time has passed here.
    [[nodiscard]] duration elapsed() const { return now() - clock_->start(); }

    /// Moves the clock at once, as if the context had been busy for that long, and ends the waits whose time has come.
    /// It does so whatever holds the clock.
    ///
    /// Errors: throws std::invalid_argument if the duration is negative.
    void advance(duration time)
    {
        if (time < duration::zero())
            throw std::invalid_argument("agdf::testing::VirtualTime::advance: the duration is negative. Expected: zero or "
                                        "more. Pass how far time shall go on.");
        clock_->advance(time);
    }

    /// Moves the clock to the time of the next wait, and ends the waits whose time has come: for the loop of a context that
    /// is no io_context, when nothing is ready there.
    ///
    /// @return  false if nobody waits for a time to come, or while somebody holds the clock; then it stands still.
    ///
    ///     do
    ///         context.run_what_is_ready();
    ///     while (time.advance_to_next());
    bool advance_to_next() { return clock_->move_on(); }

    /// Keeps the clock from jumping until the hold is destroyed, on any thread.
    [[nodiscard]] Hold hold() const { return Hold{clock_}; }

    /// Returns how long each `sleep_for` was to take, in the order in which they began; of very many the last 10'000.
    [[nodiscard]] std::vector<duration> sleeps() const { return clock_->sleeps(); }

private:
    VirtualTime(asio::execution_context& context, asio::io_context* io) : clock_(std::make_shared<agdf::detail::IdleClock>(io))
    {
        if (!clock_->begin(context))
            throw std::logic_error("agdf::testing::VirtualTime: the context's time is virtual already. Expected: one "
                                   "VirtualTime for a context. Use the one that is there.");
    }

    const std::shared_ptr<agdf::detail::IdleClock> clock_;
};

}  // namespace testing

}  // namespace agdf
