#pragma once

// Floor 2: the input of a body that sees its whole stream.

#include <agdf/concepts.hpp>
#include <agdf/detail/channel_operation.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

namespace detail {

/// What stands behind a Receiver: the queue of a node, as one of its workers sees it.
template <class M>
class Inlet {
public:
    /// Takes a message that needs no wait.
    [[nodiscard]] virtual Got try_get(Getting<M>& receiver) = 0;
    /// The channel to wait in.
    [[nodiscard]] virtual ChannelCore<M>& channel() noexcept = 0;
    /// Called before the body waits, and after it got an item or the end.
    virtual void on_wait() noexcept = 0;
    virtual void on_resume(Got got) noexcept = 0;
    [[nodiscard]] virtual bool is_draining() const noexcept = 0;
    [[nodiscard]] virtual bool is_cut_short() const noexcept = 0;
    virtual void count_undelivered(std::size_t count) noexcept = 0;
    [[nodiscard]] virtual bool must_pause() const noexcept = 0;
    [[nodiscard]] virtual asio::awaitable<void> pause() = 0;
    virtual void fail(const std::exception_ptr& error) = 0;
    /// The worker's own inlet, for one that stands before it.
    [[nodiscard]] virtual Inlet& root() noexcept { return *this; }

    /// Ends a wait that has a deadline; called on the worker's strand when a drain begins.
    void end_timed_wait() noexcept
    {
        if (timed_)
            timed_->time_out();
    }

    [[nodiscard]] const Lane& lane() const noexcept { return lane_; }
    [[nodiscard]] std::chrono::steady_clock::time_point now() const { return time_.now(); }

    bool has_received = false;
    bool has_ended = false;
    bool knows_of_drain = false;  ///< the body was given its one empty answer since the last item

protected:
    explicit Inlet(const Lane& lane) : lane_(lane), time_(time_service_of(lane.executor())) {}
    Inlet(const Inlet&) = delete;
    Inlet& operator=(const Inlet&) = delete;
    virtual ~Inlet() = default;

private:
    template <class>
    friend class TimedWait;
    const Lane& lane_;
    const TimeService& time_;
    ReceiveOperation<M>* timed_ = nullptr;
};

/// Lets the beginning of a drain reach a receive for as long as it lives.
template <class M>
class TimedWait {
public:
    TimedWait(Inlet<M>& inlet, ReceiveOperation<M>& operation) noexcept : inlet_(inlet.root()) { inlet_.timed_ = &operation; }
    TimedWait(const TimedWait&) = delete;
    TimedWait& operator=(const TimedWait&) = delete;
    ~TimedWait() { inlet_.timed_ = nullptr; }

private:
    Inlet<M>& inlet_;
};

}  // namespace detail

/// The items that come to one worker of a node, for a body that keeps state between items and wants to see the end.
///
/// Shape:          the parameter of `Stream<O>(Receiver<I>)` and `asio::awaitable<void>(Receiver<I>)`. With several
///                 workers each has a Receiver of its own, and they compete for the node's one queue. After an error that does
///                 not halt the run the body is called again, for the items that are left, unless one of its inputs has ended.
///                 What it has been given counts as dealt with, unless it says `fail` or `give_up`.
/// Resumes:        on the graph's strand.
/// Thread-safety:  belongs to its body, and is valid until the body ends.
///
///     agdf::Stream<Total> sum(agdf::Receiver<Sale> sales) {
///         Total total;
///         while (auto sale = co_await sales.next())
///             total += *sale;
///         co_yield total;  // after the last one
///     }
template <class I>
class Receiver {
public:
    using value_type = I;

    explicit Receiver(detail::Inlet<detail::Envelope<I>>& inlet) noexcept : inlet_(&inlet) {}

    /// Returns the next item, or empty at the end of the stream, again and again from then on.
    ///
    /// Errors: throws asio::system_error(operation_aborted) when the run is halted or cancelled.
    [[nodiscard]] asio::awaitable<std::optional<I>> next()
    {
        if (!inlet_->lane().is_here())
            co_await detail::Lane::come_home();
        Receive operation{inlet_->channel()};
        const detail::Got got = inlet_->try_get(operation);
        if (got == detail::Got::waiting) {
            inlet_->on_wait();
            co_await operation.suspend();
        }
        while (operation.message && inlet_->must_pause())
            co_await inlet_->pause();
        co_return finish(operation, "agdf::Receiver::next");
    }

    /// Returns the next item, or empty when the time is over, at the end (`has_ended`), or when the run is to be stopped.
    ///
    /// An item that is queued is returned even if the time is over, so a deadline in the past only asks; the others on the
    /// strand get a turn before the answer is empty. When the run is stopped, what is queued comes first; then one answer
    /// is empty at once, also if the call waits already, so that the body can send on what it keeps. From then on a deadline
    /// that is still to come is ignored: the next call waits for an item or for the end; and each time the queue has run dry
    /// again, one call is empty at once. With `time_point::max()` there is no time-out, but the stop still ends the wait.
    ///
    /// Errors: as `next`; no item is lost or doubled when the time is over while one arrives.
    ///
    ///     auto item = co_await items.next_until(deadline);
    ///     if (!item && items.has_ended())
    ///         co_return;
    [[nodiscard]] asio::awaitable<std::optional<I>> next_until(std::chrono::steady_clock::time_point deadline)
    {
        if (!inlet_->lane().is_here())
            co_await detail::Lane::come_home();
        Receive operation{inlet_->channel()};
        const detail::Got got = inlet_->try_get(operation);
        if (got == detail::Got::waiting) {
            const auto now_is = now();
            const bool is_over = deadline <= now_is;  // then others get their turn all the same, lest they never do
            const bool draining = inlet_->is_draining();
            if (draining && !is_over && !std::exchange(inlet_->knows_of_drain, true))
                co_return std::nullopt;
            std::optional<detail::TimedWait<Message>> wait;
            std::optional<detail::Deadline<Receive>> timer;
            if (!draining)
                wait.emplace(*inlet_, operation);
            if (is_over || (!draining && deadline != std::chrono::steady_clock::time_point::max())) {
                const auto time = is_over ? std::chrono::steady_clock::duration::zero() : deadline - now_is;
                timer.emplace(inlet_->lane().executor(), time, operation);
            }
            inlet_->on_wait();
            co_await operation.suspend();
        }
        while (operation.message && inlet_->must_pause())
            co_await inlet_->pause();
        co_return finish(operation, "agdf::Receiver::next_until");
    }

    /// The same with a time from now on.
    [[nodiscard]] asio::awaitable<std::optional<I>> next_for(std::chrono::steady_clock::duration time)
    {
        return next_until(detail::later(now(), time));
    }

    /// Returns whether the end has been seen, that is, whether a call was answered with it.
    [[nodiscard]] bool has_ended() const noexcept { return inlet_->has_ended; }

    /// Returns whether the run is to end early: no new items come into being, what is under way is carried to the end.
    [[nodiscard]] bool is_draining() const noexcept { return inlet_->is_draining(); }

    /// Returns the time on the clock that `next_until` goes by.
    [[nodiscard]] std::chrono::steady_clock::time_point now() const { return inlet_->now(); }

    /// Says that `count` items which the body has received will not be worked on; the node counts them as undelivered.
    void give_up(std::size_t count = 1) noexcept { inlet_->count_undelivered(count); }

    /// For the library's other parts: where the items come from.
    [[nodiscard]] detail::Inlet<detail::Envelope<I>>& inlet() const noexcept { return *inlet_; }

    /// Says that one item which the body has received has failed. It is recorded, and skips the item or halts the run, as
    /// if the body had thrown; but the body goes on, with all that it keeps.
    ///
    ///     try {
    ///         total += parse(*item);
    ///     } catch (...) {
    ///         items.fail(std::current_exception());
    ///     }
    ///
    /// Errors: a null `error` stands for a std::invalid_argument that says so.
    void fail(const std::exception_ptr& error)
    {
        inlet_->fail(error ? error
                           : std::make_exception_ptr(std::invalid_argument("agdf::Receiver::fail: the error is null. Expected: an exception. "
                                                                           "Call it with std::current_exception() where one is caught.")));
    }

private:
    using Message = detail::Envelope<I>;
    using Receive = detail::ReceiveOperation<Message>;

    std::optional<I> finish(Receive& operation, const char* where)
    {
        // A producer that was cut short ends its stream too early: nobody may take that for the end.
        operation.throw_if_failed();
        if (operation.is_cancelled() || (!operation.message && inlet_->is_cut_short()))
            throw asio::system_error(asio::error::operation_aborted, where);
        if (operation.message)
            inlet_->on_resume(detail::Got::item);
        else
            inlet_->on_resume(operation.has_timed_out() ? detail::Got::waiting : detail::Got::ended);
        inlet_->knows_of_drain = !operation.message && inlet_->is_draining();
        if (!operation.message)
            return std::nullopt;
        return std::move(operation.message->value);
    }

    detail::Inlet<Message>* inlet_;
};

}  // namespace agdf

AGDF_COROUTINES_END
