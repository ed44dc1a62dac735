#pragma once

// Floor 2: what a worker takes out of a shared queue for one lock.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace agdf::detail {

template <class M>
class ChannelCore;

/// Messages that a worker took together, in the order in which it begins them. Until then they count as waiting in the queue,
/// and keep their places there; and other workers of the node may take them over, so that none waits while a worker is free.
///
/// Thread-safety: `take` is for the owner, without a lock; the rest is for whoever has the queue's. So a message that is left
///                can be moved out under the lock while the owner takes the ones before it.
template <class M>
class Handful {
public:
    /// @param is_alone  Whether there is no other worker.
    explicit Handful(bool is_alone) noexcept : is_alone_(is_alone) {}
    Handful(const Handful&) = delete;
    Handful& operator=(const Handful&) = delete;
    ~Handful() = default;

    [[nodiscard]] bool is_alone() const noexcept { return is_alone_; }

    /// How many are left.
    [[nodiscard]] std::size_t size() const noexcept { return size_of(left_.load(std::memory_order_relaxed)); }

    /// The next message, which is the owner's from now on; null if none is left.
    [[nodiscard]] M* take() noexcept
    {
        std::uint64_t left = left_.load(std::memory_order_relaxed);
        do {
            if (size_of(left) == 0)
                return nullptr;
        } while (!change(left, left + 1));
        return &messages_[begin_of(left)];
    }

private:
    friend class ChannelCore<M>;

    // Where those that are left begin, and in the upper half where they end: in one number, so that two who take the last one
    // at the same time cannot both get it.
    static std::size_t begin_of(std::uint64_t left) noexcept { return static_cast<std::uint32_t>(left); }
    static std::size_t size_of(std::uint64_t left) noexcept { return (left >> 32) - begin_of(left); }

    [[nodiscard]] bool change(std::uint64_t& left, std::uint64_t to) noexcept
    {
        if (!is_alone_)
            return left_.compare_exchange_weak(left, to, std::memory_order_relaxed);
        left_.store(to, std::memory_order_relaxed);
        return true;
    }

    /// Leaves the message that the owner took last once more. Others only take from the end: its place is as it was.
    void put_back() noexcept { left_.fetch_sub(1, std::memory_order_relaxed); }

    /// The last `most` messages that are left are the caller's from now on; the first of them, and how many they are.
    [[nodiscard]] std::pair<M*, std::size_t> take_from_end(std::size_t most) noexcept
    {
        std::uint64_t left = left_.load(std::memory_order_relaxed);
        std::size_t count = 0;
        do {
            count = std::min(size_of(left), most);
        } while (!change(left, left - (static_cast<std::uint64_t>(count) << 32)));
        return {messages_.data() + begin_of(left) + size_of(left) - count, count};
    }

    /// Whether the owner has taken none since this was asked last.
    [[nodiscard]] bool stands_still() noexcept
    {
        const std::uint64_t left = left_.load(std::memory_order_relaxed);
        return std::exchange(seen_, left) == left;
    }

    template <class... Parts>
    void add(Parts&&... parts)
    {
        messages_.emplace_back(std::forward<Parts>(parts)...);
        left_.fetch_add(std::uint64_t{1} << 32, std::memory_order_relaxed);
    }

    void clear() noexcept
    {
        messages_.clear();
        left_.store(0, std::memory_order_relaxed);
    }

    std::vector<M> messages_;
    std::atomic<std::uint64_t> left_{0};
    const bool is_alone_;
    bool is_on_loan_ = false;  // the owner changes it: it needs no lock to ask
    std::size_t lent_ = 0;     // how many count as waiting in the queue
    std::uint64_t seen_ = 0;
    Handful* next_ = nullptr;  // of those on loan
};

}  // namespace agdf::detail
