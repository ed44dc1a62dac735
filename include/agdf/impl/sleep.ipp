#pragma once

// Floor 2: waiting for time to pass.

#include <agdf/detail/sleep_queue.hpp>
#include <agdf/sleep.hpp>

#include <utility>

namespace agdf::detail {

template <class Duration>
asio::awaitable<void> sleep_by_timer(Duration duration)
{
    // Made here and not where the wait is initiated, which would save a frame: without a descriptor or memory a timer throws,
    // and Asio before 1.23 ends the program when an initiation does.
    const auto executor = co_await asio::this_coro::executor;
    Timer timer{executor};
    timer.sleeps_for(duration);
    co_await timer.async_wait(asio::use_awaitable);
}

template <class Duration>
asio::awaitable<void> sleep(Duration duration)
{
    auto executor = co_await asio::this_coro::executor;
    TimeService& time = time_service_of(executor);
    if (time.is_virtual()) {
        co_await sleep_by_timer(duration);
        co_return;
    }
    Sleep sleep{time.sleeps(), std::move(executor), later(std::chrono::steady_clock::now(), duration)};
    co_await sleep.suspend();
    if (sleep.was_cancelled())
        throw asio::system_error{asio::error::operation_aborted};
}

}  // namespace agdf::detail
