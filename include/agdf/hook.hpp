#pragma once

// Floor 1: what a node does before its first item and after its last one.

#include <agdf/detail/asio.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace agdf {

/// A function without parameters, or a coroutine: made, by itself, from a callable that returns nothing or an
/// `asio::awaitable<void>`.
///
/// Thread-safety:  called on a strand of the graph.
///
///     graph.add_node("load", load, {.setup = [database] { database->begin(); }, .teardown = [database] { database->commit(); }});
class Hook {
public:
    Hook();
    Hook(const Hook&);
    Hook(Hook&&) noexcept;
    Hook& operator=(const Hook&);
    Hook& operator=(Hook&&) noexcept;
    ~Hook();

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, Hook>)
    Hook(F&& function)
    {
        using Function = std::decay_t<F>;
        constexpr bool plain = std::is_invocable_r_v<void, Function&> && !std::is_invocable_r_v<asio::awaitable<void>, Function&>;
        constexpr bool coroutine = [] {
            if constexpr (std::is_invocable_v<Function&>)
                return std::is_same_v<std::invoke_result_t<Function&>, asio::awaitable<void>>;
            else
                return false;
        }();
        static_assert(plain || coroutine,
                      "agdf::Hook: the callable has another shape. Expected: void() or asio::awaitable<void>(). Capture what it "
                      "needs, and return nothing.");
        if constexpr (coroutine)
            call_ = std::forward<F>(function);
        else if constexpr (plain)
            call_ = [f = Function(std::forward<F>(function))]() mutable -> asio::awaitable<void> { return call(f); };
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(call_); }

    /// Calls it; it must live until the call has ended.
    [[nodiscard]] asio::awaitable<void> operator()() const;

private:
    template <class Function>
    static asio::awaitable<void> call(Function& function)
    {
        function();
        co_return;
    }

    std::function<asio::awaitable<void>()> call_;
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/hook.ipp>
#endif
