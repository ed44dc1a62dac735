#pragma once

// Floor 1: the weight of what is in a queue.

#include <agdf/detail/ring.hpp>

#include <cstddef>
#include <functional>
#include <utility>

namespace agdf::detail {

/// What a buffer weighs, message by message, since each is weighed once only.
template <class M>
struct BufferWeight {
    BufferWeight(std::size_t most_, std::function<std::size_t(const M&)> weigh_) : most(most_), weigh(std::move(weigh_)) {}

    [[nodiscard]] bool has_room_for(const M& message) const { return total <= most && weigh(message) <= most - total; }
    void push(const M& message)
    {
        std::size_t weight = weigh(message);
        total += weight;
        weights.push(std::move(weight));
    }
    void pop() noexcept
    {
        total -= weights.front();
        weights.pop();
    }
    void clear() noexcept
    {
        weights.clear();
        total = 0;
    }

    const std::size_t most;
    const std::function<std::size_t(const M&)> weigh;
    std::size_t total = 0;
    Ring<std::size_t> weights;
};

}  // namespace agdf::detail
