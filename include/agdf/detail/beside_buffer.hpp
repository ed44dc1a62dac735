#pragma once

// Floor 2: what a queue with a bound of weight, or with acknowledgements, keeps beside the values in its buffer.

#include <agdf/detail/envelope.hpp>
#include <agdf/detail/ring.hpp>

#include <cstddef>
#include <functional>
#include <utility>

namespace agdf::detail {

/// The rest of the messages whose values are in a buffer, in the same order; most queues have none of this, and pay nothing. It
/// is one class for all types of messages, since each would cost every program's build some fifty functions.
class BesideBuffer {
public:
    /// Weighs the message to which the pointer points.
    using Weigh = std::function<std::size_t(const void*)>;

    BesideBuffer(std::size_t most, Weigh weigh) : most_(most), weigh_(std::move(weigh)) {}

    [[nodiscard]] bool has_room_for(const void* message) const { return total_ <= most_ && weigh_(message) <= most_ - total_; }

    /// Makes sure that the next push allocates nothing.
    void make_room() { rests_.make_room(); }
    void push(const void* message, Acknowledgement* acknowledgement)
    {
        const std::size_t weight = weigh_(message);
        rests_.push(Rest{weight, acknowledgement});
        total_ += weight;
    }
    void pop() noexcept
    {
        total_ -= rests_.front().weight;
        rests_.pop();
    }
    [[nodiscard]] Acknowledgement* front_acknowledgement() noexcept { return rests_.front().acknowledgement; }

private:
    struct Rest {
        std::size_t weight;  // as it was when the message came: what goes off again is what was put on
        Acknowledgement* acknowledgement;
    };

    const std::size_t most_;
    const Weigh weigh_;
    std::size_t total_ = 0;
    Ring<Rest> rests_;
};

}  // namespace agdf::detail
