#pragma once

// Floor 1: the memory of a bounded queue.

#include <agdf/detail/config.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

namespace agdf::detail {

/// First in, first out; its memory grows with what it holds, up to the bound that its owner keeps.
///
/// Thread-safety: `size` and `pushed` may be read from any thread. The rest is for one at a time; but once memory for all has
/// been allocated, one may push while another one takes.
template <class M>
class Ring {
public:
    /// @param most  The bound that its owner keeps.
    explicit Ring(std::size_t most = std::numeric_limits<std::size_t>::max()) noexcept : first_room_(first_room_for(most)) {}
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring()
    {
        clear();
        std::allocator<M>{}.deallocate(slots_, allocated());
    }

    /// How many were pushed since the beginning.
    [[nodiscard]] std::size_t pushed() const noexcept { return tail_.load(); }
    [[nodiscard]] std::size_t popped() const noexcept { return head_.load(); }
    [[nodiscard]] std::size_t size() const noexcept
    {
        const std::size_t pushed = this->pushed();  // first, so that nobody ever reads more than there was room for
        const std::size_t popped = this->popped();
        return pushed > popped ? pushed - popped : 0;
    }
    [[nodiscard]] bool empty() const noexcept { return pushed() == popped(); }
    [[nodiscard]] std::size_t allocated() const noexcept { return slots_ ? mask_ + 1 : 0; }
    [[nodiscard]] M& front() noexcept { return slots_[popped() & mask_]; }

    /// Makes sure that the next push allocates nothing.
    void make_room()
    {
        if (size() == allocated()) [[unlikely]]
            grow();
    }

    void push(M&& message)
    {
        make_room();
        place(std::move(message));
        count_placed();
    }

    // What follows `make_room` in a push: nobody sees what was placed before it is counted.
    void place(M&& message) { std::construct_at(slots_ + (pushed() & mask_), std::move(message)); }
    void count_placed() noexcept { tail_.store(pushed() + 1, std::memory_order_release); }

    /// How many places lie one behind the other in memory, from where the next message is put or taken.
    [[nodiscard]] std::size_t row_to_push() const noexcept { return allocated() - (pushed() & mask_); }
    [[nodiscard]] std::size_t row_to_take() const noexcept { return allocated() - (popped() & mask_); }

    // These two change nothing but the ring: so a loop keeps one number, how many have passed, and the compiler a register for it.

    /// Puts a row of messages into places that are allocated and free: nobody else pushes meanwhile.
    class Writer {
    public:
        explicit Writer(Ring& ring) noexcept : tail_(ring.pushed()), row_(ring.slots_ + (tail_ & ring.mask_)), ring_tail_(ring.tail_) {}

        /// @param index  How many were put before it.
        template <class... Parts>
        AGDF_ALWAYS_INLINE void emplace(std::size_t index, Parts&&... parts) const
        {
            std::construct_at(row_ + index, std::forward<Parts>(parts)...);
            ring_tail_.store(tail_ + index + 1, std::memory_order_release);
        }

    private:
        const std::size_t tail_;
        M* const row_;
        std::atomic<std::size_t>& ring_tail_;
    };

    /// Takes a row of messages likewise: nobody else takes or pushes meanwhile.
    class Reader {
    public:
        explicit Reader(Ring& ring) noexcept : head_(ring.popped()), row_(ring.slots_ + (head_ & ring.mask_)), ring_head_(ring.head_) {}

        /// Takes the front out of the count; it lies in its place until the caller destroys it.
        ///
        /// @param index  How many were taken before it.
        [[nodiscard]] AGDF_ALWAYS_INLINE M& take(std::size_t index) const noexcept
        {
            ring_head_.store(head_ + index + 1, std::memory_order_relaxed);  // the place is free only for those on the same strand
            return row_[index];
        }

    private:
        const std::size_t head_;
        M* const row_;
        std::atomic<std::size_t>& ring_head_;
    };

    void pop() noexcept
    {
        const std::size_t head = popped();
        std::destroy_at(slots_ + (head & mask_));
        head_.store(head + 1, std::memory_order_release);  // from here on the place is the other side's
    }

    // The next two are followed by a look at what the other side says, which is in one order with them.

    void publish() noexcept { tail_.exchange(pushed()); }
    void pop_across() noexcept
    {
        const std::size_t head = popped();
        std::destroy_at(slots_ + (head & mask_));
        head_.store(head + 1);
    }

    /// Allocates the memory for so many at once; before the first one.
    void allocate(std::size_t places)
    {
        const std::size_t room = std::bit_ceil(places);
        slots_ = std::allocator<M>{}.allocate(room);
        mask_ = room - 1;
    }

    void clear() noexcept
    {
        while (!empty())
            pop();
    }

private:
    AGDF_NOINLINE void grow()
    {
        const std::size_t head = popped();
        const std::size_t count = size();
        const std::size_t room = slots_ ? 2 * allocated() : first_room_;
        M* const slots = std::allocator<M>{}.allocate(room);
        for (std::size_t i = head; i < head + count; ++i) {
            std::construct_at(slots + (i & (room - 1)), std::move(slots_[i & mask_]));
            std::destroy_at(slots_ + (i & mask_));
        }
        std::allocator<M>{}.deallocate(slots_, allocated());
        slots_ = slots;
        mask_ = room - 1;
    }

    /// A short queue passes through it several times before its memory begins again, which ends a row; but not of large items.
    static constexpr std::size_t first_room_for(std::size_t most) noexcept
    {
        constexpr std::size_t usual = std::max(std::size_t{16}, std::bit_floor(512 / sizeof(M)));
        return usual * sizeof(M) > 4'096 && most < usual ? std::bit_ceil(most) : usual;
    }

    M* slots_ = nullptr;
    std::size_t mask_ = 0;
    const std::size_t first_room_;
    alignas(cache_line) std::atomic<std::size_t> head_{0};  // each side has a line of its own to write to
    alignas(cache_line) std::atomic<std::size_t> tail_{0};
};

}  // namespace agdf::detail
