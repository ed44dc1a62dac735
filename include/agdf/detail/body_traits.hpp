#pragma once

// Floor 1: what a node body is, put together from what it takes and returns.

#include <agdf/detail/callable.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace agdf::detail {

/// Not given: the input type is to be read off the callable.
struct Deduce {};

/// How a body gets its item.
enum class Passing { nothing, item, elements, receiver, unknown };

template <class F, class I>
constexpr bool takes_item_of = std::invocable<F&, I> || std::invocable<F&, I&>;

template <class F, class I>
struct CallWith {
    static auto call(F& f, I& item) -> decltype(auto)
    {
        if constexpr (std::invocable<F&, I>)
            return std::invoke(f, std::move(item));
        else
            return std::invoke(f, item);
    }
    using Return = decltype(call(std::declval<F&>(), std::declval<I&>()));
};

template <class F, class Tuple, class = std::make_index_sequence<std::tuple_size_v<Tuple>>>
struct CallWithElements;
template <class F, class Tuple, std::size_t... N>
struct CallWithElements<F, Tuple, std::index_sequence<N...>> {
    static constexpr bool possible = std::invocable<F&, std::tuple_element_t<N, Tuple>...>;
    static auto call(F& f, Tuple& item) -> decltype(auto)
    {
        using std::get;  // a type of the user's has its own
        return std::invoke(f, get<N>(std::move(item))...);
    }
};

template <class F, class I>
constexpr bool takes_elements_of = [] {
    if constexpr (IsTupleLike<I>::value)
        return CallWithElements<F, I>::possible;
    else
        return false;
}();

/// The way in which `F` takes an `I`, and what comes back.
template <class F, class I, bool wants_receiver>
struct Call {
    static constexpr Passing passing = [] {
        if constexpr (wants_receiver)
            return std::invocable<F&, Receiver<I>> ? Passing::receiver : Passing::unknown;
        else if constexpr (std::is_void_v<I>)
            return std::invocable<F&> ? Passing::nothing : Passing::unknown;
        else if constexpr (takes_item_of<F, I>)
            return Passing::item;
        else if constexpr (takes_elements_of<F, I>)
            return Passing::elements;
        else if constexpr (std::invocable<F&, Receiver<I>>)
            return Passing::receiver;
        else
            return Passing::unknown;
    }();
    static auto return_type()
    {
        if constexpr (passing == Passing::nothing)
            return std::type_identity<std::invoke_result_t<F&>>{};
        else if constexpr (passing == Passing::item)
            return std::type_identity<typename CallWith<F, I>::Return>{};
        else if constexpr (passing == Passing::elements)
            return std::type_identity<decltype(CallWithElements<F, I>::call(std::declval<F&>(), std::declval<I&>()))>{};
        else if constexpr (passing == Passing::receiver)
            return std::type_identity<std::invoke_result_t<F&, Receiver<I>>>{};
        else
            return std::type_identity<void>{};
    }
    using Return = typename decltype(return_type())::type;
};

template <class Args>
struct InputOf;
template <>
struct InputOf<Parameters<>> {
    using Type = void;
};
template <class A>
struct InputOf<Parameters<A>> {
    using Plain = std::remove_cvref_t<A>;
    static auto type()
    {
        if constexpr (IsReceiver<Plain>::value)
            return std::type_identity<typename IsReceiver<Plain>::Item>{};
        else
            return std::type_identity<Plain>{};
    }
    using Type = typename decltype(type())::type;
};
template <class A, class B, class... C>
struct InputOf<Parameters<Receiver<A>, Receiver<B>, Receiver<C>...>> {
    using Type = A;  // the others are in BodyTraits::MoreIns
};
template <class A, class B, class... More>
struct InputOf<Parameters<A, B, More...>> {
    using Type = std::tuple<std::remove_cvref_t<A>, std::remove_cvref_t<B>, std::remove_cvref_t<More>...>;
};

/// A body with several receivers: each has a queue of its own.
template <class Args>
struct SeveralReceivers {
    static constexpr bool value = false;
    using More = Parameters<>;
};
template <class A, class B, class... C>
struct SeveralReceivers<Parameters<Receiver<A>, Receiver<B>, Receiver<C>...>> {
    static constexpr bool value = true;
    using More = Parameters<B, C...>;
};

/// Whether a receiver is taken by reference: it would be to an object that goes when the body suspends.
template <class Args>
constexpr bool refers_to_receiver = false;
template <class A, class... More>
constexpr bool refers_to_receiver<Parameters<A, More...>> = std::is_reference_v<A> && IsReceiver<std::remove_cvref_t<A>>::value;

/// Whether something else, or a reference, stands beside a receiver.
template <class Args>
constexpr bool mixes_receivers = false;
template <class A, class B, class... More>
constexpr bool mixes_receivers<Parameters<A, B, More...>> =
    std::disjunction_v<IsReceiver<std::remove_cvref_t<A>>, IsReceiver<std::remove_cvref_t<B>>, IsReceiver<std::remove_cvref_t<More>>...> &&
    !SeveralReceivers<Parameters<A, B, More...>>::value;

template <class F, class Args>
struct CallWithReceivers;
template <class F, class... R>
struct CallWithReceivers<F, Parameters<R...>> {
    static constexpr Passing passing = Passing::receiver;
    using Return = std::invoke_result_t<F&, R...>;
};

/// Whether the one parameter of a body is a reference through which the item cannot be used up; one that can be neither
/// copied nor moved from by an lvalue reference is as good.
template <class Args>
constexpr bool sees_item_only = false;
template <class A>
constexpr bool sees_item_only<Parameters<const A&>> = true;
template <class A>
constexpr bool sees_item_only<Parameters<A&>> = !Copies<A>::value;

/// A body says so of itself: `static constexpr bool meets_in_step = true`.
template <class Body>
constexpr bool MeetsInStep = [] {
    if constexpr (requires { Body::meets_in_step; })
        return Body::meets_in_step;
    else
        return false;
}();

/// Whether a callable says of itself that there is nothing to call: a null pointer, or a std::function and its like.
template <class F>
[[nodiscard]] bool is_empty_function([[maybe_unused]] const F& function)
{
    if constexpr (std::is_constructible_v<F, std::nullptr_t> && requires { bool(function == nullptr); })
        return bool(function == nullptr);
    else
        return false;
}

/// All that the library wants to know about a body; `In` is given, or deduced from its parameters.
template <class Body, class Given = Deduce>
struct BodyTraits {
    using F = typename Unwrapped<Body>::Type;
    using Kept = typename Unwrapped<Body>::Kept;  ///< what a worker calls, as it is stored
    static constexpr bool blocking = Unwrapped<Body>::blocking;
    static constexpr bool per_worker = Unwrapped<Body>::per_worker;
    static constexpr bool deduces = std::is_same_v<Given, Deduce>;
    static constexpr bool known_signature = !deduces || FunctionType<F>::known;
    static constexpr bool mixes = [] {
        if constexpr (FunctionType<F>::known)
            return refers_to_receiver<typename FunctionType<F>::Args> || (deduces && mixes_receivers<typename FunctionType<F>::Args>);
        else
            return false;
    }();

    static auto input()
    {
        if constexpr (IsReceiver<Given>::value)
            return std::type_identity<typename IsReceiver<Given>::Item>{};
        else if constexpr (!deduces)
            return std::type_identity<Given>{};
        else if constexpr (FunctionType<F>::known)
            return std::type_identity<typename InputOf<typename FunctionType<F>::Args>::Type>{};
        else
            return std::type_identity<void>{};
    }
    static auto receivers()
    {
        if constexpr (deduces && FunctionType<F>::known)
            return SeveralReceivers<typename FunctionType<F>::Args>{};
        else
            return SeveralReceivers<void>{};
    }
    using In = typename decltype(input())::type;
    using MoreIns = typename decltype(receivers())::More;  ///< of the receivers after the first

    static auto called()
    {
        if constexpr (decltype(receivers())::value)
            return CallWithReceivers<F, typename FunctionType<F>::Args>{};
        else
            return Call<F, In, IsReceiver<Given>::value>{};
    }
    using Called = decltype(called());
    static constexpr Passing passing = known_signature && !mixes ? Called::passing : Passing::unknown;
    using Return = typename Called::Return;
    static constexpr BodyKind kind = passing == Passing::unknown ? BodyKind::unknown : Result<Return>::kind;
    static constexpr bool filters = Result<Return>::filters;
    using Out = typename Result<Return>::Out;

    /// Whether a call leaves the item as it is, so that it can be used again.
    static constexpr bool spares_item = [] {
        if constexpr (blocking)
            return false;  // the item goes to the pool with the call
        else if constexpr (passing == Passing::nothing)
            return true;
        else if constexpr (passing == Passing::item && FunctionType<F>::known)
            return sees_item_only<typename FunctionType<F>::Args>;
        else
            return false;
    }();
};

}  // namespace agdf::detail
