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
    if (size() >= capacity_) [[unlikely]]
        return false;
    if (!besides_) [[likely]]
        return true;
    return buffer_.empty() || besides_->has_room_for(message);
}

template <class M>
inline Put ChannelCore<M>::store(M& message, Waiter*& woken)
{
    if (is_closed()) [[unlikely]]
        return Put::closed;
    if (!receivers_.empty() && !attended_) [[unlikely]] {
        Getting<M>& receiver = next_receiver();
        woken = &receiver;
        give(receiver, std::move(message));
        count_offered();
        look_for_room();
        return Put::stored;
    }
    if (!senders_.empty() || !has_room_for(message)) [[unlikely]]
        return Put::waiting;
    push(std::move(message));
    look_for_room();
    return Put::stored;
}

template <class M>
inline Put ChannelCore<M>::try_put(M& message)
{
    Waiter* receiver = nullptr;
    {
        const auto lock = guard();
        const Put result = store(message, receiver);
        if (result == Put::closed || (result == Put::waiting && overflow_ == Overflow::wait))
            return result;
        if (result == Put::stored && !receiver) [[likely]]
            return result;
    }
    if (!receiver)
        return put_by_dropping(message);
    receiver->wake();
    return Put::stored;
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
std::size_t ChannelCore<M>::waiting() const noexcept
{
    if (!is_shared() || has_lone_ends_)
        return size();
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock)  // such as for an item that asks while it is destroyed
        return size();
    std::size_t count = buffer_.size();
    for (const Handful<M>* handful = handfuls_; handful; handful = handful->next_)
        count += handful->size();
    return count;
}

template <class M>
M* ChannelCore<M>::take_many(Handful<M>& into, std::size_t most)
{
    WakeList woken;
    M* first = nullptr;
    {
        const auto lock = guard();
        end_loan(into);
        into.clear();
        note_peak();
        if (!besides_ && !take_over(into)) {
            // Not all if there are others, who will need some soon.
            const std::size_t count = into.is_alone() ? buffer_.size() : (buffer_.size() + 1) / 2;
            into.messages_.reserve(std::min(most, count));
            for (std::size_t i = std::min(most, count); i > 0; --i) {
                take_front([&](auto&&... parts) { into.add(std::forward<decltype(parts)>(parts)...); });
                ++taken_;
            }
        }
        if (into.size() > 1)
            lend(into, into.size() - 1);
        refill(woken);
        first = into.take();  // last, since what else is done may lack memory
    }
    woken.wake();
    return first;
}

/// Takes what another worker has left: if that does not come to it, since those are older than what is in the buffer, and else
/// only if nothing is in there.
template <class M>
bool ChannelCore<M>::take_over(Handful<M>& into)
{
    for (Handful<M>* other = handfuls_; other; other = other->next_) {
        if (!other->stands_still() && !buffer_.empty())
            continue;
        into.messages_.reserve(other->messages_.size());
        const auto [first, count] = other->take_from_end(other->messages_.size());
        if (count == 0)
            continue;
        for (std::size_t i = 0; i < count; ++i)
            into.add(std::move(first[i]));
        set_loan(*other, other->lent_ - std::min(other->lent_, count));
        return true;
    }
    return false;
}

template <class M>
bool ChannelCore<M>::take_over(Getting<M>& receiver)
{
    for (Handful<M>* other = handfuls_; other; other = other->next_) {
        const auto [message, count] = other->take_from_end(1);
        if (count == 0)
            continue;
        receiver.message.emplace(std::move(*message));
        set_loan(*other, other->lent_ - std::min(other->lent_, count));
        return true;
    }
    return false;
}

/// For somebody who else would sleep: if nothing is left in them, they need no places either, and those who wait with a message
/// get them.
template <class M>
bool ChannelCore<M>::get_from_handfuls(Getting<M>& receiver, WakeList& woken)
{
    const bool is_taken_over = take_over(receiver);
    if (!is_taken_over)
        for (Handful<M>* handful = handfuls_; handful; handful = handful->next_)
            set_loan(*handful, 0);
    refill(woken);
    if (is_taken_over || buffer_.empty())
        return is_taken_over;
    note_peak();
    give_front(receiver);
    return true;
}

template <class M>
void ChannelCore<M>::give_back(Handful<M>& handful)
{
    if (handful.is_on_loan_) {
        WakeList woken;
        {
            const auto lock = guard();
            end_loan(handful);
            refill(woken);
        }
        woken.wake();
    }
    handful.clear();
}

template <class M>
void ChannelCore<M>::put_back(Handful<M>& handful) noexcept
{
    Waiter* receiver = nullptr;
    {
        const auto lock = guard();
        handful.put_back();
        if (!receivers_.empty()) {
            Getting<M>& next = next_receiver();
            receiver = &next;
            (void)take_over(next);
        } else if (handful.lent_ < handful.size()) {  // somebody took its places since nothing was left
            set_loan(handful, handful.size());
        }
    }
    if (receiver)
        receiver->wake();
}

template <class M>
void ChannelCore<M>::lend(Handful<M>& handful, std::size_t places) noexcept
{
    Handful<M>** last = &handfuls_;
    while (*last)
        last = &(*last)->next_;
    *last = &handful;
    handful.next_ = nullptr;
    handful.is_on_loan_ = true;
    set_loan(handful, places);
}

template <class M>
void ChannelCore<M>::end_loan(Handful<M>& handful) noexcept
{
    if (!handful.is_on_loan_)
        return;
    Handful<M>** place = &handfuls_;
    while (*place != &handful)
        place = &(*place)->next_;
    *place = handful.next_;
    handful.is_on_loan_ = false;
    set_loan(handful, 0);
}

template <class M>
void ChannelCore<M>::set_loan(Handful<M>& handful, std::size_t places) noexcept
{
    count(lent_, lent_.load(std::memory_order_relaxed) + places - handful.lent_);
    handful.lent_ = places;
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
