#pragma once

// Floor 0: the only place that includes Asio. The parts are listed one by one, since <asio.hpp> as a whole
// doubles the compile time of a small program.

#include <agdf/detail/config.hpp>

#ifndef ASIO_STANDALONE
#define ASIO_STANDALONE 1
#endif

// Clang with Asio before 1.28 looks for the coroutines of the technical specification only; the CMake target
// defines these two as well, so that a program that includes Asio first sees the same.
#if defined(__clang__) && !defined(ASIO_HAS_CO_AWAIT)
#define ASIO_HAS_CO_AWAIT 1
#endif
#if defined(__clang__) && !defined(ASIO_HAS_STD_COROUTINE)
#define ASIO_HAS_STD_COROUTINE 1
#endif

// Asio uses typeid unless told not to; without RTTI it must be told, whatever its version.
#if !defined(__cpp_rtti) && !defined(ASIO_NO_TYPEID)
#define ASIO_NO_TYPEID 1
#endif

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/version.hpp>

#if !defined(ASIO_HAS_CO_AWAIT)
#error "agdf: Asio does not offer asio::awaitable. Expected: Asio 1.22.1 or later and C++20 coroutines. Link agdf::agdf, or define ASIO_HAS_CO_AWAIT and ASIO_HAS_STD_COROUTINE as 1 before Asio is first included."
#endif

#if !defined(ASIO_HAS_THREADS) || defined(ASIO_DISABLE_THREADS)
#error "agdf: Asio's threads are off. Expected: a build without ASIO_DISABLE_THREADS, since blocking calls run on threads of their own. Remove the definition for this target."
#endif

static_assert(ASIO_VERSION >= 102201, "agdf: this Asio is too old. Expected: Asio 1.22.1 or later.");
