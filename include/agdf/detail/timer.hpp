#pragma once

// Floor 2: the library's timer, and the clock by which it waits; sleeps by the real clock are in sleep_queue.hpp.
//
// The clock is std::chrono::steady_clock, unless a test has installed a virtual one on the execution context: then
// the waits are kept by that one, and Asio hears of them only when it says that their time has come.

#include <agdf/detail/asio.hpp>

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace agdf::detail {

/// A wait that a virtual clock keeps. Destroyed without `complete`, it takes its handler with it.
class VirtualWait {
public:
    VirtualWait() = default;
    VirtualWait(const VirtualWait&) = delete;
    VirtualWait& operator=(const VirtualWait&) = delete;
    virtual ~VirtualWait() = default;

    /// Posts the handler; called at most once.
    virtual void complete(asio::error_code error) = 0;
};

/// Where a wait stands among the others: by time, then in the order in which they began.
struct WaitKey {
    std::chrono::steady_clock::time_point deadline{};
    std::uint64_t sequence = 0;

    friend auto operator<=>(const WaitKey&, const WaitKey&) = default;
};

/// What a Timer needs of a clock that is not the real one.
///
/// Thread-safety: safe.
class VirtualClock {
public:
    VirtualClock() = default;
    VirtualClock(const VirtualClock&) = delete;
    VirtualClock& operator=(const VirtualClock&) = delete;
    virtual ~VirtualClock() = default;

    [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const = 0;
    [[nodiscard]] virtual WaitKey next_key(std::chrono::steady_clock::time_point deadline) = 0;
    virtual void add(WaitKey key, std::unique_ptr<VirtualWait> wait) = 0;
    virtual void cancel(WaitKey key) = 0;
    virtual void note_sleep(std::chrono::steady_clock::duration duration) = 0;
    virtual void hold() noexcept = 0;
    virtual void release() noexcept = 0;
};

class SleepQueue;

/// Says by which clock an execution context waits, and keeps its sleeps.
///
/// Thread-safety: safe.
class AGDF_ONE_IN_PROGRAM TimeService : public asio::execution_context::service {
public:
    using key_type = TimeService;
    inline static asio::execution_context::id id;

    explicit TimeService(asio::execution_context& context);
    AGDF_DECL ~TimeService() override;

    [[nodiscard]] bool is_virtual() const noexcept { return is_virtual_.load(std::memory_order_acquire); }

    /// Those by the real clock.
    [[nodiscard]] SleepQueue& sleeps() noexcept { return *sleeps_; }

    /// The virtual clock; null while time is real.
    [[nodiscard]] std::shared_ptr<VirtualClock> clock() const;

    [[nodiscard]] std::chrono::steady_clock::time_point now() const;

    /// Makes time virtual; false if it is already.
    [[nodiscard]] bool install(std::shared_ptr<VirtualClock> clock);

    void uninstall() noexcept;

private:
    AGDF_DECL void shutdown() noexcept override;

    std::atomic<bool> is_virtual_{false};
    mutable std::mutex mutex_;
    std::shared_ptr<VirtualClock> clock_;
    const std::unique_ptr<SleepQueue> sleeps_;
};

[[nodiscard]] inline TimeService& time_service_of(const asio::any_io_executor& executor)
{
    return asio::use_service<TimeService>(asio::query(executor, asio::execution::context));
}

/// The time by which timers on this executor wait.
[[nodiscard]] inline std::chrono::steady_clock::time_point now_of(const asio::any_io_executor& executor)
{
    return time_service_of(executor).now();
}

[[nodiscard]] inline std::chrono::steady_clock::time_point now_of(asio::execution_context& context)
{
    return asio::use_service<TimeService>(context).now();
}

/// A point in time that is `delay` after another, or the end of time if that cannot be told.
[[nodiscard]] inline std::chrono::steady_clock::time_point later(std::chrono::steady_clock::time_point now,
                                                                 std::chrono::steady_clock::duration delay) noexcept
{
    using Time = std::chrono::steady_clock::time_point;
    return delay < Time::max() - now ? now + delay : Time::max();
}

/// Keeps a virtual clock from moving on by itself while something real is under way; without effect on real time.
///
/// Thread-safety: may be released on any thread, also when the context has gone.
class ClockHold {
public:
    ClockHold() = default;
    explicit ClockHold(const asio::any_io_executor& executor);
    explicit ClockHold(std::shared_ptr<VirtualClock> clock);
    ClockHold(ClockHold&&) noexcept = default;
    ClockHold& operator=(ClockHold&& other) noexcept
    {
        if (this != &other) {
            release();
            clock_ = std::move(other.clock_);
        }
        return *this;
    }
    ~ClockHold();

    void release() noexcept;

private:
    std::shared_ptr<VirtualClock> clock_;
};

/// The handler of a virtual wait, with the work that keeps its context running meanwhile.
template <class Handler>
class HandlerWait final : public VirtualWait {
public:
    HandlerWait(Handler handler, const asio::any_io_executor& timer_executor)
        : timer_work_(timer_executor),
          work_(asio::get_associated_executor(handler, timer_executor)),
          handler_(std::move(handler))
    {
    }

    void complete(asio::error_code error) override
    {
        asio::post(work_.get_executor(), [handler = std::move(handler_), error]() mutable { std::move(handler)(error); });
    }

private:
    asio::executor_work_guard<asio::any_io_executor> timer_work_;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
    Handler handler_;
};

/// The handler of a wait that calls a function unless the wait is cancelled. It is one type for all of them, since each
/// costs every program's build.
struct CallWhenOver {
    using executor_type = asio::any_io_executor;

    executor_type executor;
    std::function<void()> function;

    [[nodiscard]] executor_type get_executor() const noexcept { return executor; }
    void operator()(const asio::error_code& error) const
    {
        if (!error)
            function();
    }
};

/// A timer as asio::steady_timer, for one wait at a time.
///
/// Resumes: on the handler's executor, by a post.
class Timer {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    explicit Timer(const asio::any_io_executor& executor);
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer();

    [[nodiscard]] asio::any_io_executor get_executor() { return timer_.get_executor(); }
    [[nodiscard]] time_point now() const;

    /// Sets the time for the next wait, and cancels one that is under way.
    void expires_at(time_point deadline);

    void expires_after(duration timeout);

    /// The same for a sleep, which a virtual clock takes down.
    void sleeps_for(duration time);

    /// Waits until the time that was set; void(asio::error_code), with operation_aborted if cancelled.
    template <class Token>
    auto async_wait(Token&& token)
    {
        return asio::async_initiate<Token, void(asio::error_code)>(Initiate{this}, token);
    }

    /// The same for a plain function, which is called unless the wait is cancelled, and on the timer's executor unless
    /// another is given.
    void call_when_over(std::function<void()> function);
    void call_when_over(const asio::any_io_executor& executor, std::function<void()> function);

    /// Ends the wait that is under way with operation_aborted.
    void cancel();

private:
    struct Cancel {
        std::shared_ptr<VirtualClock> clock;
        WaitKey key;

        void operator()(asio::cancellation_type type) const
        {
            if (type != asio::cancellation_type::none)
                clock->cancel(key);
        }
    };

    struct Initiate {
        Timer* timer;

        template <class Handler>
        void operator()(Handler&& handler) const
        {
            timer->start(std::forward<Handler>(handler));
        }
    };

    template <class Handler>
    void start(Handler&& handler)
    {
        clock_ = service_->clock();
        if (!clock_) {
            timer_.async_wait(std::forward<Handler>(handler));
            return;
        }
        const auto clock = clock_;
        const WaitKey key = key_ = clock->next_key(timer_.expiry());
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.template emplace<Cancel>(Cancel{clock, key});
        auto wait = std::make_unique<HandlerWait<std::decay_t<Handler>>>(std::forward<Handler>(handler), timer_.get_executor());
        clock->add(key, std::move(wait));  // from here on the handler may run on another thread, and end this timer
    }

    void cancel_virtual();

    asio::steady_timer timer_;
    TimeService* service_;
    std::shared_ptr<VirtualClock> clock_;  // of the wait that is under way
    WaitKey key_;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/timer.ipp>
#endif
