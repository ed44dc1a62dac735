#pragma once

// Floor 2: what `ChannelCore` does when somebody has to wait, is woken or goes; and all else that is not the usual path of a
// message.

#include <agdf/detail/channel_core.hpp>

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
    const bool is_simple = buffer_.has_values_alone() && !is_closed() && senders_.empty() && (receivers_.empty() || attended_);
    room_in_place_.store(is_simple ? std::min(capacity_, buffer_.values().allocated()) : 0, std::memory_order_relaxed);
}

template <class M>
void ChannelCore<M>::take_many(std::vector<M>& into, std::size_t most)
{
    const auto lock = guard();
    peak_.note(size());
    most_lent_ = buffer_.has_values_alone() ? std::min(most, buffer_.size()) : 0;
    into.reserve(most_lent_);
    for (std::size_t i = 1; i <= most_lent_; ++i) {
        buffer_.take_front([&](auto&&... parts) { into.emplace_back(std::forward<decltype(parts)>(parts)...); });
        ++taken_;
        count(lent_, i);
    }
}

template <class M>
void ChannelCore<M>::let_senders_in()
{
    WakeList woken;
    {
        const auto lock = guard();
        refill(woken);
    }
    woken.wake();
}

template <class M>
void ChannelCore<M>::let_senders_in_later() noexcept
{
    try {
        let_senders_in();
    } catch (...) {
    }
}

template <class M>
Put ChannelCore<M>::put(Putting<M>& sender)
{
    bool lends = false;  // else whoever sends may have been resumed on another thread, and may have destroyed this
    const Put result = put_or_wait(sender, lends);
    if (lends && buffer_.size() + lent_.load() <= refill_at_) [[unlikely]]
        let_senders_in_later();  // the worker may have given places back without seeing that somebody waits
    return result;
}

template <class M>
Put ChannelCore<M>::put_or_wait(Putting<M>& sender, bool& lends)
{
    Waiter* receiver = nullptr;
    {
        const auto lock = guard();
        const Put result = store(*sender.message, receiver);
        if (result == Put::waiting) {
            peak_.note(size());
            lends = most_lent_ > 0;
        }
        if (result == Put::closed || (result == Put::waiting && !finds_room_after_all(sender)))
            return result;
        if (!receiver && has_lone_ends_)
            receiver = serve_receiver();
        sender.message.reset();
    }
    if (receiver)
        receiver->wake();
    return Put::stored;
}

template <class M>
void ChannelCore<M>::pass_on()
{
    if (is_shared() || !attended_)  // it is for one strand, and so is not looked at without the lock
        return;
    attended_ = false;
    Waiter* const receiver = serve_receiver();
    WakeList woken;
    refill(woken);
    look_for_room();
    if (receiver)
        receiver->wake();
    woken.wake();
}

template <class M>
bool ChannelCore<M>::withdraw(Putting<M>& sender) noexcept
{
    const auto lock = guard();
    if (!sender.is_waiting())
        return false;
    senders_.remove(sender);
    count(parked_, senders_.size());
    look_for_room();
    return true;
}

template <class M>
bool ChannelCore<M>::withdraw(Getting<M>& receiver) noexcept
{
    const auto lock = guard();
    if (!receiver.is_waiting())
        return false;
    receivers_.remove(receiver);
    look_for_room();
    return true;
}

template <class M>
void ChannelCore<M>::close() noexcept
{
    WakeList woken;
    {
        const auto lock = guard();
        closed_.store(true, std::memory_order_relaxed);
        while (Waiter* const waiter = senders_.pop())
            woken.push(*waiter);
        while (Waiter* const waiter = attended_ ? nullptr : receivers_.pop())  // else who attends to it sees to them
            woken.push(*waiter);
        count(parked_, 0);
        look_for_room();
    }
    woken.wake();
}

template <class M>
std::size_t ChannelCore<M>::discard() noexcept
{
    const auto lock = guard();
    peak_.note(size());
    std::size_t discarded = 0;
    for (; !buffer_.empty(); ++discarded)  // one by one: a lone producer may still be at it
        buffer_.drop_front();
    return discarded + lent_.exchange(0);  // which are left if their worker has ended for want of memory
}

template <class M>
void ChannelCore<M>::abandon_waiters() noexcept
{
    for (WaiterList* const list : {&senders_, &receivers_}) {
        for (;;) {
            Waiter* waiter = nullptr;
            {
                const auto lock = guard();
                waiter = list->pop();
                look_for_room();
            }
            if (!waiter)
                break;
            waiter->abandon();
        }
    }
}

template <class M>
Put ChannelCore<M>::put_by_dropping(M& message)
{
    for (;;) {
        std::optional<M> oldest;  // destroyed without the lock
        Waiter* receiver = nullptr;
        Put result{};
        {
            const auto lock = guard();
            result = store(message, receiver);
            if (result == Put::waiting) {
                dropped_.add();
                if (overflow_ == Overflow::drop_newest) {
                    buffer_.count_offered();
                    return Put::stored;
                }
                peak_.note(size());
                buffer_.take_front([&](auto&&... parts) { oldest.emplace(std::forward<decltype(parts)>(parts)...); });
            }
        }
        if (receiver)
            receiver->wake();
        if (result != Put::waiting)
            return result;
    }
}

template <class M>
bool ChannelCore<M>::finds_room_after_all(Putting<M>& sender)
{
    senders_.push(sender);
    buffer_.count_offered();
    parked_.store(senders_.size());
    look_for_room();
    if (!has_lone_ends_ || size() > refill_at_)
        return false;
    WakeList woken;  // the sender itself, which is awake
    refill(woken);
    return true;
}

template <class M>
Waiter* ChannelCore<M>::serve_receiver()
{
    if (receivers_.empty() || buffer_.empty())
        return nullptr;
    Getting<M>& receiver = next_receiver();
    give_front(receiver);
    look_for_room();
    return &receiver;
}

template <class M>
Getting<M>& ChannelCore<M>::next_receiver() noexcept
{
    if (is_shared())
        return static_cast<Getting<M>&>(*receivers_.pop());
    auto& receiver = static_cast<Getting<M>&>(*receivers_.pop_last());
    attended_ = receiver.attends;
    return receiver;
}

template <class M>
void ChannelCore<M>::end_receivers() noexcept
{
    WakeList woken;
    {
        const auto lock = guard();
        while (Waiter* const waiter = receivers_.pop())
            woken.push(*waiter);
        look_for_room();
    }
    woken.wake();
}

template <class M>
void ChannelCore<M>::hand_over()
{
    Waiter* receiver = nullptr;
    {
        const auto lock = guard();
        receiver = serve_receiver();
    }
    if (receiver)
        receiver->wake();
}

template <class M>
Got ChannelCore<M>::get(Getting<M>& receiver, bool wait)
{
    WakeList woken;
    {
        const auto lock = guard();
        if (buffer_.empty()) {
            if (is_closed())
                return Got::ended;
            if (!wait)
                return Got::waiting;
            attended_ = false;
            receivers_.push(receiver);
            look_for_room();
            if (!has_lone_ends_ || buffer_.empty())
                return Got::waiting;
            receivers_.remove(receiver);  // a message has come in between
            look_for_room();
        }
        peak_.note(size());
        give_front(receiver);
        if (!senders_.empty()) [[unlikely]]
            refill(woken);
    }
    if (!woken.empty()) [[unlikely]]
        woken.wake();
    return Got::item;
}

template <class M>
void ChannelCore<M>::refill(WakeList& woken)
{
    if (senders_.empty() || size() > refill_at_)
        return;
    while (!senders_.empty()) {
        auto& sender = static_cast<Putting<M>&>(*senders_.first());
        if (!has_room_for(*sender.message))
            break;
        try {
            buffer_.push_waiting(std::move(*sender.message));
        } catch (...) {  // without memory for more: those that are in are woken all the same
            if (woken.empty())
                throw;
            break;
        }
        sender.message.reset();
        senders_.remove(sender);
        woken.push(sender);
    }
    count(parked_, senders_.size());
    look_for_room();
}

}  // namespace agdf::detail
