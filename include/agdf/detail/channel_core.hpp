#pragma once

// Floor 2: the one bounded queue of the library, under `Channel` and under every node.
//
//      senders ──► [ parked: waiting for room ] ──► [ buffer ≤ capacity ] ──► [ waiting receivers ]
//
// Both waiting lists hold the message itself, so that whoever makes progress finishes the other's operation: a push
// hands its message to the first waiting receiver, a pop moves parked messages into the buffer. An operation that is
// no longer in its list is finished, and cannot be cancelled any more: that is what makes cancellation and time-outs
// free of races. At most one of the two lists is in use at a time.

#include <agdf/detail/counter.hpp>
#include <agdf/detail/envelope.hpp>
#include <agdf/detail/message_buffer.hpp>
#include <agdf/detail/optional_mutex.hpp>
#include <agdf/detail/ring.hpp>
#include <agdf/detail/waiter.hpp>
#include <agdf/overflow.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace agdf::detail {

/// Thread-safety: as `Sharing` says; the counts may be read from any thread at any time.
template <class M>
class ChannelCore {
    using Kept = typename KeptOf<M>::Type;

public:
    ChannelCore(std::size_t capacity, Refill refill, Sharing sharing) noexcept
        : buffer_(capacity),
          mutex_(sharing != Sharing::one_strand),
          has_lone_ends_(sharing == Sharing::two_strands && capacity <= most_bytes_across / sizeof(Kept)),
          capacity_(capacity),
          refill_at_(refill == Refill::half_empty ? capacity / 2 : capacity - 1)
    {
        look_for_room();
    }
    ChannelCore(const ChannelCore&) = delete;
    ChannelCore& operator=(const ChannelCore&) = delete;
    ~ChannelCore() { abandon_waiters(); }

    /// Drops items instead of letting senders wait; before anybody uses the channel.
    void drop_on_overflow(Overflow overflow) noexcept
    {
        overflow_ = overflow;
        has_lone_ends_ = has_lone_ends_ && overflow == Overflow::wait;
    }

    [[nodiscard]] bool waits_when_full() const noexcept { return overflow_ == Overflow::wait; }

    /// Bounds the buffer by weight as well; before anybody uses the channel. `weigh` gets a pointer to the message, and must not
    /// throw.
    void limit_weight(std::size_t most, BesideBuffer::Weigh weigh)
    {
        buffer_.limit_weight(most, std::move(weigh));
        look_at_every_message();
    }

    /// Lets messages carry acknowledgements; before anybody uses the channel.
    void carry_acknowledgements()
    {
        buffer_.carry_acknowledgements();
        look_at_every_message();
    }

    /// Leaves out a stamp, for something that is taken before all messages; before anybody uses the channel.
    void skip_stamp() noexcept { ++taken_; }

    // The next ones are the usual case of a put and of a get and nothing else, for workers on one strand. Those that put are
    // also for one who puts alone, while another one gets alone on another strand.

    /// How many messages are simply to be put into `writer` now; `end_writing` comes afterwards if the ends are alone.
    [[nodiscard]] std::size_t room_in_place() const noexcept
    {
        const std::size_t size = pushed() - buffer_.values().popped();
        const std::size_t room = room_in_place_.load(std::memory_order_relaxed);
        return size < room ? room - size : 0;
    }
    [[nodiscard]] std::size_t pushed() const noexcept { return buffer_.values().pushed(); }
    [[nodiscard]] auto writer() noexcept { return typename Ring<Kept>::Writer{buffer_.values()}; }
    /// How many of them one `writer` can put, since it goes through the buffer's memory in one direction.
    [[nodiscard]] std::size_t row_to_put() const noexcept { return buffer_.values().row_to_push(); }

    /// How many messages are simply to be taken from `reader` now. `end_reading` comes afterwards, and before anything else is
    /// done with the channel.
    [[nodiscard]] std::size_t ready_in_place() noexcept
    {
        if (is_shared() || !buffer_.has_values_alone())
            return 0;
        const std::size_t size = buffer_.size();
        peak_.note(size);
        return size;
    }
    /// How many of them one `reader` can take.
    [[nodiscard]] std::size_t row_to_take() const noexcept { return buffer_.values().row_to_take(); }
    [[nodiscard]] auto reader() noexcept { return typename Ring<Kept>::Reader{buffer_.values()}; }
    void end_reading()
    {
        if (!senders_.empty()) [[unlikely]]
            let_senders_in();
    }

    // The next ones are for a channel with one worker at each end, on two strands: no lock, unless somebody has to be woken.
    // Each side publishes what it did, and then looks whether the other one waits; who waits says so, and then looks once
    // more. All in one order, so that one of them always sees the other.

    [[nodiscard]] bool has_lone_ends() const noexcept { return has_lone_ends_; }

    /// Whether the other side waits, as far as can be seen at the moment: then it is time for `end_writing`.
    [[nodiscard]] bool wants_end_of_writing() const noexcept { return room_in_place_.load(std::memory_order_relaxed) == 0; }

    void end_writing()
    {
        buffer_.values().publish();
        if (is_receiver_waiting_.load()) [[unlikely]]
            hand_over();
    }

    /// How many messages are there to be taken with `get_across`.
    [[nodiscard]] std::size_t ready_across() noexcept
    {
        peak_.note(buffer_.size());
        pushed_ = pushed();
        return pushed_ - buffer_.values().popped();
    }

    /// Takes one of those messages.
    [[nodiscard]] M get_across()
    {
        Ring<Kept>& values = buffer_.values();
        M message{std::move(values.front())};
        ++taken_;
        if (pushed_ - values.popped() > refill_at_ + 1) {
            values.pop();
            return message;
        }
        values.pop_across();
        if (is_sender_waiting_.load()) [[unlikely]]
            let_senders_in();
        return message;
    }

    // The next two are for workers on several strands: many messages for one lock.

    /// Moves up to `most` messages into `into`, which is empty. They still count as waiting here, and keep their places, until
    /// `give_back`.
    void take_many(std::vector<M>& into, std::size_t most);

    /// `count` messages that were taken together do not wait any more. Senders who wait for a place are looked for without the
    /// lock: who waits says so and then looks how many places are lent, and who gives one back does it the other way round.
    void give_back(std::size_t count = 1) noexcept
    {
        lent_.store(lent_.load(std::memory_order_relaxed) - count);
        if (parked_.load() > 0 && size() <= refill_at_) [[unlikely]]
            let_senders_in_later();
    }

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
    [[nodiscard]] Put put(Putting<M>& sender);

    /// Takes a message into `receiver.message`, or says that there is none now or ever.
    [[nodiscard]] Got try_get(Getting<M>& receiver) { return get(receiver, false); }

    /// The same, but lets the receiver wait if there is none now.
    [[nodiscard]] Got get(Getting<M>& receiver)
    {
        const Got got = get(receiver, true);
        if (got == Got::ended)
            end_receivers();
        return got;
    }

    /// Who attends to the queue cannot take the next message now: if there is one, somebody else who waits does.
    void pass_on();

    /// Ends a waiting operation; false if it is finished already, and its result stands.
    [[nodiscard]] bool withdraw(Putting<M>& sender) noexcept;

    [[nodiscard]] bool withdraw(Getting<M>& receiver) noexcept;

    /// Lets nothing more in. What is buffered can still be taken; waiting senders keep their message.
    void close() noexcept;

    /// Discards what is buffered, and says how much that was.
    std::size_t discard() noexcept;

    /// Destroys everybody who waits here.
    void abandon_waiters() noexcept;

    [[nodiscard]] bool is_shared() const noexcept { return mutex_.is_needed(); }
    [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t size() const noexcept { return buffer_.size() + lent_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t parked() const noexcept { return parked_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t waiting_receivers() noexcept
    {
        const auto lock = guard();
        return receivers_.size();
    }
    /// Messages that were stored, handed over or are waiting to be, since the beginning; it never goes back.
    [[nodiscard]] std::uint64_t offered() const noexcept { return buffer_.offered(); }
    /// The size as another thread may see it, who can find messages both in the buffer and in a batch as they change over.
    [[nodiscard]] std::size_t waiting() const noexcept { return std::min(size(), capacity_); }
    [[nodiscard]] std::size_t peak() const noexcept
    {
        peak_.note(waiting());
        return peak_.get();
    }
    /// Messages that were given up because there was no room.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.get(); }

private:
    [[nodiscard]] std::lock_guard<OptionalMutex> guard() { return std::lock_guard{mutex_}; }

    // One thread writes at a time, any may read: a plain store is enough.
    static void count(std::atomic<std::size_t>& counter, std::size_t value) noexcept
    {
        counter.store(value, std::memory_order_relaxed);
    }

    void look_at_every_message() noexcept
    {
        has_lone_ends_ = false;
        look_for_room();
    }

    /// Sets up to which size messages are simply put into the buffer; after each change of what that depends on.
    void look_for_room() noexcept;

    [[nodiscard]] bool has_room_for(const M& message) const
    {
        const std::size_t size = buffer_.size();
        if (size >= capacity_) [[unlikely]]
            return false;
        // Places that are lent are looked at only if it depends on them: the worker that gives them back is on another processor.
        if (most_lent_ >= capacity_ - size && lent_.load(std::memory_order_relaxed) >= capacity_ - size) [[unlikely]]
            return false;
        return buffer_.bears(message);
    }

    void push(M&& message)
    {
        if (has_lone_ends_ && buffer_.values().allocated() == 0)
            buffer_.values().allocate(capacity_);
        buffer_.push(std::move(message));
    }

    /// The message stays with the caller, who destroys it, if it is the one that is dropped.
    AGDF_NOINLINE Put put_by_dropping(M& message);

    /// The same as `put`, as far as can be seen while nothing changes.
    ///
    /// @param lends  Set if the sender waits, and the worker may give places back meanwhile.
    [[nodiscard]] Put put_or_wait(Putting<M>& sender, bool& lends);

    /// Lets a sender wait, unless a lone consumer has made room in between.
    [[nodiscard]] bool finds_room_after_all(Putting<M>& sender);

    /// Gives a message to somebody who waits for one, and returns whom to wake.
    [[nodiscard]] Waiter* serve_receiver();

    /// Who gets the next message. On one strand it is who waits for the shortest time, whose memory is still in the processor's
    /// cache, and who then attends to the queue: so of ten thousand workers those are woken that are needed, and no other.
    [[nodiscard]] Getting<M>& next_receiver() noexcept;

    /// The queue is closed and empty: those who wait have reached the end.
    void end_receivers() noexcept;

    AGDF_NOINLINE void hand_over();

    Put store(M& message, Waiter*& woken)
    {
        if (is_closed()) [[unlikely]]
            return Put::closed;
        if (!receivers_.empty() && !attended_) [[unlikely]] {
            Getting<M>& receiver = next_receiver();
            woken = &receiver;
            give(receiver, std::move(message));
            buffer_.count_offered();
            look_for_room();
            return Put::stored;
        }
        if (!senders_.empty() || !has_room_for(message)) [[unlikely]]
            return Put::waiting;
        push(std::move(message));
        look_for_room();
        return Put::stored;
    }

    Got get(Getting<M>& receiver, bool wait);

    void give(Getting<M>& receiver, M&& message)
    {
        receiver.message.emplace(std::move(message));
        receiver.stamp = taken_++;
    }
    void give_front(Getting<M>& receiver)
    {
        buffer_.take_front([&](auto&&... parts) { receiver.message.emplace(std::forward<decltype(parts)>(parts)...); });
        receiver.stamp = taken_++;
    }

    void refill(WakeList& woken);
    AGDF_NOINLINE void let_senders_in();
    /// The same, unless memory is missing: who asks next for a message tries again.
    AGDF_NOINLINE void let_senders_in_later() noexcept;

    // Between lone ends all memory of the buffer is allocated at once, since it cannot move while both are at it; larger
    // ones use the lock.
    static constexpr std::size_t most_bytes_across = 256 * 1'024;

    MessageBuffer<M> buffer_;
    alignas(cache_line) std::size_t pushed_ = 0;  // what the lone consumer last saw of the other side
    std::atomic<std::size_t> lent_{0};            // taken by the only worker in a batch, but not begun; it alone changes that
    alignas(cache_line) std::atomic<std::size_t> room_in_place_{0};
    std::atomic<bool> is_sender_waiting_{false};
    std::atomic<bool> is_receiver_waiting_{false};
    OptionalMutex mutex_;
    bool has_lone_ends_;
    bool attended_ = false;  // somebody who was woken takes the next messages, although others wait
    WaiterList senders_;
    WaiterList receivers_;
    std::size_t most_lent_ = 0;  // what lent_ was at the beginning of the batch
    std::atomic<std::size_t> parked_{0};
    mutable Peak peak_;  // noted when somebody is about to take, which is when the buffer is at its fullest
    Counter dropped_;
    std::uint64_t taken_ = 0;
    std::atomic<bool> closed_{false};
    Overflow overflow_ = Overflow::wait;
    const std::size_t capacity_;
    const std::size_t refill_at_;
};

}  // namespace agdf::detail

#include <agdf/detail/channel_waits.hpp>
