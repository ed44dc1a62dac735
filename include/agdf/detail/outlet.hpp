#pragma once

// Floor 3: the way out of a worker: from what a body yields to the queues of the nodes behind its edges.
//
//                     ┌─ port ──► queue of b        one port for each edge and worker; a port that finds its queue
//      body ─► outlet ┤                             full waits there with the item, and the worker waits until all
//                     └─ port ──► queue of c        its ports are through. So a full branch never keeps an item
//                                                   from its siblings.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/port.hpp>
#include <agdf/detail/stream_promise.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf::detail {

/// An outlet that can keep outputs back: until an attempt that may be retried has succeeded, or until it is the item's
/// turn in an order.
class HoldingOutlet {
public:
    /// From now on keeps outputs back. If it `pauses`, a stream comes back to its worker after each one; if not, more than
    /// `most` of them are an error, thrown into the body.
    virtual void hold(std::size_t most, bool pauses) = 0;
    [[nodiscard]] virtual bool is_holding() const noexcept = 0;
    /// Whether the body was told that it yielded too much.
    [[nodiscard]] virtual bool has_overflowed() const noexcept = 0;
    virtual void drop_held() noexcept = 0;
    /// Sends what was kept back. False if an edge is full: wait for room, and call it again. Afterwards nothing is kept
    /// back any more.
    ///
    /// Errors: throws what an edge throws; the rest is still kept then.
    [[nodiscard]] virtual bool release_held() = 0;
    /// What an edge threw at an output of a stream, or while another edge had to wait.
    [[nodiscard]] virtual std::exception_ptr take_error() noexcept = 0;
    [[nodiscard]] virtual bool has_error() const noexcept = 0;
    /// Whether items are waiting for room.
    [[nodiscard]] virtual bool is_full() const noexcept = 0;
    /// Whether a stream has come back because its output has to wait for its turn.
    [[nodiscard]] virtual bool must_take_turn() const noexcept = 0;

protected:
    ~HoldingOutlet() = default;
};

/// All the edges of a node, as one of its workers uses them.
template <class Out>
class Outlet final : public YieldTarget<Out>, public HoldingOutlet {
public:
    explicit Outlet(WorkerBase& worker) noexcept : worker_(worker), arrivals_(worker) {}

    [[nodiscard]] Arrivals& arrivals() noexcept { return arrivals_; }

    void add(std::unique_ptr<Port<Out>> port)
    {
        ports_.push_back(std::move(port));
        find_direct();
    }
    [[nodiscard]] Port<Out>& last_port() noexcept { return *ports_.back(); }

    /// Sends an item along all edges; false if some had no room: then await `has_room` before the next item.
    [[nodiscard]] bool put(Out&& item)
    {
        if (put_in_place(item)) [[likely]]
            return true;
        return put_elsewhere(item);
    }

    /// The only edge's queue, if nothing but to put the outputs there is to be done; they are to be counted too.
    [[nodiscard]] ChannelCore<Envelope<Out>>* direct() const noexcept { return direct_; }

    /// The same for an item that is not an output of the node.
    [[nodiscard]] bool put_uncounted(Out&& item) { return put_to_all(item, false); }

    [[nodiscard]] bool is_full() const noexcept override { return full_; }

    /// Whether the next output wakes somebody, or has another reason not to be put in place, and those behind it may have none.
    [[nodiscard]] bool is_awaited() const noexcept { return direct_ && direct_->room_in_place() == 0 && !direct_->is_shared(); }

    /// Around each resumption of a stream, or around several: what it puts into the queue meanwhile uses up the worker's turn.
    void begin_burst() noexcept
    {
        if (std::is_nothrow_move_constructible_v<Out> && direct_)  // else an output may fail on its way, which `take_apart` sees to
            this->burst_.open(*direct_, std::min(direct_->room_in_place(), worker_.credit()), worker_.out_counter(), worker_.disturbances());
    }
    void end_burst() noexcept { worker_.use_credit(this->burst_.close()); }

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

    [[nodiscard]] std::exception_ptr take_error() noexcept override { return std::exchange(error_, nullptr); }
    [[nodiscard]] bool has_error() const noexcept override { return error_ != nullptr; }

    void hold(std::size_t most, bool pauses) override
    {
        if (!held_)
            held_ = std::make_unique<Held>();
        held_->most = most;
        held_->pauses = pauses;
        held_->active = true;
        held_->overflowed = false;
        direct_ = nullptr;
        all_direct_.clear();
    }

    [[nodiscard]] bool is_holding() const noexcept override { return held_ && held_->active; }
    [[nodiscard]] bool must_take_turn() const noexcept override { return is_holding() && held_->pauses && !held_->items.empty(); }
    [[nodiscard]] bool has_overflowed() const noexcept override { return held_ && held_->overflowed; }

    void drop_held() noexcept override
    {
        if (!is_holding())
            return;
        held_->items.clear();
        held_->active = false;
        find_direct();
    }

    [[nodiscard]] bool release_held() override
    {
        if (!is_holding())
            return true;
        while (!held_->items.empty()) {
            struct Leaving {
                ~Leaving() { items.pop(); }
                Ring<Parcel<Out>>& items;
            } const leaving{held_->items};  // also if an edge throws at it: nobody may come back to it for ever
            if (!put_to_all(held_->items.front().value, true))
                return false;
        }
        drop_held();
        return true;
    }

private:
    /// A stream comes back to its worker when an edge is full or has thrown, when its turn is over, or when it shall end.
    bool take_apart(Out&& item) override
    {
        try {
            if (!put(std::move(item)))
                return false;
        } catch (...) {
            if (is_holding())
                throw;  // no edge has been reached yet
            error_ = std::current_exception();  // not thrown into the body, since it cannot be if another edge is full
            (void)worker_.has_turn();           // such outputs use up the turn as well
            return false;
        }
        return worker_.has_turn() && worker_.is_undisturbed();
    }

    /// The usual case: there is room at all edges, and nothing but to put the item there is to be done.
    [[nodiscard]] AGDF_ALWAYS_INLINE bool put_in_place(Out& item)
    {
        if (direct_) [[likely]] {
            if (direct_->room_in_place() == 0)
                return false;
            direct_->writer().emplace(0, std::move(item));
            worker_.count_out();
            if (direct_->has_lone_ends())
                direct_->end_writing();
            return true;
        }
        if constexpr (std::is_nothrow_copy_constructible_v<Out> && std::is_nothrow_move_constructible_v<Out>)
            return !all_direct_.empty() && copy_in_place(item);
        else
            return false;
    }

    [[nodiscard]] bool copy_in_place(Out& item)
    {
        for (const auto* const queue : all_direct_)
            if (queue->room_in_place() == 0)
                return false;
        worker_.count_out();
        for (std::size_t i = 0; i + 1 < all_direct_.size(); ++i)
            all_direct_[i]->writer().emplace(0, Out(std::as_const(item)));
        all_direct_.back()->writer().emplace(0, std::move(item));
        for (auto* const queue : all_direct_)
            if (queue->has_lone_ends())
                queue->end_writing();
        return true;
    }

    AGDF_NOINLINE bool put_elsewhere(Out& item)
    {
        if (held_ && held_->active)
            return keep(std::move(item));
        return direct_ ? put_to_only(item) : put_to_all(item, true);
    }

    bool put_to_only(Out& item)
    {
        arrivals_.start();  // another strand may take the item at once
        full_ = !ports_.front()->put_or_park(item);
        worker_.count_out();
        return !full_;
    }

    struct Held {
        Ring<Parcel<Out>> items;
        std::size_t most = 0;
        bool pauses = false;
        bool active = false;
        bool overflowed = false;
    };

    bool keep(Out&& item)
    {
        if (held_->items.size() >= held_->most) {
            held_->overflowed = true;
            throw std::runtime_error(fmt::format(
                "agdf: node '{}': one attempt yielded more than {} items, which are kept back while it may be retried. Expected: "
                "at most .retry.max_held. Raise it, or retry inside of the body what is worth it.",
                worker_.node().name(), held_->most));
        }
        held_->items.push(Parcel<Out>{std::move(item)});
        return !held_->pauses;
    }

    void find_direct()
    {
        all_direct_.clear();
        direct_ = ports_.size() == 1 ? ports_.front()->direct() : nullptr;
        if (ports_.size() < 2)
            return;
        for (const auto& port : ports_)
            all_direct_.push_back(port->direct());
        if (std::find(all_direct_.begin(), all_direct_.end(), nullptr) != all_direct_.end())
            all_direct_.clear();
    }

    /// What no edge takes, since all of them threw, is not counted as an output.
    AGDF_NOINLINE bool put_to_all(Out& item, bool counts)
    {
        std::exception_ptr error;
        const std::size_t count = ports_.size();
        std::size_t failed = 0;
        for (std::size_t i = 0; i < count; ++i) {
            try {
                if (!ports_[i]->put(item, i + 1 == count))
                    park(*ports_[i]);
            } catch (...) {
                ++failed;
                if (!error)
                    error = std::current_exception();  // the other branches get their item all the same
            }
        }
        if (counts && (failed < count || count == 0))
            worker_.count_out();
        if (error && !full_)
            std::rethrow_exception(error);
        error_ = std::move(error);  // ends the item once the branches that wait have been served
        return !full_;
    }

    void park(Port<Out>& port)
    {
        if (std::exchange(full_, true))
            arrivals_.expect();
        else
            arrivals_.start();
        if (!port.park())
            arrivals_.arrived();  // cannot be the last one: the worker's own share is still missing
    }

    WorkerBase& worker_;
    Arrivals arrivals_;
    std::vector<std::unique_ptr<Port<Out>>> ports_;
    // The queues into which items go as they are: the only one, or if there are several, all of them or none.
    ChannelCore<Envelope<Out>>* direct_ = nullptr;
    std::vector<ChannelCore<Envelope<Out>>*> all_direct_;
    std::unique_ptr<Held> held_;
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
    [[nodiscard]] static constexpr bool is_awaited() noexcept { return false; }
    static constexpr void withdraw() noexcept {}
    [[nodiscard]] static std::exception_ptr take_error() noexcept { return nullptr; }
    [[nodiscard]] static constexpr bool has_error() noexcept { return false; }
    [[nodiscard]] static constexpr bool must_take_turn() noexcept { return false; }
};

}  // namespace agdf::detail
