#pragma once

// Floor 3: the queue of a node, and the start items that come before it.

#include <agdf/concepts.hpp>
#include <agdf/detail/channel_core.hpp>
#include <agdf/detail/run_state.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <type_traits>
#include <utility>

namespace agdf::detail {

/// A source is a node with one start item that carries nothing; so all nodes work alike.
///
/// Start items are not put into the queue: there may be any number of them, and the queue has a bound.
template <class M>
class Inbox {
public:
    Inbox(std::size_t queue_size, Sharing sharing) : channel_(queue_size, Refill::half_empty, sharing) {}

    [[nodiscard]] ChannelCore<M>& channel() noexcept { return channel_; }
    [[nodiscard]] const ChannelCore<M>& channel() const noexcept { return channel_; }

    void add_start(M message)
    {
        const std::lock_guard lock{mutex_};
        starts_.push_back(std::move(message));
        start_count_.store(starts_.size(), std::memory_order_relaxed);
    }

    [[nodiscard]] Got get(Getting<M>& receiver) { return take_start(receiver) ? Got::item : channel_.get(receiver); }
    [[nodiscard]] Got try_get(Getting<M>& receiver) { return take_start(receiver) ? Got::item : channel_.try_get(receiver); }

    [[nodiscard]] std::size_t waiting() const noexcept
    {
        return channel_.size() + start_count_.load(std::memory_order_relaxed);
    }

    /// Discards the start items that nobody has taken yet.
    std::size_t discard_starts() noexcept
    {
        const std::lock_guard lock{mutex_};
        const std::size_t count = starts_.size();
        starts_.clear();
        start_count_.store(0, std::memory_order_relaxed);
        return count;
    }

private:
    bool take_start(Getting<M>& receiver)
    {
        if (start_count_.load(std::memory_order_relaxed) == 0) [[likely]]
            return false;
        const std::lock_guard lock{mutex_};
        if (starts_.empty())
            return false;
        receiver.message.emplace(std::move(starts_.front()));
        starts_.pop_front();
        start_count_.store(starts_.size(), std::memory_order_relaxed);
        return true;
    }

    ChannelCore<M> channel_;
    std::mutex mutex_;
    std::deque<M> starts_;
    std::atomic<std::size_t> start_count_{0};
};

/// A node in a run, as those see it who send to it.
template <class In>
class NodeInput : public NodeRun {
public:
    using Message = Envelope<Stored<In>>;

    NodeInput(RunState& run, std::string name, NodeOptions options, Sharing sharing)
        : NodeRun(run, std::move(name), options), inbox_(options.queue_size, sharing)
    {
    }

    [[nodiscard]] Inbox<Message>& inbox() noexcept { return inbox_; }

    void close_input() noexcept override { inbox_.channel().close(); }
    void abandon_waiters() noexcept override { inbox_.channel().abandon_waiters(); }
    void discard_input() noexcept override
    {
        discarded_.add(inbox_.channel().discard());
        const std::size_t starts = inbox_.discard_starts();
        if constexpr (!std::is_void_v<In>)  // that a source did not start is no loss
            discarded_.add(starts);
    }

    /// Counts an item that was offered and will not be worked on; by a producer that had to give up.
    void count_refused() noexcept { refused_.fetch_add(1, std::memory_order_relaxed); }

protected:
    /// Fills in what the queue knows.
    void add_to(NodeStats& stats) const
    {
        const ChannelCore<Message>& channel = inbox_.channel();
        stats.name = name();
        stats.in = channel.offered();
        stats.queued = std::is_void_v<In> ? channel.size() : inbox_.waiting();
        stats.queue_size = channel.capacity();
        stats.queue_peak = channel.peak();
        stats.undelivered = discarded_.get() + refused_.load(std::memory_order_relaxed);
    }

private:
    Inbox<Message> inbox_;
    Counter discarded_;
    std::atomic<std::uint64_t> refused_{0};
};

}  // namespace agdf::detail
