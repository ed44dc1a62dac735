#pragma once

// Floor 2: the messages that a channel keeps.

#include <agdf/detail/beside_buffer.hpp>
#include <agdf/detail/envelope.hpp>
#include <agdf/detail/ring.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace agdf::detail {

/// Messages in their order, and how many were offered. Their values lie in a ring, for whoever puts and takes them in place; what
/// most queues have none of, weights and acknowledgements, is kept beside it, in step.
///
/// Thread-safety: `size` and `offered` may be read from any thread at any time. The rest is for one at a time, but for what
/// `Ring` says of its own.
template <class M>
class MessageBuffer {
    using Kept = typename KeptOf<M>::Type;

public:
    /// @param most  The bound that its owner keeps.
    explicit MessageBuffer(std::size_t most) noexcept : values_(most) {}

    /// Bounds the messages by weight as well; before the first one. `weigh` gets a pointer to the message, and must not throw.
    void limit_weight(std::size_t most, BesideBuffer::Weigh weigh)
    {
        besides_ = std::make_unique<BesideBuffer>(most, std::move(weigh));
    }

    /// Lets messages carry acknowledgements; before the first one. Else nothing is kept but their values.
    void carry_acknowledgements()
    {
        if (!besides_)
            limit_weight(std::numeric_limits<std::size_t>::max(), [](const void*) { return std::size_t{0}; });
    }

    /// Whether values are all that there is: then they may be put and taken without the buffer.
    [[nodiscard]] bool has_values_alone() const noexcept { return !besides_; }
    [[nodiscard]] Ring<Kept>& values() noexcept { return values_; }
    [[nodiscard]] const Ring<Kept>& values() const noexcept { return values_; }

    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
    /// A message that is heavier than the bound goes alone.
    [[nodiscard]] bool bears(const M& message) const { return !besides_ || empty() || besides_->has_room_for(std::addressof(message)); }

    void push(M&& message)
    {
        if (besides_) [[unlikely]]
            prepare_push(message);
        values_.push(std::move(message));
    }

    /// The same for a message that has waited: it is counted as offered already.
    void push_waiting(M&& message)
    {
        prepare_push(message);
        values_.place(std::move(message));
        const std::size_t moves = moves_.load(std::memory_order_relaxed);
        moves_.store(moves + 1, std::memory_order_relaxed);  // who reads waits for the end of this: nothing of a user's is called in it
        values_.count_placed();
        offered_besides_.store(offered_besides_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
        moves_.store(moves + 2, std::memory_order_release);
    }

    /// Moves the message at the front to where `emplace` makes it of its parts.
    template <class Emplace>
    void take_front(const Emplace& emplace)
    {
        if constexpr (std::is_same_v<Kept, M>)
            emplace(std::move(values_.front()));
        else
            emplace(std::move(values_.front()), besides_ ? besides_->front_acknowledgement() : nullptr);
        drop_front();
    }
    void drop_front() noexcept
    {
        if (besides_) [[unlikely]]
            besides_->pop();
        values_.pop();
    }

    /// Counts a message that is not pushed, or not yet.
    void count_offered() noexcept
    {
        offered_besides_.store(offered_besides_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    /// Messages that were pushed or counted, since the beginning; it never goes back.
    [[nodiscard]] std::uint64_t offered() const noexcept
    {
        for (;;) {
            const std::size_t before = moves_.load(std::memory_order_acquire);
            const std::uint64_t offered = values_.pushed() + offered_besides_.load(std::memory_order_acquire);
            if (before % 2 == 0 && moves_.load(std::memory_order_relaxed) == before)
                return offered;
        }
    }

private:
    /// Makes sure that the next push needs no memory, and pushes what is kept beside the values.
    void prepare_push(const M& message)
    {
        values_.make_room();
        if (!besides_)
            return;
        besides_->make_room();  // all or nothing: without memory the two must not get out of step
        if constexpr (requires { message.acknowledgement; })
            besides_->push(std::addressof(message), message.acknowledgement);
        else
            besides_->push(std::addressof(message), nullptr);
    }

    Ring<Kept> values_;
    std::unique_ptr<BesideBuffer> besides_;
    std::atomic<std::uint64_t> offered_besides_{0};
    std::atomic<std::size_t> moves_{0};  // from one count to the other; odd during one
};

}  // namespace agdf::detail
