#pragma once

// Floor 2: how messages get into the buffer of a `ChannelCore` and out of it, but for the usual path of a message.

#include <agdf/detail/channel_core.hpp>

#include <limits>

namespace agdf::detail {

template <class M>
inline void ChannelCore<M>::look_for_room() noexcept
{
    if (has_lone_ends_) {
        is_sender_waiting_.store(!senders_.empty());
        is_receiver_waiting_.store(!receivers_.empty());
    } else if (is_shared()) {
        return;  // there is none, and it is read without the lock
    }
    const bool is_simple = !besides_ && !is_closed() && senders_.empty() && (receivers_.empty() || attended_);
    room_in_place_.store(is_simple ? std::min(capacity_, buffer_.allocated()) : 0, std::memory_order_relaxed);
}

template <class M>
inline bool ChannelCore<M>::has_room_for(const M& message) const
{
    const std::size_t size = buffer_.size();
    if (size >= capacity_) [[unlikely]]
        return false;
    // Places that are lent are looked at only if it depends on them: the worker that gives them back is on another processor.
    if (most_lent_ >= capacity_ - size && lent_.load(std::memory_order_relaxed) >= capacity_ - size) [[unlikely]]
        return false;
    if (!besides_) [[likely]]
        return true;
    return buffer_.empty() || besides_->has_room_for(message);
}

template <class M>
void ChannelCore<M>::limit_weight(std::size_t most, std::function<std::size_t(const M&)> weigh)
{
    besides_ = std::make_unique<BesideBuffer<M>>(most, std::move(weigh));
    has_lone_ends_ = false;
    look_for_room();
}

template <class M>
void ChannelCore<M>::carry_acknowledgements()
{
    if (!besides_)
        limit_weight(std::numeric_limits<std::size_t>::max(), [](const M&) { return std::size_t{0}; });
}

template <class M>
std::uint64_t ChannelCore<M>::offered() const noexcept
{
    for (;;) {
        const std::size_t before = moves_.load(std::memory_order_acquire);
        const std::uint64_t offered = buffer_.pushed() + offered_besides_.load(std::memory_order_acquire);
        if (before % 2 == 0 && moves_.load(std::memory_order_relaxed) == before)
            return offered;
    }
}

template <class M>
template <class Emplace>
void ChannelCore<M>::take_front(const Emplace& emplace)
{
    if constexpr (std::is_same_v<Kept, M>)
        emplace(std::move(buffer_.front()));
    else
        emplace(std::move(buffer_.front()), besides_ ? besides_->front_acknowledgement() : nullptr);
    pop();
}

template <class M>
void ChannelCore<M>::give_front(Getting<M>& receiver)
{
    take_front([&](auto&&... parts) { receiver.message.emplace(std::forward<decltype(parts)>(parts)...); });
    receiver.stamp = taken_++;
}

template <class M>
void ChannelCore<M>::take_many(std::vector<M>& into, std::size_t most)
{
    const auto lock = guard();
    note_peak(size());
    most_lent_ = besides_ ? 0 : std::min(most, buffer_.size());
    into.reserve(most_lent_);
    for (std::size_t i = 1; i <= most_lent_; ++i) {
        take_front([&](auto&&... parts) { into.emplace_back(std::forward<decltype(parts)>(parts)...); });
        ++taken_;
        count(lent_, i);
    }
}

template <class M>
void ChannelCore<M>::prepare_push(const M& message)
{
    buffer_.make_room();
    if (!besides_)
        return;
    besides_->make_room();  // all or nothing: without memory the two must not get out of step
    besides_->push(message);
}

template <class M>
void ChannelCore<M>::push_waiting(M&& message)
{
    prepare_push(message);
    buffer_.place(std::move(message));
    const std::size_t moves = moves_.load(std::memory_order_relaxed);
    count(moves_, moves + 1);  // who reads waits for the end of this: nothing of a user's is called in it
    buffer_.count_placed();
    offered_besides_.store(offered_besides_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
    moves_.store(moves + 2, std::memory_order_release);
}

}  // namespace agdf::detail
