#pragma once

// Floor 2: the library's timer, and the clock by which it waits; sleeps by the real clock are in sleep_queue.hpp.

#include <agdf/detail/sleep_queue.hpp>
#include <agdf/detail/timer.hpp>

#include <utility>

namespace agdf::detail {

AGDF_DECL TimeService::TimeService(asio::execution_context& context) : asio::execution_context::service(context), sleeps_(std::make_unique<SleepQueue>())
{
}

AGDF_DECL TimeService::~TimeService() = default;

AGDF_DECL std::shared_ptr<VirtualClock> TimeService::clock() const
{
    if (!is_virtual())
        return nullptr;
    const std::lock_guard lock{mutex_};
    return clock_;
}

AGDF_DECL std::chrono::steady_clock::time_point TimeService::now() const
{
    const auto virtual_clock = clock();
    return virtual_clock ? virtual_clock->now() : std::chrono::steady_clock::now();
}

AGDF_DECL bool TimeService::install(std::shared_ptr<VirtualClock> clock)
{
    const std::lock_guard lock{mutex_};
    if (clock_)
        return false;
    clock_ = std::move(clock);
    is_virtual_.store(true, std::memory_order_release);
    return true;
}

AGDF_DECL void TimeService::uninstall() noexcept
{
    const std::lock_guard lock{mutex_};
    is_virtual_.store(false, std::memory_order_release);
    clock_.reset();
}

AGDF_DECL void TimeService::shutdown() noexcept
{
    sleeps_->abandon();
}

AGDF_DECL ClockHold::ClockHold(const asio::any_io_executor& executor)
    : ClockHold(time_service_of(executor).clock())
{
}

AGDF_DECL ClockHold::ClockHold(std::shared_ptr<VirtualClock> clock)
    : clock_(std::move(clock))
{
    if (clock_)
        clock_->hold();
}

AGDF_DECL ClockHold::~ClockHold()
{
    release();
}

AGDF_DECL void ClockHold::release() noexcept
{
    if (const auto clock = std::move(clock_))
        clock->release();
}

AGDF_DECL Timer::Timer(const asio::any_io_executor& executor)
    : timer_(executor), service_(&time_service_of(executor))
{
}

AGDF_DECL Timer::~Timer()
{
    cancel_virtual();
}

AGDF_DECL Timer::time_point Timer::now() const
{
    return service_->now();
}

AGDF_DECL void Timer::expires_at(time_point deadline)
{
    cancel_virtual();
    timer_.expires_at(deadline);
}

AGDF_DECL void Timer::expires_after(duration timeout)
{
    expires_at(later(now(), timeout));
}

AGDF_DECL void Timer::sleeps_for(duration time)
{
    expires_after(time);
    if (const auto clock = service_->clock())
        clock->note_sleep(time);
}

AGDF_DECL void Timer::call_when_over(std::function<void()> function)
{
    call_when_over(get_executor(), std::move(function));
}

AGDF_DECL void Timer::call_when_over(const asio::any_io_executor& executor, std::function<void()> function)
{
    async_wait(CallWhenOver{executor, std::move(function)});
}

AGDF_DECL void Timer::cancel()
{
    cancel_virtual();
    timer_.cancel();
}

AGDF_DECL void Timer::cancel_virtual()
{
    if (const auto clock = std::move(clock_))
        clock->cancel(key_);
}

}  // namespace agdf::detail
