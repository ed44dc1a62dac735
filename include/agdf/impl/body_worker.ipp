#pragma once

// Floor 4: what workers do in their coroutine whatever the types of their items.

#include <agdf/detail/body_worker.hpp>

#include <exception>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

AGDF_DECL BodyWorker::~BodyWorker() = default;

AGDF_DECL void BodyWorker::abandon_all() noexcept
{
    if (is_suspended() && !pending_)  // else the coroutine is in the middle of something of the stream's
        close_stream();
    abandon();
}

AGDF_DECL void BodyWorker::fail(const std::exception_ptr& error)
{
    if (this->is_cut_short() && is_operation_aborted(error))
        return lose_item();
    this->err_.add();
    this->node_.fail(error);
}

AGDF_DECL void BodyWorker::lose_output(const std::exception_ptr& error)
{
    count_error();
    node_.fail(error, "output lost");
}

AGDF_DECL asio::awaitable<void> BodyWorker::drive()
{
    HoldingOutlet& outlet = *outlet_hooks();
    bool knows_of_time_out = false;
    while (is_streaming()) {
        if (pending_) {
            co_await pending_->perform();
            if (!lane_.is_here())
                co_await Lane::come_home();
            knows_of_time_out = policies_ && policies_->has_timed_out();
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
            if (outlet.has_error() && outlives_edge_errors()) {
                auto edge_error = outlet.take_error();
                if (policies_) {
                    policies_->stand_still();
                    co_await policies_->fail_for_good(std::move(edge_error), "output lost");
                    co_await policies_->go_on();
                } else {
                    lose_output(edge_error);
                }
            }
            if (error_ || outlet.has_error() || is_cut_short())
                break;
        }
        while (is_source() && must_pause()) {
            if (policies_)
                policies_->stand_still();
            co_await pause();
            if (policies_)
                co_await policies_->go_on();
        }
        if (is_turn_over()) {
            end_turn();
            co_await suspend();
        }
        const bool may_be_cancelled = !knows_of_time_out && filter() != Filter::replaced;
        if (policies_ && policies_->has_timed_out() && may_be_cancelled) {  // it came while there was nothing to be cancelled
            error_ = std::make_exception_ptr(asio::system_error(asio::error::operation_aborted));
            break;
        }
        resume_stream();
    }
}

AGDF_DECL asio::awaitable<void> ItemWorker::work()
{
    co_await asio::this_coro::throw_if_cancelled(false);
    begin(WorkerClock::busy);
    for (;;) {
        if (next_ == Step::none)
            next_ = go();
        if (must_reset_cancellation())
            co_await reset_cancellation();
        const Step now = std::exchange(next_, Step::none);
        if (now == Step::end)
            break;
        if (now == Step::attend) {
            if (filter() == Filter::initial)
                co_await reset_cancellation();
            co_await attend();
            if (!lane_.is_here())
                co_await Lane::come_home();
        } else if (now == Step::sleep) {
            co_await sleep_alone();
            wake_for_good();
        }
    }
    if (policies_)
        policies_->end();
    begin(WorkerClock::ended);
}

AGDF_DECL void ItemWorker::run()
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
        if (next_ == Step::sleep && !thrown_ && !must_reset_cancellation()) {
            next_ = Step::none;
            return;
        }
    }
    Sleeper::run();
}

AGDF_DECL asio::awaitable<void> ItemWorker::attend()
{
    if (policies_)
        return serve_item();
    return pending_ ? pending_->perform() : run_bodies();
}

AGDF_DECL asio::awaitable<void> ItemWorker::serve_item()
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
                if (must_reset_cancellation())
                    co_await reset_cancellation();
            }
            if (HoldingOutlet* const outlet = outlet_hooks()) {
                if (outlet->is_full()) {
                    policies_->stand_still();  // the attempt has ended
                    if (must_wait())
                        co_await wait(WorkerClock::blocked);
                }
                auto edge_error = outlet->take_error();
                if (!error_)
                    error_ = std::move(edge_error);
            }
        }
        again = co_await policies_->end_attempt(error_);
    }
    error_ = nullptr;
    stage_ = Stage::leaving;
}

}  // namespace agdf::detail

AGDF_COROUTINES_END
