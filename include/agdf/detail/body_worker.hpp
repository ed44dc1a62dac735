#pragma once

// Floor 4: what workers do in their coroutine whatever the types of their items: it is compiled once, and not for each node.

#include <agdf/detail/policies.hpp>
#include <agdf/stream.hpp>

#include <exception>
#include <memory>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

/// A worker that calls a body.
class BodyWorker : public WorkerBase {
public:
    using WorkerBase::WorkerBase;

    /// The run's context goes: destroys the coroutine, if it sleeps here, and the stream that it drives before it.
    void abandon_all() noexcept override
    {
        if (is_suspended() && !pending_)  // else the coroutine is in the middle of something of the stream's
            close_stream();
        abandon();
    }

    void fail(const std::exception_ptr& error) override
    {
        if (this->is_cut_short() && is_operation_aborted(error))
            return lose_item();
        this->err_.add();
        this->node_.fail(error);
    }

protected:
    [[nodiscard]] virtual bool is_streaming() const noexcept { return false; }
    /// Lets the stream go on; what it wants to have performed is in `pending_` afterwards.
    virtual void resume_stream() {}
    /// Destroys the stream, and takes its error.
    virtual void close_stream() noexcept {}
    /// Null if the body yields nothing.
    [[nodiscard]] virtual HoldingOutlet* outlet_hooks() noexcept = 0;

    /// Performs what a stream asks for, and resumes it, until it ends or is to be cut short.
    asio::awaitable<void> drive()
    {
        HoldingOutlet& outlet = *outlet_hooks();
        while (is_streaming()) {
            if (pending_) {
                co_await pending_->perform();
            } else {
                if (outlet.must_take_turn()) {
                    co_await policies_->take_turn(error_);
                } else if (must_wait()) {
                    if (policies_)
                        policies_->stand_still();
                    co_await wait(WorkerClock::blocked);
                    if (policies_)
                        co_await policies_->go_on();
                }
                if (error_ || outlet.has_error() || is_cut_short())
                    break;
            }
            while (is_source() && must_pause())
                co_await pause();
            if (is_turn_over()) {
                end_turn();
                co_await suspend();
            }
            resume_stream();
        }
    }

    std::unique_ptr<Policies> policies_;
    PendingAwait* pending_ = nullptr;
    std::exception_ptr error_;  // of the item in hand
};

/// A worker that calls its body for each item.
///
/// It is a state machine, `step`, that runs in its lane without any coroutine as long as it only waits for items and for
/// room. Its coroutine sleeps meanwhile, and is woken when there is something of Asio to await: by a body, or by a policy.
class ItemWorker : public BodyWorker {
public:
    using BodyWorker::BodyWorker;

    [[nodiscard]] asio::awaitable<void> work() final
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        begin(WorkerClock::busy);
        for (;;) {
            if (next_ == Step::none)
                next_ = go();
            const Step now = std::exchange(next_, Step::none);
            if (now == Step::end)
                break;
            if (now == Step::attend) {
                co_await attend();
            } else {
                co_await sleep_alone();
                wake_for_good();
            }
        }
        if (policies_)
            policies_->end();
        begin(WorkerClock::ended);
    }

protected:
    enum class Step : unsigned char {
        none,    ///< not known yet
        sleep,   ///< until somebody wakes the worker
        attend,  ///< the coroutine is needed
        end
    };

    /// Where the worker is with an item.
    enum class Stage : unsigned char {
        take,       ///< there is none
        taken,      ///< it has come, or the end has
        streaming,  ///< the stream has come back
        resuming,   ///< the stream may go on, unless it is to be cut short
        performed,  ///< the stream must go on, with what it awaited
        finishing,  ///< the body has ended, and its outputs may have to wait for room
        leaving     ///< the outputs have left
    };

    /// Goes on with the work until it has to sleep, or needs the coroutine.
    [[nodiscard]] virtual Step step() = 0;
    /// Calls a plain body, or starts a stream; an error is in `error_` afterwards.
    virtual void start_call() = 0;
    /// Calls an asynchronous body for the item in hand, and for the next ones as long as `goes_on`.
    [[nodiscard]] virtual asio::awaitable<void> run_bodies() { std::terminate(); }
    [[nodiscard]] virtual bool is_asynchronous() const noexcept { return false; }

    /// A body has ended: whether there is another item for it. If not yet, the worker may sleep where it is, with
    /// `sleep_alone`, and ask again.
    [[nodiscard]] Step step_after_body()
    {
        if (next_ == Step::none && !policies_)
            next_ = go();
        return next_ == Step::attend ? std::exchange(next_, Step::none) : next_;
    }
    /// Call `wake_for_good` after it.
    [[nodiscard]] asio::awaitable<void> sleep_alone()
    {
        next_ = Step::none;
        steps_alone_ = true;
        return suspend();
    }
    void wake_for_good()
    {
        steps_alone_ = false;
        if (thrown_)
            std::rethrow_exception(thrown_);
    }

    [[nodiscard]] Step sleep(WorkerClock::State state) noexcept
    {
        begin(state);
        return Step::sleep;
    }
    [[nodiscard]] Step sleep_through_pause() noexcept
    {
        be_paused();
        return Step::sleep;
    }
    [[nodiscard]] Step sleep_until_next_turn()
    {
        end_turn();
        return Step::sleep;
    }

    /// The worker goes where it cannot see to its queue: another one shall.
    virtual void pass_on() = 0;

    Stage stage_ = Stage::take;

private:
    [[nodiscard]] Step go()
    {
        const Step next = step();
        if (next == Step::attend || (next == Step::sleep && clock().state() == WorkerClock::blocked))
            pass_on();
        return next;
    }

    void run() final
    {
        if (!is_suspended())
            return;  // it could not go to sleep, for lack of memory, and has ended
        be_woken();
        if (steps_alone_) {
            try {
                next_ = go();
            } catch (...) {  // memory has run out
                thrown_ = std::current_exception();
            }
            if (next_ == Step::sleep && !thrown_) {
                next_ = Step::none;
                return;
            }
        }
        Sleeper::run();
    }

    [[nodiscard]] asio::awaitable<void> attend()
    {
        if (policies_)
            return serve_item();
        return pending_ ? pending_->perform() : run_bodies();
    }

    /// One item with all its attempts.
    asio::awaitable<void> serve_item()
    {
        for (bool again = true; again;) {
            error_ = nullptr;
            co_await policies_->begin_attempt(error_);
            if (!error_) {
                if (is_asynchronous()) {
                    co_await run_bodies();
                } else {
                    start_call();
                    if (is_streaming())
                        co_await drive();
                    close_stream();
                }
                if (HoldingOutlet* const outlet = outlet_hooks()) {
                    if (outlet->is_full()) {
                        policies_->stand_still();  // the attempt has ended
                        if (must_wait())
                            co_await wait(WorkerClock::blocked);
                        if (!error_)
                            error_ = outlet->take_error();
                    }
                }
            }
            again = co_await policies_->end_attempt(error_);
        }
        error_ = nullptr;
        stage_ = Stage::leaving;
    }

    Step next_ = Step::none;
    bool steps_alone_ = false;
    std::exception_ptr thrown_;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END
