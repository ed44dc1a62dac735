#pragma once

// Floor 4: the fast lane of a worker: how it runs many items in a row, for each kind of queue.

#include <agdf/detail/worker.hpp>

namespace agdf::detail {

/// The fast lane: runs items where they lie in the queue, as long as nothing else is to be looked at. Returns whether it stopped
/// only where a queue's memory begins again.
template <class Traits>
inline bool Worker<Traits>::run_items()
{
    auto& queue = this->inbox_.channel();
    if constexpr (is_plain) {
        if (queue.has_lone_ends()) {
            run_across();
            return false;
        }
        if (queue.is_shared()) {
            // Else an item could wait behind another while a worker is free, or be dropped for want of a place.
            if (this->node_.options().workers == 1 && queue.waits_when_full())
                run_batch();
            return false;
        }
    }
    std::size_t ready = this->inbox_.has_starts() ? 0 : std::min(queue.ready_in_place(), this->credit());
    if (ready == 0)
        return false;
    std::size_t row = std::min(ready, queue.row_to_take());
    if (this->outlet_.is_awaited())
        row = 1;  // which wakes who waits for it, and then there may be room in place
    if constexpr (is_stream) {
        run_streams(row);
    } else if constexpr (std::is_void_v<Out>) {
        run_row(row, [this](Stored<In>& item, std::size_t) {
            call(item);
            return true;
        });
    } else if (auto* const next = this->outlet_.direct(); next && next->room_in_place() > 0) {
        ready = std::min(ready, next->room_in_place());
        row = std::min({row, ready, next->row_to_put()});
        if (next->has_lone_ends()) {
            run_row_into<true>(row, *next);
            next->end_writing();
        } else {
            run_row_into<false>(row, *next);
        }
    } else {
        run_row(row, [this](Stored<In>& item, std::size_t) {
            call(item);
            return !this->outlet_.is_full();
        });
    }
    queue.end_reading();
    return row < ready && this->stage_ == Stage::take && this->run_.is_undisturbed();
}

/// Puts what comes out in place as well. A function of its own, so that its few numbers stay in registers.
template <class Traits>
template <bool across, class Queue>
AGDF_NOINLINE void Worker<Traits>::run_row_into(std::size_t count, Queue& next)
{
    const auto writer = next.writer();
    const Counter::Since counter{this->out_counter()};
    [[maybe_unused]] std::size_t passed = 0;
    run_row(count, [&](Stored<In>& item, std::size_t index) {
        auto&& value = (*this->body_)(item);
        if constexpr (Traits::filters) {
            if (value) {
                writer.emplace(passed, Out(*std::forward<decltype(value)>(value)));
                counter.set(++passed);
            }
        } else {
            writer.emplace(index, Out(std::forward<decltype(value)>(value)));
            counter.set(index + 1);
        }
        return !across || !next.wants_end_of_writing();
    });
}

/// @param call  Given the item and how many came before; returns whether the next one may follow at once.
template <class Traits>
template <class Call>
AGDF_ALWAYS_INLINE void Worker<Traits>::run_row(std::size_t count, const Call& call)
{
    const auto reader = this->inbox_.channel().reader();
    std::size_t taken = 0;
    bool goes_on = true;
    while (goes_on && taken < count && this->run_.is_undisturbed()) {
        auto& parcel = reader.take(taken);
        goes_on = false;
        try {
            goes_on = call(parcel.value, taken);
        } catch (...) {
            this->error_ = std::current_exception();
        }
        std::destroy_at(&parcel);
        ++taken;
    }
    if (!goes_on) [[unlikely]]
        this->stage_ = Stage::finishing;
    this->use_credit(taken);
}

/// Runs an item that was taken out of the queue; returns whether the next one may follow at once.
template <class Traits>
AGDF_ALWAYS_INLINE bool Worker<Traits>::run_item(Message message)
{
    this->use_credit(1);
    try {
        call(message.value);
    } catch (...) {
        this->error_ = std::current_exception();
    }
    if (!this->error_ && !this->outlet_.is_full()) [[likely]]
        return true;
    this->stage_ = Stage::finishing;
    return false;
}

/// The same for the only worker of a node whose only producer is on another strand.
template <class Traits>
inline void Worker<Traits>::run_across()
{
    auto& queue = this->inbox_.channel();
    std::size_t left = this->inbox_.has_starts() ? 0 : std::min(queue.ready_across(), this->credit());
    while (left > 0 && this->is_undisturbed() && run_item(queue.get_across()))
        --left;
}

/// The same for the only worker of a node whose producers are on other strands: takes many items for one lock.
template <class Traits>
inline void Worker<Traits>::run_batch()
{
    constexpr std::size_t most = 64;
    if (batch_.empty() && !this->inbox_.has_starts())
        this->inbox_.channel().take_many(batch_, std::min(this->credit(), most));
    while (!batch_.empty() && this->is_undisturbed() && !this->is_turn_over())
        if (!run_item(next_of_batch()))
            break;
}

/// The same for streams that end without having to come back before; one that does is left to `step`.
template <class Traits>
inline void Worker<Traits>::run_streams(std::size_t count)
{
    const auto reader = this->inbox_.channel().reader();
    std::size_t taken = 0;
    this->outlet_.begin_burst();
    while (taken < count && this->is_undisturbed() && this->stage_ == Stage::take) {
        move_in(reader.take(taken++));
        try {
            Stream<Out> stream = (*this->body_)(this->input_.message->value);
            PendingAwait* const pending = stream.is_open() ? stream.resume(this->outlet_) : nullptr;
            if (stream.is_open() || stream.has_error() || this->outlet_.is_full()) [[unlikely]] {
                this->stream_ = std::move(stream);
                this->pending_ = pending;
                this->stage_ = Stage::streaming;
                break;
            }
        } catch (...) {
            this->error_ = std::current_exception();
            this->stage_ = Stage::finishing;
            break;
        }
        this->input_.message.reset();
    }
    this->outlet_.end_burst();
    this->use_credit(taken);
}

AGDF_COROUTINES_BEGIN

/// Calls an asynchronous body, in the worker's coroutine, for one item after the other.
template <class Traits>
asio::awaitable<void> Worker<Traits>::run_asynchronous_bodies()
{
    for (bool more = true; more;) {
        auto after = After::step;
        if constexpr (Traits::blocking) {
            try {
                BodyCall<Caller> call{this->body_, std::move(this->input_.message->value)};
                auto result = call_in_pool(std::move(call));
                if constexpr (std::is_void_v<typename Traits::Return>) {
                    co_await std::move(result);
                    after = end_body();
                } else {
                    auto value = co_await std::move(result);
                    after = end_body(std::move(value));
                }
            } catch (...) {
                this->error_ = std::current_exception();
            }
        } else {
            co_await asio::this_coro::throw_if_cancelled(true);
            try {
                if constexpr (std::is_void_v<Out>) {
                    co_await (*this->body_)(this->input_.message->value);
                    after = end_body();
                    if (after == After::away) [[unlikely]] {
                        co_await asio::this_coro::throw_if_cancelled(false);
                        co_await Lane::come_home();
                        after = end_body();
                    }
                } else {
                    auto value = co_await (*this->body_)(this->input_.message->value);
                    after = end_body(std::move(value));
                    if (after == After::away) [[unlikely]] {  // and the value is where it was
                        co_await asio::this_coro::throw_if_cancelled(false);
                        co_await Lane::come_home();
                        after = end_body(std::move(value));
                    }
                }
            } catch (...) {
                this->error_ = std::current_exception();
            }
            if (this->error_ && !this->lane_.is_here()) {
                co_await asio::this_coro::throw_if_cancelled(false);
                co_await Lane::come_home();
            }
        }
        if (after == After::next)
            continue;
        if (this->must_reset_cancellation()) [[unlikely]] {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await this->reset_cancellation();
        }
        auto next = this->step_after_body();
        if (next == Step::sleep) {
            // Here, since to come back for the next item costs a frame.
            if constexpr (!Traits::blocking)
                co_await asio::this_coro::throw_if_cancelled(false);
            while (next == Step::sleep) {
                co_await this->sleep_alone();
                this->wake_for_good();
                next = this->step_after_body();
            }
        }
        more = next == Step::attend;
    }
    if constexpr (!Traits::blocking)
        co_await asio::this_coro::throw_if_cancelled(false);
}

AGDF_COROUTINES_END

}  // namespace agdf::detail
