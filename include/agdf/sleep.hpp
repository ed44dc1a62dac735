#pragma once

// Floor 2: waiting for time to pass.

#include <agdf/detail/timer.hpp>

#include <chrono>

namespace agdf {

namespace detail {

// A template, so that it costs the build of those programs only that use it.
template <class Duration>
[[nodiscard]] asio::awaitable<void> sleep(Duration duration);

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
    return detail::sleep(std::chrono::ceil<std::chrono::steady_clock::duration>(duration));
}

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/sleep.ipp>
#endif
