#pragma once

// Floor 2: one strand with a run queue of its own.

#include <agdf/detail/lane.hpp>

#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace agdf::detail {

AGDF_DECL Lane::Lane(Strand strand, bool shared)
    : strand_(std::move(strand)), mutex_(shared), reserve_(std::make_unique<Reserve>())
{
}

AGDF_DECL void Lane::abandon() noexcept
{
    const auto lock = guard();
    first_ = last_ = nullptr;
}

AGDF_DECL void Lane::post_drain() noexcept
{
    try {
        post();
    } catch (const std::bad_alloc&) {
        // From another thread the strand may be idle. Asio then queues first and asks for memory afterwards, and a
        // strand to which that happened never runs again: better an end than a wait for ever.
        if (mutex_.is_needed() || !reserve_)
            std::terminate();
        reserve_.reset();
        post();
        reserve_.reset(new (std::nothrow) Reserve);
    }
}

AGDF_DECL void Lane::post()
{
    asio::post(strand_.executor, [lane = shared_from_this()] { lane->drain(); });
}

AGDF_DECL asio::awaitable<void> Lane::come_home()
{
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::dispatch(asio::use_awaitable);
    co_await asio::this_coro::throw_if_cancelled(throws);
}

AGDF_DECL void Lane::drain()
{
    const Draining draining{*this};
    const auto end = read_clock() + slice;
    while (Runnable* const runnable = take_first()) {
        is_fresh_ = false;
        runnable->run();
        if (!is_fresh_)
            read_clock();
        if (now_ > end)
            return post_drain();
    }
}

AGDF_DECL Runnable* Lane::take_first() noexcept
{
    const auto lock = guard();
    Runnable* const runnable = first_;
    if (!runnable) {
        posted_ = false;
        return nullptr;
    }
    first_ = runnable->next_;
    if (!first_)
        last_ = nullptr;
    return runnable;
}

AGDF_DECL Sleeper::~Sleeper()
{
    abandon();
}

AGDF_DECL asio::awaitable<void> Sleeper::suspend()
{
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(Arm{this}, asio::use_awaitable);
}

AGDF_DECL void Sleeper::run()
{
    Handler handler{std::move(*handler_)};
    handler_.reset();
    std::move(handler)();
}

AGDF_DECL void Sleeper::abandon() noexcept
{
    if (handler_) {
        const Handler handler{std::move(*handler_)};
        handler_.reset();
    }
}

AGDF_DECL Sleeper::Handler Sleeper::take_handler()
{
    Handler handler{std::move(*handler_)};
    handler_.reset();
    return handler;
}

}  // namespace agdf::detail
