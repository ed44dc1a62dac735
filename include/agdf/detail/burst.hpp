#pragma once

// Floor 2: outputs of a stream that go straight into their places in a queue.

#include <agdf/detail/channel_core.hpp>
#include <agdf/detail/counter.hpp>

#include <atomic>
#include <cstddef>
#include <utility>

namespace agdf::detail {

/// As many outputs as may just be put into a queue, since nobody else does anything there while a stream runs.
template <class T>
class Burst {
public:
    using Queue = ChannelCore<Envelope<T>>;

    /// Begins one, unless something is to be looked at before each output.
    ///
    /// @param most  At most as many as there is room for in place.
    void open(Queue& queue, std::size_t most, Counter& counter, const std::atomic<unsigned char>& disturbances) noexcept
    {
        if (most == 0 || disturbances.load(std::memory_order_relaxed) != 0)
            return;
        queue_ = &queue;
        counter_ = &counter;
        disturbances_ = &disturbances;
        begin_ = queue.pushed();
        end_ = begin_ + most;
    }

    [[nodiscard]] AGDF_ALWAYS_INLINE bool is_open() const noexcept { return queue_ != nullptr; }

    /// Puts one; false if the stream shall come back to its driver, always after the last one.
    [[nodiscard]] AGDF_ALWAYS_INLINE bool put(T&& item)
    {
        queue_->writer().emplace(0, std::move(item));
        counter_->add();
        return queue_->pushed() != end_ && !queue_->wants_end_of_writing() && disturbances_->load(std::memory_order_relaxed) == 0;
    }

    /// Ends it; returns how many were put.
    std::size_t close() noexcept
    {
        Queue* const queue = std::exchange(queue_, nullptr);
        if (!queue)
            return 0;
        const std::size_t count = queue->pushed() - begin_;
        if (count > 0 && queue->has_lone_ends())
            queue->end_writing();
        return count;
    }

private:
    Queue* queue_ = nullptr;
    Counter* counter_ = nullptr;
    const std::atomic<unsigned char>* disturbances_ = nullptr;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace agdf::detail
