#pragma once

// Floor 2: waiting for time to pass.

#include <agdf/detail/timer.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace agdf {

namespace detail {

/// Starts a sleep. It lies in the frame of the operation, which is the only one that a sleep costs.
class StartSleep {
public:
    explicit StartSleep(Timer::duration duration) noexcept : duration_(duration) {}
    StartSleep(StartSleep&& other) noexcept : duration_(other.duration_) {}  // before the start there is no timer

    template <class Handler>
    void operator()(Handler&& handler)
    {
        timer_.emplace(asio::get_associated_executor(handler));
        timer_->sleeps_for(duration_);
        timer_->async_wait(std::forward<Handler>(handler));
    }

private:
    Timer::duration duration_;
    std::optional<Timer> timer_;
};

}  // namespace detail

/// Suspends the awaiting coroutine for at least `duration`; the thread goes on with other work.
///
/// Shape:          to be awaited in an asio::awaitable or a Stream.
/// Errors:         throws asio::system_error(operation_aborted) at once when the run is halted, cancelled or, in a
///                 source, stopped.
/// Resumes:        on the coroutine's executor.
/// Thread-safety:  safe.
///
///     co_await agdf::sleep_for(std::chrono::milliseconds(10));
template <class Rep, class Period>
[[nodiscard]] asio::awaitable<void> sleep_for(std::chrono::duration<Rep, Period> duration)
{
    return asio::async_initiate<const asio::use_awaitable_t<>, void(asio::error_code)>(
        detail::StartSleep{std::chrono::ceil<detail::Timer::duration>(duration)}, asio::use_awaitable);
}

}  // namespace agdf
