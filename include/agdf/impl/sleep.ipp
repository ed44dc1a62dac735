#pragma once

// Floor 2: waiting for time to pass.

#include <agdf/sleep.hpp>

namespace agdf::detail {

template <class Duration>
asio::awaitable<void> sleep(Duration duration)
{
    // Made here and not where the wait is initiated, which would save a frame: without a descriptor or memory a timer throws,
    // and Asio before 1.23 ends the program when an initiation does.
    const auto executor = co_await asio::this_coro::executor;
    Timer timer{executor};
    timer.sleeps_for(duration);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace agdf::detail
