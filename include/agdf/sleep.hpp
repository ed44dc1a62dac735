#pragma once

// Floor 2: waiting for time to pass.

#include <agdf/detail/timer.hpp>

#include <chrono>

namespace agdf {

namespace detail {

// A template, since GCC makes code of each other coroutine, used or not.
template <class Duration>
[[nodiscard]] asio::awaitable<void> sleep(Duration duration);

/// Rounds a duration up to the clock's own unit; what that cannot hold becomes the longest, or the shortest, that it can.
template <class Rep, class Period>
[[nodiscard]] constexpr std::chrono::steady_clock::duration in_clock_ticks(std::chrono::duration<Rep, Period> duration) noexcept
{
    using Ticks = std::chrono::steady_clock::duration;
    using Wide = std::chrono::duration<long double, Ticks::period>;
    const Wide wide = duration;
    if (wide >= Wide{Ticks::max()})
        return Ticks::max();
    return wide > Wide{Ticks::min()} ? std::chrono::ceil<Ticks>(duration) : Ticks::min();  // a NaN is no time at all
}

}  // namespace detail

/// Suspends the awaiting coroutine for at least `duration`; the thread goes on with other work.
///
/// Shape:          to be awaited in an asio::awaitable or a Stream. A duration that the clock cannot hold, 292 years, lasts
///                 until it is cancelled.
/// Errors:         throws asio::system_error(operation_aborted) at once when the run is halted, cancelled or, in a
///                 source, stopped.
/// Resumes:        on the coroutine's executor.
/// Thread-safety:  safe.
///
///     co_await agdf::sleep_for(std::chrono::milliseconds(10));
template <class Rep, class Period>
[[nodiscard]] asio::awaitable<void> sleep_for(std::chrono::duration<Rep, Period> duration)
{
    return detail::sleep(detail::in_clock_ticks(duration));
}

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/sleep.ipp>
#endif
