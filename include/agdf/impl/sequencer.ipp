#pragma once

// Floor 3: letting the workers of a node out in the order in which their items came.

#include <agdf/detail/sequencer.hpp>

#include <utility>

namespace agdf::detail {

AGDF_DECL Sequencer::Sequencer(bool shared)
    : mutex_(shared)
{
}

AGDF_DECL Sequencer::~Sequencer() = default;

AGDF_DECL void Sequencer::enter(Ticket& ticket)
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
        if (Ticket* const early = early_.begin()->second)
            admit(*early);
        else
            ++next_stamp_;
        early_.erase(early_.begin());
    }
}

AGDF_DECL bool Sequencer::is_first(const Ticket& ticket)
{
    const auto lock = guard();
    return has_turn_now(ticket);
}

AGDF_DECL bool Sequencer::has_turn(Ticket& ticket)
{
    const auto lock = guard();
    ticket.is_waiting = !has_turn_now(ticket);
    return !ticket.is_waiting;
}

AGDF_DECL bool Sequencer::withdraw(Ticket& ticket) noexcept
{
    const auto lock = guard();
    return std::exchange(ticket.is_waiting, false);
}

AGDF_DECL void Sequencer::leave(Ticket& ticket)
{
    WorkerBase* woken = nullptr;
    {
        const auto lock = guard();
        if (!ticket.is_admitted) {
            early_.find(ticket.stamp)->second = nullptr;  // what came before it is still to come, and must find no gap
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

AGDF_DECL bool Sequencer::has_turn_now(const Ticket& ticket) const
{
    return ticket.is_admitted && queues_.at(ticket.key).first == &ticket;
}

AGDF_DECL void Sequencer::admit(Ticket& ticket)
{
    Queue& queue = queues_[ticket.key];
    (queue.first ? queue.last->next : queue.first) = &ticket;
    queue.last = &ticket;
    ticket.is_admitted = true;
    ++next_stamp_;
    if (queue.first == &ticket && std::exchange(ticket.is_waiting, false))
        ticket.worker->wake_up();
}

}  // namespace agdf::detail
