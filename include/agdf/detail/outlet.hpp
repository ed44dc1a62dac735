#pragma once

// Floor 3: the way out of a worker: from what a body yields to the queues of the nodes behind its edges.
//
//                     ┌─ port ──► queue of b        one port for each edge and worker; a port that finds its queue
//      body ─► outlet ┤                             full waits there with the item, and the worker waits until all
//                     └─ port ──► queue of c        its ports are through. So a full branch never keeps an item
//                                                   from its siblings.

#include <agdf/detail/inbox.hpp>
#include <agdf/detail/stream_promise.hpp>
#include <agdf/edge.hpp>

#include <atomic>
#include <concepts>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf::detail {

/// Where a port reports that its item has been taken.
class Arrivals {
public:
    explicit Arrivals(WorkerBase& worker) noexcept : worker_(worker) {}

    /// Starts counting; the caller itself counts as one until `wait_is_over`.
    void start() noexcept { missing_.store(1, std::memory_order_relaxed); }
    void expect() noexcept { missing_.fetch_add(1, std::memory_order_relaxed); }

    /// One more item was taken; the last one wakes the worker.
    void arrived() noexcept
    {
        if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            worker_.wake_up();
    }

    /// The caller's own share: true if nothing is missing, else `arrived` will wake the worker.
    [[nodiscard]] bool wait_is_over() noexcept { return missing_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

    [[nodiscard]] WorkerBase& worker() noexcept { return worker_; }

private:
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
    /// Gives up waiting; the item counts as undelivered.
    virtual void withdraw() noexcept = 0;
    /// The queue, if an item goes into it as it is; a short cut for the most frequent case.
    [[nodiscard]] virtual ChannelCore<Envelope<Out>>* direct() noexcept = 0;
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
            if (!shape_->predicate(std::as_const(item)))
                return true;
        }
        if constexpr (IsMap<Shape>::value) {
            if constexpr (std::invocable<decltype(shape_->function)&, const Out&>) {
                if (!last)
                    return store(shape_->function(std::as_const(item)));
            }
            return store(shape_->function(std::move(item)));
        } else {
            if constexpr (std::copy_constructible<Out>) {
                if (!last)
                    return store(std::as_const(item));
            }
            return store(std::move(item));
        }
    }

    bool park() override
    {
        const Put put = destination_.inbox().channel().put(*this);
        if (put == Put::closed)
            refuse();
        return put == Put::waiting;
    }

    void withdraw() noexcept override
    {
        if (!destination_.inbox().channel().withdraw(*this))
            return;
        refuse();
        arrivals_.arrived();
    }

    [[nodiscard]] ChannelCore<Envelope<Out>>* direct() noexcept override
    {
        if constexpr (std::is_same_v<Out, In> && std::is_same_v<Shape, Plain>)
            return &destination_.inbox().channel();
        else
            return nullptr;
    }

private:
    template <class S>
    struct IsWhere : std::false_type {};
    template <class P>
    struct IsWhere<Where<P>> : std::true_type {};
    template <class S>
    struct IsMap : std::false_type {};
    template <class F>
    struct IsMap<Map<F>> : std::true_type {};

    template <class Item>
    bool store(Item&& item)
    {
        this->message.emplace(Message{convert<In>(std::forward<Item>(item))});
        if (destination_.inbox().channel().try_put(*this->message) != Put::stored)
            return false;
        this->message.reset();
        return true;
    }

    void refuse() noexcept
    {
        this->message.reset();
        destination_.count_refused();
    }

    void wake() noexcept override { arrivals_.arrived(); }
    void abandon() noexcept override { arrivals_.worker().abandon(); }

    Arrivals& arrivals_;
    NodeInput<In>& destination_;
    const std::shared_ptr<Shape> shape_;
};

/// All the edges of a node, as one of its workers uses them.
template <class Out>
class Outlet final : public YieldTarget<Out> {
public:
    explicit Outlet(WorkerBase& worker) noexcept : worker_(worker), arrivals_(worker) {}

    [[nodiscard]] Arrivals& arrivals() noexcept { return arrivals_; }

    void add(std::unique_ptr<Port<Out>> port)
    {
        ports_.push_back(std::move(port));
        direct_ = ports_.size() == 1 ? ports_.front()->direct() : nullptr;
    }

    /// Sends an item along all edges; false if some had no room: then await `has_room` before the next item.
    [[nodiscard]] bool put(Out&& item)
    {
        worker_.count_out();
        if (direct_) [[likely]] {
            Envelope<Out> message{std::move(item)};
            if (direct_->try_put(message) == Put::stored) [[likely]]
                return true;
            return put_to_all(message.value);
        }
        return put_to_all(item);
    }

    /// A stream comes back to its worker when an edge is full, when its turn is over, or when it shall end.
    bool take(Out&& item) override
    {
        const bool room = put(std::move(item));
        return room && worker_.has_turn() && !worker_.is_cut_short();
    }

    /// Whether items are waiting for room.
    [[nodiscard]] bool is_full() const noexcept { return full_; }

    /// Whether all of them have been taken meanwhile; else the worker is woken when they are.
    [[nodiscard]] bool has_room() noexcept
    {
        full_ = false;
        return arrivals_.wait_is_over();
    }

    void withdraw() noexcept
    {
        for (const auto& port : ports_)
            port->withdraw();
    }

    /// What an edge threw while another had to wait.
    [[nodiscard]] std::exception_ptr take_error() noexcept { return std::exchange(error_, nullptr); }
    [[nodiscard]] bool has_error() const noexcept { return error_ != nullptr; }

private:
    AGDF_NOINLINE bool put_to_all(Out& item)
    {
        std::exception_ptr error;
        const std::size_t count = ports_.size();
        for (std::size_t i = 0; i < count; ++i) {
            try {
                if (!ports_[i]->put(item, i + 1 == count))
                    park(*ports_[i]);
            } catch (...) {
                if (!error)
                    error = std::current_exception();  // the other branches get their item all the same
            }
        }
        if (error && !full_)
            std::rethrow_exception(error);  // into the body
        error_ = std::move(error);  // ends the item once the branches that wait have been served
        return !full_;
    }

    void park(Port<Out>& port)
    {
        if (!full_)
            arrivals_.start();
        full_ = true;
        arrivals_.expect();
        if (!port.park())
            arrivals_.arrived();  // cannot be the last one: the worker's own share is still missing
    }

    WorkerBase& worker_;
    Arrivals arrivals_;
    std::vector<std::unique_ptr<Port<Out>>> ports_;
    ChannelCore<Envelope<Out>>* direct_ = nullptr;
    std::exception_ptr error_;
    bool full_ = false;
};

/// A node that yields nothing.
template <>
class Outlet<void> {
public:
    explicit Outlet(WorkerBase&) noexcept {}

    [[nodiscard]] static constexpr bool is_full() noexcept { return false; }
    [[nodiscard]] static constexpr bool has_room() noexcept { return true; }
    static constexpr void withdraw() noexcept {}
    [[nodiscard]] static std::exception_ptr take_error() noexcept { return nullptr; }
    [[nodiscard]] static constexpr bool has_error() noexcept { return false; }
};

}  // namespace agdf::detail
