#pragma once

// Floor 4: what a node's options ask of a worker beside running the body.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/policies.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace agdf::detail {

AGDF_DECL Policies::Policies(WorkerBase& worker, Sequencer* sequencer, HoldingOutlet* outlet)
    : worker_(worker),
      options_(worker.node().options()),
      sequencer_(sequencer),
      outlet_(outlet),
      timer_(worker.lane().executor()),
      link_(std::make_shared<Policies*>(this))
{
    ticket_.worker = &worker;
}

AGDF_DECL Policies::~Policies()
{
    if (*link_)  // else a timer that is late may be reading it: who destroys a run need not be on its strand
        end();
}

AGDF_DECL void Policies::begin_item(std::uint64_t stamp)
{
    attempts_ = 0;
    spoiled_ = nullptr;
    ticket_.stamp = stamp;
    ticket_.key = 0;
    try {
        if (sequencer_ && options_.ordered_by_key)
            ticket_.key = key_of_item();
        if (dead_letters_ || options_.retry.attempts > 1)
            save_item();
    } catch (...) {
        spoiled_ = std::current_exception();
    }
    if (sequencer_)
        sequencer_->enter(ticket_);
}

AGDF_DECL void Policies::skip_item()
{
    if (sequencer_)
        sequencer_->leave(ticket_);
}

AGDF_DECL asio::awaitable<void> Policies::begin_attempt(std::exception_ptr& error)
{
    ++attempts_;
    error = spoiled_;
    if (error)
        co_return;
    try {
        if (options_.limit) {
            auto permit = co_await options_.limit.acquire();
            permit_.emplace(std::move(permit));
        }
        if (options_.rate_limit && !worker_.is_cut_short())
            co_await options_.rate_limit.acquire();
        if (worker_.is_cut_short())  // the permit came just before
            throw asio::system_error(asio::error::operation_aborted, "agdf: a permit");
    } catch (...) {
        error = std::current_exception();
    }
    if (error)
        co_return;
    if (outlet_ && attempts_ < options_.retry.attempts)
        outlet_->hold(options_.retry.max_held, false);
    else if (outlet_ && sequencer_ && !sequencer_->is_first(ticket_))
        outlet_->hold(1, true);
    time_left_ = options_.timeout;
    start_clock();
}

AGDF_DECL void Policies::stand_still()
{
    stop_clock();
    permit_.reset();
}

AGDF_DECL asio::awaitable<void> Policies::go_on()
{
    try {
        if (options_.limit && !worker_.is_cut_short()) {
            auto permit = co_await options_.limit.acquire();
            permit_.emplace(std::move(permit));
        }
    } catch (const asio::system_error&) {  // the run is cut short, and so is the body
    }
    start_clock();
}

AGDF_DECL asio::awaitable<bool> Policies::end_attempt(std::exception_ptr error)
{
    stop_timer();
    if (timed_out_) {
        timed_out_ = false;
        co_await worker_.reset_cancellation();  // a cancellation is remembered
        if (error && !worker_.is_cut_short())
            error = std::make_exception_ptr(TimeoutError(fmt::format(
                "agdf: node '{}': attempt {} took longer than {} ms. Expected: an end within .timeout. Allow more time, or "
                "look for what it waited for.",
                worker_.node().name(), attempts_, std::chrono::duration<double, std::milli>(options_.timeout).count())));
    }
    permit_.reset();
    if (options_.rate_limit && retry_after_of(error))  // also if this item is not tried again: others ask there as well
        options_.rate_limit.penalize(retry_delay(options_.retry, attempts_, error));
    if (error && may_retry(error)) {
        const auto delay = retry_delay(options_.retry, attempts_, error);
        if (delay > delay.zero() && !worker_.is_stopping()) {
            is_sleeping_ = true;
            timer_.sleeps_for(delay);
            wait_for_timer(&Policies::sleep_is_over);
            co_await worker_.wait(WorkerClock::busy);
        }
        if (!worker_.is_cut_short()) {
            if (outlet_)
                outlet_->drop_held();  // not before: if there is no other attempt, what this one yielded stays
            worker_.count_retried();
            try {
                restore_item();
            } catch (...) {
                spoiled_ = std::current_exception();
            }
            co_return true;
        }
    }
    const bool given_up = error && worker_.is_cut_short() && is_operation_aborted(error);
    are_outputs_lost_ = false;
    try {
        co_await release();
    } catch (...) {
        if (!error)
            error = std::current_exception();
    }
    if (sequencer_)
        sequencer_->leave(ticket_);
    if (given_up || (!error && are_outputs_lost_))
        worker_.lose_item();
    else if (error)
        co_await fail_for_good(error, "item skipped");
    forget_item();
    co_return false;
}

AGDF_DECL asio::awaitable<void> Policies::release()
{
    if (sequencer_ && !worker_.is_discarding() && !sequencer_->has_turn(ticket_))
        co_await worker_.wait(WorkerClock::blocked);
    if (!outlet_)
        co_return;
    if (worker_.is_discarding() && outlet_->is_holding()) {
        outlet_->drop_held();
        are_outputs_lost_ = true;
    }
    for (bool done = false; !done;) {
        std::exception_ptr edge_error;
        try {
            done = outlet_->release_held();
        } catch (...) {
            edge_error = std::current_exception();
        }
        if (!edge_error && !done) {
            if (worker_.must_wait())
                co_await worker_.wait(WorkerClock::blocked);
            edge_error = outlet_->take_error();
        }
        if (!edge_error)
            continue;
        if (!worker_.outlives_edge_errors()) {
            outlet_->drop_held();
            std::rethrow_exception(edge_error);
        }
        co_await fail_for_good(edge_error, "output lost");
    }
}

AGDF_DECL asio::awaitable<void> Policies::take_turn(std::exception_ptr& error)
{
    stand_still();
    try {
        co_await release();
    } catch (...) {
        error = std::current_exception();
    }
    co_await go_on();
}

AGDF_DECL bool Policies::interrupt()
{
    if (std::exchange(is_sleeping_, false)) {
        stop_timer();
        worker_.wake_up();
        return true;
    }
    if (worker_.is_discarding() && sequencer_ && sequencer_->withdraw(ticket_)) {
        worker_.wake_up();
        return true;
    }
    return false;
}

AGDF_DECL void Policies::withdraw() noexcept
{
    if (dead_letters_)
        dead_letters_->withdraw();
}

AGDF_DECL void Policies::end() noexcept
{
    *link_ = nullptr;
}

AGDF_DECL bool Policies::may_retry(const std::exception_ptr& error)
{
    if (worker_.is_cut_short() || spoiled_ || attempts_ >= options_.retry.attempts || (outlet_ && outlet_->has_overflowed()))
        return false;
    std::exception_ptr why_not;
    try {
        return options_.retry.when(error);
    } catch (...) {
        why_not = std::current_exception();
    }
    worker_.node().keep_and_log(why_not, "its .retry.when failed, so the item is not tried again");
    return false;
}

AGDF_DECL asio::awaitable<void> Policies::fail_for_good(std::exception_ptr error, std::string_view consequence)
{
    worker_.count_error();
    const bool has_way_out = dead_letters_ && !worker_.is_discarding();
    worker_.node().fail(error, has_way_out ? "item goes to the dead letters" : consequence);
    if (!has_way_out || worker_.is_discarding())  // it may have halted the run itself
        co_return;
    std::exception_ptr lost;
    try {
        put_dead_letter(error);
    } catch (...) {
        lost = std::current_exception();
    }
    if (!lost) {
        if (dead_letters_->must_wait(worker_.node().run()))
            co_await worker_.wait(WorkerClock::blocked);
        lost = dead_letters_->take_error();
    }
    if (lost)
        worker_.node().halt(lost);
}

AGDF_DECL void Policies::start_clock()
{
    if (options_.timeout == options_.timeout.zero() || timed_out_)
        return;
    clock_started_ = timer_.now();
    timer_.expires_after(time_left_);
    wait_for_timer(&Policies::time_is_over);
}

AGDF_DECL void Policies::stop_clock()
{
    if (options_.timeout == options_.timeout.zero() || timed_out_)
        return;
    stop_timer();
    time_left_ -= std::min(time_left_, timer_.now() - clock_started_);
    timed_out_ = time_left_ == time_left_.zero();  // one that always stands still again before the timer comes would never know
}

AGDF_DECL void Policies::wait_for_timer(void (Policies::*over)())
{
    const std::uint64_t id = ++timer_id_;
    timer_.call_when_over([link = link_, id, over] {
        Policies* const self = *link;
        if (self && self->timer_id_ == id)
            (self->*over)();
    });
}

AGDF_DECL void Policies::stop_timer()
{
    ++timer_id_;
    timer_.cancel();
}

AGDF_DECL void Policies::time_is_over()
{
    timed_out_ = true;
    worker_.signal().emit(asio::cancellation_type::terminal);
}

AGDF_DECL void Policies::sleep_is_over()
{
    is_sleeping_ = false;
    worker_.wake_up();
}

}  // namespace agdf::detail
