#pragma once

// Floor 2: a function called later, on an executor.

#include <agdf/detail/asio.hpp>

#include <functional>
#include <utility>

namespace agdf::detail {

/// Calls a function on an executor, never inside this call. It is one type of handler for all of them, since each costs
/// every program's build some fifty functions.
inline void post_call(const asio::any_io_executor& executor, std::function<void()> function)
{
    asio::post(executor, std::move(function));
}

}  // namespace agdf::detail
