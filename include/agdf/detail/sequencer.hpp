#pragma once

// Floor 3: letting the workers of a node out in the order in which their items came.

#include <agdf/detail/node_run.hpp>
#include <agdf/detail/optional_mutex.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>

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
    explicit Sequencer(bool shared);
    Sequencer(const Sequencer&) = delete;
    Sequencer& operator=(const Sequencer&) = delete;
    ~Sequencer();

    /// Takes a place. Stamps have no gaps: each one that was given out must enter once.
    void enter(Ticket& ticket);

    /// Whether it is this ticket's turn.
    [[nodiscard]] bool is_first(const Ticket& ticket);

    /// The same; if not, its worker is woken when it is.
    [[nodiscard]] bool has_turn(Ticket& ticket);

    /// Gives up waiting; false if the ticket did not wait (any more).
    [[nodiscard]] bool withdraw(Ticket& ticket) noexcept;

    /// Gives the place back; the next one has its turn, if this ticket had it.
    void leave(Ticket& ticket);

private:
    struct Queue {
        Ticket* first = nullptr;
        Ticket* last = nullptr;
    };

    [[nodiscard]] std::lock_guard<OptionalMutex> guard() { return std::lock_guard{mutex_}; }

    [[nodiscard]] bool has_turn_now(const Ticket& ticket) const;

    void admit(Ticket& ticket);

    OptionalMutex mutex_;
    std::unordered_map<std::size_t, Queue> queues_;  // by key; only of items that are under way
    std::map<std::uint64_t, Ticket*> early_;  // null: it has left already
    std::uint64_t next_stamp_ = 0;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/sequencer.ipp>
#endif
