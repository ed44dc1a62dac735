#pragma once

// Floor 2: the one bounded queue of the library, under `Channel` and under every node.
//
//      senders ──► [ parked: waiting for room ] ──► [ buffer ≤ capacity ] ──► [ waiting receivers ]
//
// Both waiting lists hold the message itself, so that whoever makes progress finishes the other's operation: a push
// hands its message to the first waiting receiver, a pop moves parked messages into the buffer. An operation that is
// no longer in its list is finished, and cannot be cancelled any more: that is what makes cancellation and time-outs
// free of races. At most one of the two lists is in use at a time.

#include <agdf/detail/buffer_weight.hpp>
#include <agdf/detail/ring.hpp>
#include <agdf/detail/waiter.hpp>
#include <agdf/overflow.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace agdf::detail {

/// Asked by a source that wants to know when its item has been dealt with; reserved.
class Acknowledgement;

/// What travels through a channel: the value, and null unless its source asks for acknowledgements.
template <class T>
struct Envelope {
    T value;
    Acknowledgement* acknowledgement = nullptr;
};

enum class Put { stored, waiting, closed };
enum class Got { item, waiting, ended };

/// Who takes part in a channel decides whether it needs its lock.
enum class Sharing { one_strand, many_threads };

/// When a waiting sender is let in: at the first free place, or when half of the places are free, which moves many
/// items for one wake and is what a pipeline wants.
enum class Refill { first_place, half_empty };

/// Thread-safety: as `Sharing` says; the counts may be read from any thread at any time.
template <class M>
class ChannelCore {
public:
    ChannelCore(std::size_t capacity, Refill refill, Sharing sharing) noexcept
        : capacity_(capacity),
          refill_at_(refill == Refill::half_empty ? capacity / 2 : capacity - 1),
          shared_(sharing == Sharing::many_threads)
    {
    }
    ChannelCore(const ChannelCore&) = delete;
    ChannelCore& operator=(const ChannelCore&) = delete;
    ~ChannelCore() { abandon_waiters(); }

    /// Drops items instead of letting senders wait; before anybody uses the channel.
    void drop_on_overflow(Overflow overflow) noexcept { overflow_ = overflow; }

    /// Bounds the buffer by weight as well; before anybody uses the channel. `weigh` must not throw.
    void limit_weight(std::size_t most, std::function<std::size_t(const M&)> weigh)
    {
        weight_ = std::make_unique<BufferWeight<M>>(most, std::move(weigh));
    }

    /// Leaves out a stamp, for something that is taken before all messages; before anybody uses the channel.
    void skip_stamp() noexcept { ++taken_; }

    /// Stores a message if that is possible at once; it is moved from only then. A message that is dropped counts as
    /// stored.
    [[nodiscard]] Put try_put(M& message)
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

    /// Stores a sender's message, or lets the sender wait with it.
    [[nodiscard]] Put put(Putting<M>& sender)
    {
        Waiter* receiver = nullptr;
        {
            const auto lock = guard();
            const Put result = store(*sender.message, receiver);
            if (result == Put::waiting) {
                senders_.push(sender);
                count_offered();
                count(parked_, senders_.size());
            }
            if (result != Put::stored)
                return result;
            sender.message.reset();
        }
        if (receiver)
            receiver->wake();
        return Put::stored;
    }

    /// Takes a message into `receiver.message`, or says that there is none now or ever.
    [[nodiscard]] Got try_get(Getting<M>& receiver) { return get(receiver, false); }

    /// The same, but lets the receiver wait if there is none now.
    [[nodiscard]] Got get(Getting<M>& receiver) { return get(receiver, true); }

    /// Ends a waiting operation; false if it is finished already, and its result stands.
    [[nodiscard]] bool withdraw(Putting<M>& sender) noexcept
    {
        const auto lock = guard();
        if (!sender.is_waiting())
            return false;
        senders_.remove(sender);
        count(parked_, senders_.size());
        return true;
    }

    [[nodiscard]] bool withdraw(Getting<M>& receiver) noexcept
    {
        const auto lock = guard();
        if (!receiver.is_waiting())
            return false;
        receivers_.remove(receiver);
        return true;
    }

    /// Lets nothing more in. What is buffered can still be taken; waiting senders keep their message.
    void close() noexcept
    {
        WakeList woken;
        {
            const auto lock = guard();
            closed_.store(true, std::memory_order_relaxed);
            while (Waiter* const waiter = senders_.pop())
                woken.push(*waiter);
            while (Waiter* const waiter = receivers_.pop())  // there are none unless the buffer is empty
                woken.push(*waiter);
            count(parked_, 0);
        }
        woken.wake();
    }

    /// Discards what is buffered, and says how much that was.
    std::size_t discard() noexcept
    {
        const auto lock = guard();
        const std::size_t discarded = buffer_.size();
        buffer_.clear();
        if (weight_)
            weight_->clear();
        count(size_, 0);
        return discarded;
    }

    /// Destroys everybody who waits here.
    void abandon_waiters() noexcept
    {
        for (WaiterList* const list : {&senders_, &receivers_}) {
            for (;;) {
                Waiter* waiter = nullptr;
                {
                    const auto lock = guard();
                    waiter = list->pop();
                }
                if (!waiter)
                    break;
                waiter->abandon();
            }
        }
    }

    [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t parked() const noexcept { return parked_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t waiting_receivers() noexcept
    {
        const auto lock = guard();
        return receivers_.size();
    }
    /// Messages that were stored, handed over or are waiting to be, since the beginning.
    [[nodiscard]] std::uint64_t offered() const noexcept { return offered_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }
    /// Messages that were given up because there was no room.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] std::unique_lock<std::mutex> guard() noexcept
    {
        return shared_ ? std::unique_lock{mutex_} : std::unique_lock<std::mutex>{};
    }

    // One thread writes at a time, any may read: a plain store is enough.
    static void count(std::atomic<std::size_t>& counter, std::size_t value) noexcept
    {
        counter.store(value, std::memory_order_relaxed);
    }

    static void count_one(std::atomic<std::uint64_t>& counter) noexcept
    {
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    void count_offered() noexcept { count_one(offered_); }

    [[nodiscard]] bool has_room_for(const M& message) const
    {
        if (buffer_.size() >= capacity_) [[unlikely]]
            return false;
        if (!weight_) [[likely]]
            return true;
        return buffer_.empty() || weight_->has_room_for(message);
    }

    void push(M&& message)
    {
        if (weight_) [[unlikely]]
            weight_->push(message);
        buffer_.push(std::move(message));
    }

    void pop() noexcept
    {
        if (weight_) [[unlikely]]
            weight_->pop();
        buffer_.pop();
    }

    /// The message stays with the caller, who destroys it, if it is the one that is dropped.
    AGDF_NOINLINE Put put_by_dropping(M& message)
    {
        for (;;) {
            std::optional<M> oldest;  // destroyed without the lock
            Waiter* receiver = nullptr;
            Put result{};
            {
                const auto lock = guard();
                result = store(message, receiver);
                if (result == Put::waiting) {
                    count_one(dropped_);
                    if (overflow_ == Overflow::drop_newest) {
                        count_offered();
                        return Put::stored;
                    }
                    oldest.emplace(std::move(buffer_.front()));
                    pop();
                    count(size_, buffer_.size());
                }
            }
            if (receiver)
                receiver->wake();
            if (result != Put::waiting)
                return result;
        }
    }

    Put store(M& message, Waiter*& woken)
    {
        if (is_closed()) [[unlikely]]
            return Put::closed;
        if (!receivers_.empty()) [[unlikely]] {
            woken = receivers_.pop();
            give(static_cast<Getting<M>&>(*woken), std::move(message));
            count_offered();
            return Put::stored;
        }
        if (!senders_.empty() || !has_room_for(message)) [[unlikely]]
            return Put::waiting;
        push(std::move(message));
        count_offered();
        const std::size_t size = buffer_.size();
        count(size_, size);
        if (size > peak_.load(std::memory_order_relaxed))
            count(peak_, size);
        return Put::stored;
    }

    Got get(Getting<M>& receiver, bool wait)
    {
        WakeList woken;
        {
            const auto lock = guard();
            if (buffer_.empty()) {
                if (is_closed())
                    return Got::ended;
                if (wait)
                    receivers_.push(receiver);
                return Got::waiting;
            }
            give(receiver, std::move(buffer_.front()));
            pop();
            if (!senders_.empty() && buffer_.size() <= refill_at_) [[unlikely]]
                refill(woken);
            count(size_, buffer_.size());
        }
        if (!woken.empty()) [[unlikely]]
            woken.wake();
        return Got::item;
    }

    void give(Getting<M>& receiver, M&& message)
    {
        receiver.message.emplace(std::move(message));
        receiver.stamp = taken_++;
    }

    void refill(WakeList& woken)
    {
        while (!senders_.empty()) {
            auto& sender = static_cast<Putting<M>&>(*senders_.first());
            if (!has_room_for(*sender.message))
                break;
            push(std::move(*sender.message));
            sender.message.reset();
            senders_.remove(sender);
            woken.push(sender);
        }
        count(parked_, senders_.size());
        if (buffer_.size() > peak_.load(std::memory_order_relaxed))
            count(peak_, buffer_.size());
    }

    std::mutex mutex_;
    Ring<M> buffer_;
    WaiterList senders_;
    WaiterList receivers_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::size_t> parked_{0};
    std::atomic<std::size_t> peak_{0};
    std::atomic<std::uint64_t> offered_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::uint64_t taken_ = 0;
    std::unique_ptr<BufferWeight<M>> weight_;
    std::atomic<bool> closed_{false};
    Overflow overflow_ = Overflow::wait;
    const std::size_t capacity_;
    const std::size_t refill_at_;
    const bool shared_;
};

}  // namespace agdf::detail
