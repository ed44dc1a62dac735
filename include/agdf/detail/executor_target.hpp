#pragma once

// Floor 1: what an executor is whose type has been erased.

#include <agdf/detail/asio.hpp>

#include <typeinfo>

namespace agdf::detail {

#if defined(ASIO_NO_TYPEID)
/// Asio's own mark of a type, where there is no `typeid`.
struct ExecutorType : asio::execution::detail::any_executor_base {
    template <class Executor>
    [[nodiscard]] static const void* of()
    {
        return target_type_ex<Executor>();
    }
};
#else
struct ExecutorType {
    template <class Executor>
    [[nodiscard]] static const std::type_info& of()
    {
        return typeid(Executor);
    }
};
#endif

/// The executor that another one holds, or null if it is of another type. Asio's own `target` takes every type for the one
/// that it is asked for, before some version after 1.22.
template <class Executor>
[[nodiscard]] const Executor* target_of(const asio::any_io_executor& executor)
{
    return executor && executor.target_type() == ExecutorType::of<Executor>() ? executor.target<Executor>() : nullptr;
}

}  // namespace agdf::detail
