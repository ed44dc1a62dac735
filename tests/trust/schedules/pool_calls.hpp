#pragma once

// Blocking calls in schedules. They run on the real threads of the library's pool, but each stands at a gate until the search
// lets it go, and the search waits meanwhile until its thread is through with it: so a seed says all of them as well. That it is
// through is seen by its look at the steady clock; if the pool does not look any more, the search waits until it is ended.

#include "world.hpp"

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace schedules {

class PoolCalls final : public Others {
public:
    /// @param limit  How many the pool lets run at a time.
    PoolCalls(World& world, std::size_t limit) : world_(world), limit_(limit) { world_.set_others(this); }
    PoolCalls(const PoolCalls&) = delete;
    PoolCalls& operator=(const PoolCalls&) = delete;
    /// Lets all go that are still at their gates.
    ~PoolCalls();

    /// A call that is to be made; gone when it has been made, or will not be.
    class Ticket {
    public:
        explicit Ticket(PoolCalls& calls) : calls_(&calls) { calls.add(); }
        Ticket(Ticket&& other) noexcept : calls_(std::exchange(other.calls_, nullptr)) {}
        Ticket& operator=(Ticket&&) = delete;
        ~Ticket()
        {
            if (calls_)
                calls_->remove();
        }

    private:
        PoolCalls* calls_;
        Alive alive_;
    };

    /// The same without a ticket, where no call waits for a thread: it is gone when it has been made.
    void add_without_ticket()
    {
        add();
        ends_are_counted_ = true;
    }

    /// In a call: waits to be let go. Its number may be that of an earlier call which nobody waits for any more.
    void stand_at_gate(int number);

    void settle() override;
    bool go_on(Random& random) override;

    [[nodiscard]] std::size_t at_gate();

private:
    void add();
    void remove();
    void let_go(std::unique_lock<std::mutex>& lock, std::size_t index);
    static void job_has_ended();

    World& world_;
    const std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::pair<int, int>> gate_;  // who stands there, by number and by how often it has come
    std::map<int, int> come_;
    std::size_t live_ = 0;
    std::optional<std::pair<int, int>> let_go_;  // who may go
    bool is_going_ = false;                      // and has not ended yet
    bool ends_are_counted_ = false;
};

}  // namespace schedules
