#pragma once

// Floor 3: what a worker does with its time.

#include <agdf/detail/worker_clock.hpp>

#include <algorithm>
#include <cstddef>

namespace agdf::detail {

AGDF_DECL void WorkerClock::change(State state, Clock::time_point now) noexcept
{
    const State before = this->state();
    const std::uint32_t changes = changes_.load(std::memory_order_relaxed);
    changes_.store(changes + 1, std::memory_order_relaxed);
    if (before != ended) {
        std::atomic<Clock::rep>& spent = spent_[before];
        spent.store(spent.load(std::memory_order_relaxed) + now.time_since_epoch().count() - since_.load(std::memory_order_relaxed),
                    std::memory_order_release);
    }
    since_.store(now.time_since_epoch().count(), std::memory_order_release);
    state_.store(state, std::memory_order_release);
    changes_.store(changes + 2, std::memory_order_release);
}

AGDF_DECL void WorkerClock::add_to(NodeStats& stats) const noexcept
{
    State state{};
    Clock::rep since = 0;
    Clock::duration spent[3];
    std::uint32_t changes = 0;
    do {  // until nothing has changed in between
        changes = changes_.load(std::memory_order_acquire);
        state = state_.load(std::memory_order_acquire);
        since = since_.load(std::memory_order_acquire);
        for (std::size_t i = 0; i < 3; ++i)
            spent[i] = Clock::duration{spent_[i].load(std::memory_order_acquire)};
    } while (changes % 2 != 0 || changes_.load(std::memory_order_relaxed) != changes);
    if (state != ended && since != 0)
        spent[state] += std::max(Clock::duration{}, Clock::now() - Clock::time_point{Clock::duration{since}});
    stats.idle += spent[idle];
    stats.busy += spent[busy];
    stats.blocked += spent[blocked];
    stats.active += (state == busy || state == blocked) ? 1U : 0U;
}

}  // namespace agdf::detail
