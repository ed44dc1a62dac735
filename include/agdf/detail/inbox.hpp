#pragma once

// Floor 3: the queue of a node, and the start items that come before it.

#include <agdf/concepts.hpp>
#include <agdf/detail/channel_core.hpp>
#include <agdf/detail/node_run.hpp>
#include <agdf/detail/ring.hpp>
#include <agdf/detail/sequencer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
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
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox();

    [[nodiscard]] ChannelCore<M>& channel() noexcept { return channel_; }
    [[nodiscard]] const ChannelCore<M>& channel() const noexcept { return channel_; }

    void add_start(M message)
    {
        const std::lock_guard lock{mutex_};
        starts_.push(std::move(message));
        channel_.skip_stamp();
        start_count_.store(starts_.size(), std::memory_order_relaxed);
    }

    [[nodiscard]] Got get(Getting<M>& receiver) { return take_start(receiver) ? Got::item : channel_.get(receiver); }
    [[nodiscard]] Got try_get(Getting<M>& receiver) { return take_start(receiver) ? Got::item : channel_.try_get(receiver); }

    [[nodiscard]] bool has_starts() const noexcept { return start_count_.load(std::memory_order_relaxed) > 0; }

    [[nodiscard]] std::size_t waiting() const noexcept
    {
        return channel_.waiting() + start_count_.load(std::memory_order_relaxed);
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
        receiver.stamp = starts_taken_++;
        starts_.pop();
        start_count_.store(starts_.size(), std::memory_order_relaxed);
        return true;
    }

    ChannelCore<M> channel_;
    std::mutex mutex_;
    Ring<M> starts_;
    std::uint64_t starts_taken_ = 0;
    std::atomic<std::size_t> start_count_{0};
};

// Out of the class, so that `extern template` covers it.
template <class M>
Inbox<M>::~Inbox() = default;

template <class In>
class PoliciesFor;

/// A node in a run, as those see it who send to it.
template <class In>
class NodeInput : public NodeRun {
public:
    using Message = Envelope<Stored<In>>;

    NodeInput(RunState& run, std::string name, NodeOptions options, Sharing sharing)
        : NodeRun(run, std::move(name), std::move(options)), inbox_(this->options().queue_size, sharing)
    {
        const NodeOptions& mine = this->options();
        inbox_.channel().drop_on_overflow(mine.overflow);
        if constexpr (!std::is_void_v<In>) {
            if (mine.queue_weight)
                inbox_.channel().limit_weight(mine.queue_weight.most(),
                                              [this](const void* message) { return weight_of(static_cast<const Message*>(message)->value); });
        }
        if ((mine.ordered || mine.ordered_by_key) && mine.workers > 1)
            sequencer_ = std::make_unique<Sequencer>(sharing == Sharing::many_strands);
    }

    ~NodeInput() override;

    [[nodiscard]] Inbox<Message>& inbox() noexcept { return inbox_; }

    /// What keeps the order of a node with several workers; null if it keeps none.
    [[nodiscard]] Sequencer* sequencer() noexcept { return sequencer_.get(); }

    /// The policies of one of its workers, made if there are none yet.
    [[nodiscard]] virtual PoliciesFor<In>& policies_of_worker(std::size_t index) = 0;

    void close_input() noexcept override { inbox_.channel().close(); }
    void abandon_waiters() noexcept override { inbox_.channel().abandon_waiters(); }
    void discard_input() noexcept override
    {
        discarded_.add(inbox_.channel().discard());
        const std::size_t starts = inbox_.discard_starts();
        if constexpr (!std::is_void_v<In>)  // that a source did not start is no loss
            discarded_.add(starts);
    }

    /// Counts items that were offered and will not be worked on; by a producer or a body that had to give up.
    void count_refused(std::size_t count = 1) noexcept { refused_.fetch_add(count, std::memory_order_relaxed); }
    /// The same for an item that came to a closed queue, and was not counted there.
    void count_late() noexcept { late_.fetch_add(1, std::memory_order_relaxed); }

    /// Nobody reads any more: what waits and what still comes is counted, and the producers go on.
    void abandon_input() noexcept
    {
        close_input();
        discard_input();
    }

    [[nodiscard]] NodeStats stats() const override
    {
        NodeStats stats;
        const ChannelCore<Message>& channel = inbox_.channel();
        stats.name = name();
        const std::uint64_t late = late_.load(std::memory_order_relaxed);
        stats.in = channel.offered() + late;
        stats.queued = std::is_void_v<In> ? channel.size() : inbox_.waiting();
        stats.queue_size = channel.capacity();
        stats.queue_peak = channel.peak();
        stats.dropped = channel.dropped();
        stats.undelivered = discarded_.get() + late + refused_.load(std::memory_order_relaxed);
        add_workers_to(stats);
        return stats;
    }

private:
    [[nodiscard]] std::size_t weight_of(const Stored<In>& item) const noexcept
    {
        const QueueWeight& bound = options().queue_weight;
        try {
            return bound.weight()(std::addressof(item));
        } catch (...) {
            return bound.most();
        }
    }

    Inbox<Message> inbox_;
    std::unique_ptr<Sequencer> sequencer_;
    Counter discarded_;
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> late_{0};
};

template <class In>
NodeInput<In>::~NodeInput() = default;

/// A further queue of a node whose body has several receivers; the workers belong to the node.
template <class In>
class ExtraInput final : public NodeInput<In> {
public:
    using NodeInput<In>::NodeInput;

    void make_workers(const std::function<Lane&()>&) override {}
    [[nodiscard]] PoliciesFor<In>& policies_of_worker(std::size_t) override { std::abort(); }
    void make_bodies() override {}
    void drop_bodies() noexcept override {}

private:
    [[nodiscard]] std::unique_ptr<WorkerBase> make_worker(Lane&) override { std::abort(); }
};

}  // namespace agdf::detail
