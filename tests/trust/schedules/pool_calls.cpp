#include "pool_calls.hpp"

#include "steady_clock.hpp"

#include <algorithm>

namespace schedules {

namespace {

// There is one search, and it lets one call go at a time.
PoolCalls* going = nullptr;

}  // namespace

PoolCalls::~PoolCalls()
{
    world_.set_others(nullptr);
    settle();
    std::unique_lock lock{mutex_};
    while (!gate_.empty())
        let_go(lock, gate_.size() - 1);
    world_.set_others(nullptr);
}

void PoolCalls::add()
{
    const std::lock_guard lock{mutex_};
    ++live_;
}

void PoolCalls::remove()
{
    const std::lock_guard lock{mutex_};
    --live_;
    changed_.notify_all();
}

void PoolCalls::stand_at_gate(int number)
{
    std::unique_lock lock{mutex_};
    const std::pair<int, int> mine{number, ++come_[number]};
    gate_.insert(std::upper_bound(gate_.begin(), gate_.end(), mine), mine);  // in an order that does not depend on the threads
    changed_.notify_all();
    changed_.wait(lock, [&] { return let_go_ == mine; });
    let_go_.reset();
    // When it is through with a call, a thread of the pool looks how long it may wait for the next one.
    on_next_look(&job_has_ended);
}

void PoolCalls::job_has_ended()
{
    PoolCalls& calls = *going;
    const std::lock_guard lock{calls.mutex_};
    if (calls.ends_are_counted_)
        --calls.live_;
    calls.is_going_ = false;
    calls.changed_.notify_all();
}

void PoolCalls::settle()
{
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return gate_.size() == std::min(limit_, live_); });
}

bool PoolCalls::go_on(Random& random)
{
    settle();
    std::unique_lock lock{mutex_};
    if (gate_.empty())
        return false;
    const std::size_t index = random.below(gate_.size());
    world_.note("call {} goes on", gate_[index].first);
    let_go(lock, index);
    return true;
}

void PoolCalls::let_go(std::unique_lock<std::mutex>& lock, std::size_t index)
{
    going = this;
    is_going_ = true;
    let_go_ = gate_[index];
    gate_.erase(gate_.begin() + static_cast<std::ptrdiff_t>(index));
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_going_; });
}

std::size_t PoolCalls::at_gate()
{
    const std::lock_guard lock{mutex_};
    return gate_.size();
}

}  // namespace schedules
