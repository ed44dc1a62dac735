#pragma once

// Floor 3: the end of an edge in a worker of its source, and the groups of them of which each item takes one.

#include <agdf/detail/inbox.hpp>
#include <agdf/edge.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf::detail {

/// Where a port reports that its item has been taken.
class Arrivals {
public:
    explicit Arrivals(WorkerBase& worker) noexcept : worker_(worker) {}

    /// Starts counting with one item; the caller itself counts as one more until `wait_is_over`.
    void start() noexcept { missing_.store(2, std::memory_order_relaxed); }
    void expect() noexcept { missing_.fetch_add(1, std::memory_order_relaxed); }

    /// One more item was taken; the last one wakes the worker.
    void arrived() noexcept
    {
        if (is_last())
            worker_.wake_up();
    }

    /// The caller's own share: true if nothing is missing, else `arrived` will wake the worker.
    [[nodiscard]] bool wait_is_over() noexcept { return is_last(); }

    [[nodiscard]] WorkerBase& worker() noexcept { return worker_; }

private:
    [[nodiscard]] bool is_last() noexcept
    {
        // Else all of them are on one strand, where it needs no lock of the bus.
        if (worker_.lane().is_shared())
            return missing_.fetch_sub(1, std::memory_order_acq_rel) == 1;
        const std::size_t left = missing_.load(std::memory_order_relaxed) - 1;
        missing_.store(left, std::memory_order_relaxed);
        return left == 0;
    }

    WorkerBase& worker_;
    std::atomic<std::size_t> missing_{0};
};

/// One edge, as one worker of its source uses it.
template <class Out>
class Port {
public:
    Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    virtual ~Port() = default;

    /// Offers an item; false if there is no room. It is moved from if `last`, and else copied.
    virtual bool put(Out& item, bool last) = 0;
    /// Waits with the item that found no room; false if it was stored after all.
    virtual bool park() = 0;
    /// Both in one step, for the last edge: false if the item waits.
    virtual bool put_or_park(Out& item) { return put(item, true) || !park(); }
    /// Gives up waiting; the item counts as undelivered.
    virtual void withdraw() noexcept = 0;
    /// The queue, if an item goes into it as it is; a short cut for the most frequent case.
    [[nodiscard]] virtual ChannelCore<Envelope<Out>>* direct() noexcept = 0;
    /// How much waits at the other end.
    [[nodiscard]] virtual std::size_t load() const noexcept = 0;
};

template <class Out, class In, class Shape>
class PortTo final : public Port<Out>, private Putting<typename NodeInput<In>::Message> {
public:
    using Message = typename NodeInput<In>::Message;

    PortTo(Arrivals& arrivals, NodeInput<In>& destination, std::shared_ptr<Shape> shape)
        : arrivals_(arrivals), destination_(destination), shape_(std::move(shape))
    {
    }

    bool put(Out& item, bool last) override
    {
        if constexpr (IsWhere<Shape>::value) {
            if (goes_elsewhere(item) || !std::invoke(shape_->predicate, std::as_const(item)))
                return true;
        }
        if constexpr (IsMap<Shape>::value) {
            if constexpr (std::invocable<decltype(shape_->function)&, const Out&>) {
                if (!last)
                    return store(std::invoke(shape_->function, std::as_const(item)));
            } else if constexpr (Copies<Out>::value) {
                if (!last) {
                    Out copy(std::as_const(item));  // the function may empty it
                    return store(std::invoke(shape_->function, std::move(copy)));
                }
            }
            return store(std::invoke(shape_->function, std::move(item)));
        } else {
            if constexpr (Copies<Out>::value) {
                if (!last)
                    return store(std::as_const(item));
            }
            return store(std::move(item));
        }
    }

    bool park() override
    {
        const Put put = destination_.inbox().channel().put(*this);
        if (put == Put::closed) {
            this->message.reset();
            destination_.count_late();
        }
        return put == Put::waiting;
    }

    bool put_or_park(Out& item) override
    {
        if constexpr (is_direct) {
            if (destination_.inbox().channel().waits_when_full()) {
                this->message.emplace(Message{std::move(item)});
                return !park();
            }
        }
        return Port<Out>::put_or_park(item);
    }

    void withdraw() noexcept override
    {
        if (destination_.inbox().channel().withdraw(*this))
            wake();
    }

    [[nodiscard]] std::size_t load() const noexcept override
    {
        const auto& channel = destination_.inbox().channel();
        return channel.size() + channel.parked();
    }

    [[nodiscard]] ChannelCore<Envelope<Out>>* direct() noexcept override
    {
        if constexpr (is_direct)
            return &destination_.inbox().channel();
        else
            return nullptr;
    }

private:
    static constexpr bool is_direct = std::is_same_v<Out, In> && std::is_same_v<Shape, Plain>;

    /// Whether a variant holds an alternative for another edge.
    template <class Item>
    [[nodiscard]] static bool goes_elsewhere([[maybe_unused]] const Item& item) noexcept
    {
        if constexpr (AlternativeFor<Item, In>::exists)
            return item.index() != AlternativeFor<Item, In>::index;
        else
            return false;
    }

    template <class Item>
    bool store(Item&& item)
    {
        if (goes_elsewhere(item))
            return true;
        this->message.emplace(Message{convert<In>(std::forward<Item>(item))});
        if (destination_.inbox().channel().try_put(*this->message) != Put::stored)
            return false;
        this->message.reset();
        return true;
    }

    /// The wait is over; a message that is still here was refused.
    void wake() noexcept override
    {
        if (this->message) {
            this->message.reset();
            destination_.count_refused();
        }
        arrivals_.arrived();
    }
    void abandon() noexcept override { arrivals_.worker().abandon_all(); }

    Arrivals& arrivals_;
    NodeInput<In>& destination_;
    const std::shared_ptr<Shape> shape_;
};

/// Several edges of which each item takes one.
template <class Out>
class PortGroup final : public Port<Out> {
public:
    using Ports = std::vector<std::unique_ptr<Port<Out>>>;
    /// Says which edge an item takes, given the one that the last item took.
    using Choose = std::function<std::size_t(const Out&, const Ports&, std::size_t)>;

    explicit PortGroup(std::shared_ptr<const Choose> choose) : choose_(std::move(choose)) {}

    void add(std::unique_ptr<Port<Out>> port) { ports_.push_back(std::move(port)); }

    bool put(Out& item, bool last) override
    {
        chosen_ = (*choose_)(item, ports_, chosen_);
        return ports_[chosen_]->put(item, last);
    }
    bool park() override { return ports_[chosen_]->park(); }
    void withdraw() noexcept override { ports_[chosen_]->withdraw(); }
    [[nodiscard]] ChannelCore<Envelope<Out>>* direct() noexcept override { return nullptr; }
    [[nodiscard]] std::size_t load() const noexcept override { return ports_[chosen_]->load(); }

private:
    const std::shared_ptr<const Choose> choose_;
    Ports ports_;
    std::size_t chosen_ = 0;
};

}  // namespace agdf::detail
