#pragma once

// Floor 3: letting the workers of a node out in the order in which their items came.

#include <agdf/detail/node_run.hpp>
#include <agdf/detail/optional_mutex.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace agdf::detail {

/// The place of one item in the order; it lives in the worker that has the item.
struct Ticket {
    std::uint64_t stamp = 0;  ///< how many items were taken from the queue before it
    std::size_t key = 0;      ///< items of different keys do not wait for each other
    WorkerBase* worker = nullptr;
    Ticket* next = nullptr;
    bool is_admitted = false;
    bool is_waiting = false;
};

/// Every worker enters with the item that it took, in whatever order, waits for its turn before the first output leaves,
/// and leaves. So as many items are in the window as the node has workers, and nothing is stored.
///
/// Thread-safety: safe.
class Sequencer {
public:
    explicit Sequencer(bool shared) : mutex_(shared) {}

    /// Takes a place. Stamps have no gaps: each one that was given out must enter once.
    void enter(Ticket& ticket)
    {
        const auto lock = guard();
        ticket.next = nullptr;
        ticket.is_admitted = ticket.is_waiting = false;
        if (ticket.stamp != next_stamp_) {  // the worker with an item before this one has not come to enter yet
            early_.emplace(ticket.stamp, &ticket);
            return;
        }
        admit(ticket);
        while (!early_.empty() && early_.begin()->first == next_stamp_) {
            admit(*early_.begin()->second);
            early_.erase(early_.begin());
        }
    }

    /// Whether it is this ticket's turn.
    [[nodiscard]] bool is_first(const Ticket& ticket)
    {
        const auto lock = guard();
        return has_turn_now(ticket);
    }

    /// The same; if not, its worker is woken when it is.
    [[nodiscard]] bool has_turn(Ticket& ticket)
    {
        const auto lock = guard();
        ticket.is_waiting = !has_turn_now(ticket);
        return !ticket.is_waiting;
    }

    /// Gives up waiting; false if the ticket did not wait (any more).
    [[nodiscard]] bool withdraw(Ticket& ticket) noexcept
    {
        const auto lock = guard();
        return std::exchange(ticket.is_waiting, false);
    }

    /// Gives the place back; the next one has its turn, if this ticket had it.
    void leave(Ticket& ticket)
    {
        WorkerBase* woken = nullptr;
        {
            const auto lock = guard();
            if (!ticket.is_admitted) {
                early_.erase(ticket.stamp);
                return;
            }
            const auto found = queues_.find(ticket.key);
            Queue& queue = found->second;
            if (queue.first == &ticket) {
                queue.first = ticket.next;
                if (queue.first && std::exchange(queue.first->is_waiting, false))
                    woken = queue.first->worker;
            } else {  // it never had its turn: the run is being cut short
                Ticket* before = queue.first;
                while (before->next != &ticket)
                    before = before->next;
                before->next = ticket.next;
                if (queue.last == &ticket)
                    queue.last = before;
            }
            if (!queue.first)
                queues_.erase(found);
        }
        if (woken)
            woken->wake_up();
    }

private:
    struct Queue {
        Ticket* first = nullptr;
        Ticket* last = nullptr;
    };

    [[nodiscard]] std::lock_guard<OptionalMutex> guard() { return std::lock_guard{mutex_}; }

    [[nodiscard]] bool has_turn_now(const Ticket& ticket) const
    {
        return ticket.is_admitted && queues_.at(ticket.key).first == &ticket;
    }

    void admit(Ticket& ticket)
    {
        Queue& queue = queues_[ticket.key];
        (queue.first ? queue.last->next : queue.first) = &ticket;
        queue.last = &ticket;
        ticket.is_admitted = true;
        ++next_stamp_;
        if (queue.first == &ticket && std::exchange(ticket.is_waiting, false))
            ticket.worker->wake_up();
    }

    OptionalMutex mutex_;
    std::unordered_map<std::size_t, Queue> queues_;  // by key; only of items that are under way
    std::map<std::uint64_t, Ticket*> early_;
    std::uint64_t next_stamp_ = 0;
};

}  // namespace agdf::detail
