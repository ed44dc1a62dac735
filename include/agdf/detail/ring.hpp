#pragma once

// Floor 1: the memory of a bounded queue.

#include <agdf/detail/config.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace agdf::detail {

/// First in, first out; its memory grows with what it holds, up to the bound that its owner keeps.
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

    [[nodiscard]] std::size_t size() const noexcept { return tail_ - head_; }
    [[nodiscard]] bool empty() const noexcept { return tail_ == head_; }
    [[nodiscard]] M& front() noexcept { return slots_[head_ & mask_]; }

    void push(M&& message)
    {
        if (size() == allocated()) [[unlikely]]
            grow();
        std::construct_at(slots_ + (tail_ & mask_), std::move(message));
        ++tail_;
    }

    void pop() noexcept
    {
        std::destroy_at(slots_ + (head_ & mask_));
        ++head_;
    }

    void clear() noexcept
    {
        while (!empty())
            pop();
    }

private:
    [[nodiscard]] std::size_t allocated() const noexcept { return slots_ ? mask_ + 1 : 0; }

    AGDF_NOINLINE void grow()
    {
        const std::size_t count = size();
        const std::size_t room = slots_ ? 2 * allocated() : 16;
        M* const slots = std::allocator<M>{}.allocate(room);
        for (std::size_t i = 0; i < count; ++i) {
            std::construct_at(slots + i, std::move(slots_[(head_ + i) & mask_]));
            std::destroy_at(slots_ + ((head_ + i) & mask_));
        }
        std::allocator<M>{}.deallocate(slots_, allocated());
        slots_ = slots;
        mask_ = room - 1;
        head_ = 0;
        tail_ = count;
    }

    M* slots_ = nullptr;
    std::size_t mask_ = 0;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

}  // namespace agdf::detail
