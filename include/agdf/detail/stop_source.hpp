#pragma once

// Floor 0: std::stop_source, where the standard library has one.

#include <agdf/detail/config.hpp>

#include <type_traits>
#if defined(__cpp_lib_jthread)
#include <stop_token>
#endif

namespace agdf::detail {

// libc++ up to version 19 has no std::stop_token, or shows it only under -fexperimental-library. There nobody can write
// a callable that takes one, and all else works.
#if defined(__cpp_lib_jthread)

using StopSource = std::stop_source;

template <class F>
constexpr bool takes_stop_token = std::is_invocable_v<F&, std::stop_token>;

#else

class StopSource {
public:
    struct Token {};  // no callable takes it

    [[nodiscard]] Token get_token() const noexcept { return {}; }
    void request_stop() noexcept {}
};

template <class F>
constexpr bool takes_stop_token = false;

#endif

/// What a callable returns that takes nothing, or a stop token; const says nothing of a value that is passed on.
template <class F, bool stoppable = takes_stop_token<F>>
struct CallInPool : std::remove_cv<std::invoke_result_t<F&>> {};

template <class F>
struct CallInPool<F, true> : std::remove_cv<std::invoke_result_t<F&, decltype(StopSource{}.get_token())>> {};

}  // namespace agdf::detail
