#pragma once

// Floor 2: waiting for time to pass.

#include <agdf/sleep.hpp>

#include <optional>
#include <utility>

namespace agdf::detail {

/// Starts a sleep. It lies in the frame of the operation, which is the only one that a sleep costs.
template <class Duration>
class StartSleep {
public:
    explicit StartSleep(Duration duration) noexcept : duration_(duration) {}
    StartSleep(StartSleep&& other) noexcept : duration_(other.duration_) {}  // before the start there is no timer

    template <class Handler>
    void operator()(Handler&& handler)
    {
        timer_.emplace(asio::get_associated_executor(handler));
        timer_->sleeps_for(duration_);
        timer_->async_wait(std::forward<Handler>(handler));
    }

private:
    Duration duration_;
    std::optional<Timer> timer_;
};

template <class Duration>
asio::awaitable<void> sleep(Duration duration)
{
    return asio::async_initiate<const asio::use_awaitable_t<>, void(asio::error_code)>(StartSleep<Duration>{duration}, asio::use_awaitable);
}

}  // namespace agdf::detail
