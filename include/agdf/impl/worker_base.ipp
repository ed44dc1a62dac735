#pragma once

// Floor 3: what all workers have in common.

#include <agdf/detail/worker_base.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

AGDF_DECL WorkerBase::WorkerBase(RunState& run, NodeRun& node, Lane& lane) noexcept : run_(run), node_(node), lane_(lane) {}

AGDF_DECL WorkerBase::~WorkerBase() = default;

AGDF_DECL void WorkerBase::add_to(NodeStats& stats) const noexcept
{
    stats.out += out_.get();
    stats.err += err_.get();
    stats.retried += retried_.get();
    stats.undelivered += undelivered_.get();
    clock_.add_to(stats);
}

AGDF_DECL void WorkerBase::on_resume()
{
    if (std::exchange(is_paused_, false))
        wake_up();
}

AGDF_DECL void WorkerBase::abandon_all() noexcept
{
    abandon();
}

AGDF_DECL asio::awaitable<void> WorkerBase::wait(WorkerClock::State state)
{
    begin(state);
    return suspend();
}

AGDF_DECL asio::awaitable<void> WorkerBase::pause()
{
    be_paused();
    return suspend();
}

AGDF_DECL asio::awaitable<void> WorkerBase::reset_cancellation()
{
    auto word = asio::this_coro::reset_cancellation_state(OwnFilter{filter_}, asio::enable_terminal_cancellation());
    co_await std::move(word);
    filter_ = Filter::own;
}

AGDF_DECL void WorkerBase::end_turn()
{
    // Turns of about this length keep timers and sockets prompt; of this many items, what is between the nodes stays
    // in the processor's cache.
    constexpr std::chrono::microseconds aim{200};
    constexpr int most = 512;
    const auto took = lane_.read_clock() - resumed_at_;
    if (took > 2 * aim)
        turn_ = std::max(turn_ / 2, 1);
    else if (took < aim / 2)
        turn_ = std::min(turn_ * 2, most);
    wake_up();
}

AGDF_DECL void WorkerBase::run()
{
    if (!is_suspended())
        return;  // it could not go to sleep, for lack of memory, and has ended
    be_woken();
    Sleeper::run();
}

AGDF_DECL void WorkerBase::be_paused() noexcept
{
    is_paused_ = true;
    begin(WorkerClock::idle);
}

}  // namespace agdf::detail

AGDF_COROUTINES_END
