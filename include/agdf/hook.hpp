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
        constexpr bool plain = returns<Function, void>;
        constexpr bool coroutine = returns<Function, asio::awaitable<void>>;
        static_assert(plain || coroutine,
                      "agdf::Hook: the callable has another shape. Expected: void() or asio::awaitable<void>(), of a callable that can "
                      "be copied. Capture what it needs, and return nothing.");
        if constexpr (coroutine)
            call_ = std::forward<F>(function);
        else if constexpr (plain)
            call_ = [f = Function(std::forward<F>(function))]() mutable -> asio::awaitable<void> { return call(f); };
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(call_); }

    /// Calls it; it must live until the call has ended.
    [[nodiscard]] asio::awaitable<void> operator()() const;

private:
    template <class Function, class Result>
    static constexpr bool returns = [] {
        if constexpr (std::is_invocable_v<Function&> && std::is_copy_constructible_v<Function>)
            return std::is_same_v<std::invoke_result_t<Function&>, Result>;
        else
            return false;
    }();

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
