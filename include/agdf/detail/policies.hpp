#pragma once

// Floor 4: what a node's options ask of a worker beside running the body: permits, time-outs, retries, order, dead letters.
//
//      item ─► enter the order ─► ┌ permits ─► attempt ─┐ ─► turn in the order ─► outputs leave ─► leave the order
//                                 └──── sleep ◄─ retry ─┘            └─► for good: dead letter
//
// A worker of a node without such options has none of this and pays one comparison for it.

#include <agdf/detail/outlet.hpp>
#include <agdf/detail/sequencer.hpp>
#include <agdf/detail/timer.hpp>
#include <agdf/failed.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace agdf::detail {

/// Whether an error says nothing but that an operation was cancelled.
[[nodiscard]] inline bool is_operation_aborted(const std::exception_ptr& error) noexcept
{
    try {
        std::rethrow_exception(error);
    } catch (const asio::system_error& exception) {
        return exception.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

/// The error edges of a worker.
class DeadLetters {
public:
    DeadLetters() = default;
    DeadLetters(const DeadLetters&) = delete;
    DeadLetters& operator=(const DeadLetters&) = delete;
    virtual ~DeadLetters() = default;

    /// Whether the letter has to wait for room.
    [[nodiscard]] virtual bool must_wait(const RunState& run) = 0;
    virtual void withdraw() noexcept = 0;
};

/// The policies of one worker.
///
/// Thread-safety: belongs to its worker's strand.
class Policies {
public:
    /// @param sequencer  Null unless the node keeps an order.
    /// @param outlet     Null if the body yields nothing.
    Policies(WorkerBase& worker, Sequencer* sequencer, HoldingOutlet* outlet)
        : worker_(worker),
          options_(worker.node().options()),
          sequencer_(sequencer),
          outlet_(outlet),
          timer_(worker.lane().executor()),
          link_(std::make_shared<Policies*>(this))
    {
        ticket_.worker = &worker;
    }
    Policies(const Policies&) = delete;
    Policies& operator=(const Policies&) = delete;
    virtual ~Policies() { end(); }

    /// The worker has taken an item. What the item throws here, in its copy or its key, is an error of its first attempt.
    void begin_item(std::uint64_t stamp)
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

    /// The item will not be worked on.
    void skip_item()
    {
        if (sequencer_)
            sequencer_->leave(ticket_);
    }

    /// Gets the permits for an attempt and starts its clock. What goes wrong here is an error of the attempt.
    [[nodiscard]] asio::awaitable<void> begin_attempt(std::exception_ptr& error)
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

    /// Around a wait in which the body stands still: its time does not run on, and its permit is for others, since the wait
    /// may be for them.
    void stand_still()
    {
        stop_clock();
        permit_.reset();
    }
    [[nodiscard]] asio::awaitable<void> go_on()
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

    /// Deals with what has come of an attempt. True if there shall be another one.
    [[nodiscard]] asio::awaitable<bool> end_attempt(std::exception_ptr error)
    {
        stop_timer();
        if (timed_out_) {
            timed_out_ = false;
            co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
            if (error && !worker_.is_cut_short())
                error = std::make_exception_ptr(TimeoutError(fmt::format(
                    "agdf: node '{}': attempt {} took longer than {} ms. Expected: an end within .timeout. Allow more time, or "
                    "look for what it waited for.",
                    worker_.node().name(), attempts_, std::chrono::duration<double, std::milli>(options_.timeout).count())));
        }
        permit_.reset();
        if (error && may_retry(error)) {
            if (outlet_)
                outlet_->drop_held();
            const auto delay = retry_delay(options_.retry, attempts_, error);
            if (options_.rate_limit && retry_after_of(error))
                options_.rate_limit.penalize(delay);
            if (delay > delay.zero() && !worker_.is_stopping()) {
                is_sleeping_ = true;
                timer_.sleeps_for(delay);
                wait_for_timer(&Policies::sleep_is_over);
                co_await worker_.wait(WorkerClock::busy);
            }
            if (!worker_.is_cut_short()) {
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
        bool must_wait = false;
        if (given_up || (!error && are_outputs_lost_))
            worker_.lose_item();
        else if (error)
            must_wait = fail_for_good(error);
        if (must_wait)
            co_await worker_.wait(WorkerClock::blocked);
        forget_item();
        co_return false;
    }

    /// Waits for the item's turn, and sends what was kept back until then.
    [[nodiscard]] asio::awaitable<void> release()
    {
        if (sequencer_ && !worker_.is_discarding() && !sequencer_->has_turn(ticket_))
            co_await worker_.wait(WorkerClock::blocked);
        if (!outlet_)
            co_return;
        if (worker_.is_discarding() && outlet_->is_holding()) {
            outlet_->drop_held();
            are_outputs_lost_ = true;
        }
        bool done = outlet_->release_held();
        while (!done) {
            if (worker_.must_wait())
                co_await worker_.wait(WorkerClock::blocked);
            if (auto edge_error = outlet_->take_error()) {
                outlet_->drop_held();
                std::rethrow_exception(edge_error);
            }
            done = outlet_->release_held();
        }
    }

    /// The same in the middle of an attempt, for a stream whose output has to wait for its turn.
    [[nodiscard]] asio::awaitable<void> take_turn(std::exception_ptr& error)
    {
        stand_still();
        try {
            co_await release();
        } catch (...) {
            error = std::current_exception();
        }
        co_await go_on();
    }

    /// Ends a wait of the policies' own, for good if the run discards; false if there is none.
    [[nodiscard]] bool interrupt()
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

    /// Gives up waiting for room at the dead-letter node.
    void withdraw() noexcept
    {
        if (dead_letters_)
            dead_letters_->withdraw();
    }

    /// The worker ends; a timer that is late finds nobody.
    void end() noexcept { *link_ = nullptr; }

    [[nodiscard]] std::unique_ptr<DeadLetters>& dead_letters() noexcept { return dead_letters_; }

protected:
    /// Copies the item, if an attempt may spoil it.
    virtual void save_item() = 0;
    virtual void restore_item() = 0;
    virtual void forget_item() noexcept = 0;
    [[nodiscard]] virtual std::size_t key_of_item() const = 0;
    /// Sends the item along the error edges.
    virtual void put_dead_letter(const std::exception_ptr& error) = 0;
    [[nodiscard]] std::size_t attempts() const noexcept { return attempts_; }

    WorkerBase& worker_;

private:
    [[nodiscard]] bool may_retry(std::exception_ptr& error) noexcept
    {
        if (worker_.is_cut_short() || spoiled_ || attempts_ >= options_.retry.attempts || (outlet_ && outlet_->has_overflowed()))
            return false;
        try {
            return options_.retry.when(error);
        } catch (...) {
            error = std::current_exception();
            return false;
        }
    }

    /// Counts the error, and sends the item along the error edges; true if it has to wait for room there.
    [[nodiscard]] bool fail_for_good(const std::exception_ptr& error)
    {
        worker_.count_error();
        const bool has_way_out = dead_letters_ && !worker_.is_discarding();
        worker_.node().fail(error, has_way_out ? "item goes to the dead letters" : "item skipped");
        if (!has_way_out || worker_.is_discarding())  // it may have halted the run itself
            return false;
        try {
            put_dead_letter(error);
        } catch (...) {
            worker_.node().halt(std::current_exception());
            return false;
        }
        return dead_letters_->must_wait(worker_.node().run());
    }

    /// Starts and stops the clock of an attempt.
    void start_clock()
    {
        if (options_.timeout == options_.timeout.zero() || timed_out_)
            return;
        clock_started_ = timer_.now();
        timer_.expires_after(time_left_);
        wait_for_timer(&Policies::time_is_over);
    }
    void stop_clock()
    {
        if (options_.timeout == options_.timeout.zero() || timed_out_)
            return;
        stop_timer();
        time_left_ -= std::min(time_left_, timer_.now() - clock_started_);
    }

    void wait_for_timer(void (Policies::*over)())
    {
        const std::uint64_t id = ++timer_id_;
        timer_.call_when_over([link = link_, id, over] {
            Policies* const self = *link;
            if (self && self->timer_id_ == id)
                (self->*over)();
        });
    }
    void stop_timer()
    {
        ++timer_id_;
        timer_.cancel();
    }

    void time_is_over()
    {
        timed_out_ = true;
        worker_.signal().emit(asio::cancellation_type::terminal);
    }
    void sleep_is_over()
    {
        is_sleeping_ = false;
        worker_.wake_up();
    }

    const NodeOptions& options_;
    Sequencer* const sequencer_;
    HoldingOutlet* const outlet_;
    Timer timer_;
    const std::shared_ptr<Policies*> link_;
    std::unique_ptr<DeadLetters> dead_letters_;
    std::optional<Permit> permit_;
    Ticket ticket_;
    std::exception_ptr spoiled_;  // what the item's key or copy threw
    std::size_t attempts_ = 0;
    std::uint64_t timer_id_ = 0;
    std::chrono::steady_clock::time_point clock_started_;
    std::chrono::steady_clock::duration time_left_{};
    bool timed_out_ = false;
    bool is_sleeping_ = false;
    bool are_outputs_lost_ = false;
};

}  // namespace agdf::detail
