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
    AGDF_DECL ~BodyWorker() override;

    /// The run's context goes: destroys the coroutine, if it sleeps here, and the stream that it drives before it.
    AGDF_DECL void abandon_all() noexcept override;

    AGDF_DECL void fail(const std::exception_ptr& error) override;

    /// Deals with what an edge threw at an output, if the body goes on.
    void lose_output(const std::exception_ptr& error);

protected:
    [[nodiscard]] virtual bool is_streaming() const noexcept { return false; }
    /// Lets the stream go on; what it wants to have performed is in `pending_` afterwards.
    virtual void resume_stream() {}
    /// Destroys the stream, and takes its error.
    virtual void close_stream() noexcept {}
    /// Null if the body yields nothing.
    [[nodiscard]] virtual HoldingOutlet* outlet_hooks() noexcept = 0;

    /// Performs what a stream asks for, and resumes it, until it ends or is to be cut short.
    asio::awaitable<void> drive();

    /// Whether a body that has ended has left the coroutine in its own way of taking cancellations.
    [[nodiscard]] bool must_reset_cancellation() const noexcept { return filter() == Filter::replaced && !is_streaming(); }

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

    [[nodiscard]] AGDF_DECL asio::awaitable<void> work() final;

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
    /// Calls an asynchronous body for the item in hand, and for the next ones as long as there are some.
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

    AGDF_DECL void run() final;

    [[nodiscard]] asio::awaitable<void> attend();

    /// One item with all its attempts.
    asio::awaitable<void> serve_item();

    Step next_ = Step::none;
    bool steps_alone_ = false;
    std::exception_ptr thrown_;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/body_worker.ipp>
#endif
