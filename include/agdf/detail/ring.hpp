#pragma once

// Floor 1: the memory of a bounded queue.

#include <agdf/detail/config.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace agdf::detail {

/// First in, first out; its memory grows with what it holds, up to the bound that its owner keeps.
///
/// Thread-safety: `size` and `pushed` may be read from any thread, the rest is for one at a time.
template <class M>
class Ring {
public:
    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring()
    {
        clear();
        std::allocator<M>{}.deallocate(slots_, allocated());
    }

    /// How many were pushed since the beginning.
    [[nodiscard]] std::size_t pushed() const noexcept { return tail_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t popped() const noexcept { return head_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t size() const noexcept
    {
        const std::size_t pushed = this->pushed();  // first, so that nobody ever reads more than there was room for
        const std::size_t popped = this->popped();
        return pushed > popped ? pushed - popped : 0;
    }
    [[nodiscard]] bool empty() const noexcept { return pushed() == popped(); }
    [[nodiscard]] std::size_t allocated() const noexcept { return slots_ ? mask_ + 1 : 0; }
    [[nodiscard]] M& front() noexcept { return slots_[popped() & mask_]; }

    void push(M&& message)
    {
        if (size() == allocated()) [[unlikely]]
            grow();
        Writer{*this}.emplace(std::move(message));
    }

    /// Puts messages into places that are allocated and free, with its position in a register: nobody else pushes meanwhile.
    class Writer {
    public:
        explicit Writer(Ring& ring) noexcept : slots_(ring.slots_), mask_(ring.mask_), tail_(ring.pushed()), ring_tail_(ring.tail_) {}

        template <class... Parts>
        AGDF_ALWAYS_INLINE void emplace(Parts&&... parts)
        {
            std::construct_at(slots_ + (tail_ & mask_), std::forward<Parts>(parts)...);
            ring_tail_.store(++tail_, std::memory_order_relaxed);
        }

    private:
        M* const slots_;
        const std::size_t mask_;
        std::size_t tail_;
        std::atomic<std::size_t>& ring_tail_;
    };

    /// Takes messages likewise: nobody else takes or pushes meanwhile.
    class Reader {
    public:
        explicit Reader(Ring& ring) noexcept : slots_(ring.slots_), mask_(ring.mask_), head_(ring.popped()), ring_head_(ring.head_) {}

        /// Takes the front out of the count; it lies in its place until the caller destroys it.
        [[nodiscard]] AGDF_ALWAYS_INLINE M& take() noexcept
        {
            M& message = slots_[head_ & mask_];
            ring_head_.store(++head_, std::memory_order_relaxed);
            return message;
        }

    private:
        M* const slots_;
        const std::size_t mask_;
        std::size_t head_;
        std::atomic<std::size_t>& ring_head_;
    };

    void pop() noexcept { std::destroy_at(&Reader{*this}.take()); }

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
        const std::size_t room = slots_ ? 2 * allocated() : 16;
        M* const slots = std::allocator<M>{}.allocate(room);
        for (std::size_t i = head; i < head + count; ++i) {
            std::construct_at(slots + (i & (room - 1)), std::move(slots_[i & mask_]));
            std::destroy_at(slots_ + (i & mask_));
        }
        std::allocator<M>{}.deallocate(slots_, allocated());
        slots_ = slots;
        mask_ = room - 1;
    }

    M* slots_ = nullptr;
    std::size_t mask_ = 0;
    std::atomic<std::size_t> head_{0};
    std::atomic<std::size_t> tail_{0};
};

}  // namespace agdf::detail
