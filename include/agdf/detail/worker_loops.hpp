#pragma once

// Floor 4: the fast lane of a worker: how it runs many items in a row, for each kind of queue.

#include <agdf/detail/worker.hpp>

namespace agdf::detail {

/// The fast lane: runs items where they lie in the queue, as long as nothing else is to be looked at.
template <class Traits>
inline void Worker<Traits>::run_items()
{
    auto& queue = this->inbox_.channel();
    if constexpr (is_plain) {
        if (queue.has_lone_ends())
            return run_across();
        if (queue.is_shared()) {
            if (this->node_.options().workers == 1)  // else an item could wait behind another while a worker is free
                run_batch();
            return;
        }
    }
    const std::size_t ready = this->inbox_.has_starts() ? 0 : queue.ready_in_place();
    const std::size_t count = std::min(ready, this->credit());
    if (count == 0)
        return;
    if constexpr (is_stream) {
        run_streams(count);
    } else if constexpr (std::is_void_v<Out>) {
        run_items(count, [this](Stored<In>& item) {
            call(item);
            return true;
        });
    } else if (auto* const next = this->outlet_.direct(); next && next->room_in_place() > 0) {
        const std::size_t most = std::min(count, next->room_in_place());
        if (next->has_lone_ends()) {
            run_items_into<true>(most, *next);
            next->end_writing();
        } else {
            run_items_into<false>(most, *next);
        }
    } else {
        run_items(count, [this](Stored<In>& item) {
            call(item);
            return !this->outlet_.is_full();
        });
    }
    queue.end_reading();
}

/// Puts what comes out in place as well.
template <class Traits>
template <bool across, class Queue>
inline void Worker<Traits>::run_items_into(std::size_t count, Queue& next)
{
    auto writer = next.writer();
    auto counter = this->out_counter();
    run_items(count, [&](Stored<In>& item) {
        auto&& value = (*this->body_)(item);
        if constexpr (Traits::filters) {
            if (!value)
                return true;
            writer.emplace(Out(std::move(*value)));
        } else {
            writer.emplace(Out(std::forward<decltype(value)>(value)));
        }
        counter.add();
        return !across || !next.wants_end_of_writing();
    });
}

/// @param call  Returns whether the next one may follow at once.
template <class Traits>
template <class Call>
AGDF_ALWAYS_INLINE void Worker<Traits>::run_items(std::size_t count, const Call& call)
{
    auto reader = this->inbox_.channel().reader();
    std::size_t left = count;
    while (left > 0 && this->run_.is_undisturbed()) {
        --left;
        Message& message = reader.take();
        bool goes_on = false;
        try {
            goes_on = call(message.value);
        } catch (...) {
            this->error_ = std::current_exception();
        }
        std::destroy_at(&message);
        if (!goes_on) [[unlikely]] {
            this->stage_ = Stage::finishing;
            break;
        }
    }
    this->use_credit(count - left);
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
    while (next_in_batch_ < batch_.size() && this->is_undisturbed() && !this->is_turn_over())
        if (!run_item(std::move(batch_[next_in_batch_++])))
            break;
    end_batch();
}

/// The same for streams that end without having to come back before; one that does is left to `step`.
template <class Traits>
inline void Worker<Traits>::run_streams(std::size_t count)
{
    auto reader = this->inbox_.channel().reader();
    std::size_t left = count;
    this->outlet_.begin_burst();
    while (left > 0 && this->is_undisturbed() && this->stage_ == Stage::take) {
        --left;
        move_in(reader.take());
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
    this->use_credit(count - left);
}

}  // namespace agdf::detail
