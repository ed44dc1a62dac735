#pragma once

// Floor 1: what a node body may be, read off its signature.

#include <agdf/detail/asio.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace agdf {

template <class T>
class Stream;
template <class T>
class Receiver;
template <class F>
class Blocking;
template <class Make>
class PerWorker;

/// A type whose values can travel between nodes: an object that can be moved.
///
///     static_assert(agdf::Item<std::unique_ptr<int>>);
///     static_assert(!agdf::Item<int&>);  // a reference may outlive what it names
///     static_assert(!agdf::Item<const int>);
template <class T>
concept Item = std::is_object_v<T> && std::same_as<T, std::remove_cv_t<T>> && !std::is_array_v<T> &&
               std::move_constructible<T>;

namespace detail {

/// Stands in the queue of a node that takes nothing.
struct Unit {};

template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Unit, T>;

/// Whether values can really be copied: a container says that of itself even if its elements cannot.
template <class T>
struct Copies : std::bool_constant<std::copy_constructible<T>> {};
template <class T>
    requires requires { typename T::allocator_type; typename T::value_type; }
struct Copies<T> : std::bool_constant<std::copy_constructible<T> && Copies<typename T::value_type>::value> {};
template <class T>
struct Copies<std::optional<T>> : Copies<T> {};
template <class A, class B>
struct Copies<std::pair<A, B>> : std::bool_constant<Copies<A>::value && Copies<B>::value> {};
template <class... T>
struct Copies<std::tuple<T...>> : std::bool_constant<(Copies<T>::value && ...)> {};
template <class... T>
struct Copies<std::variant<T...>> : std::bool_constant<(Copies<T>::value && ...)> {};
template <>
struct Copies<void> : std::false_type {};

// --- what a callable returns -----------------------------------------------------------------------------------

enum class BodyKind { stream, awaitable, plain, unknown };

template <class R>
struct Result {  // a plain function
    static constexpr BodyKind kind = BodyKind::plain;
    static constexpr bool filters = false;
    using Out = std::remove_cvref_t<R>;
};
template <>
struct Result<void> {
    static constexpr BodyKind kind = BodyKind::plain;
    static constexpr bool filters = false;
    using Out = void;
};
template <class O>
struct Result<std::optional<O>> {
    static constexpr BodyKind kind = BodyKind::plain;
    static constexpr bool filters = true;
    using Out = O;
};
template <class O, class Executor>
struct Result<asio::awaitable<O, Executor>> {
    static constexpr BodyKind kind =
        std::is_same_v<Executor, asio::any_io_executor> ? BodyKind::awaitable : BodyKind::unknown;
    static constexpr bool filters = Result<O>::filters;
    using Out = typename Result<O>::Out;
};
template <class O>
struct Result<Stream<O>> {
    static constexpr BodyKind kind = BodyKind::stream;
    static constexpr bool filters = false;
    using Out = O;
};

// --- what a callable takes -------------------------------------------------------------------------------------

template <class... A>
struct Parameters {
    static constexpr std::size_t count = sizeof...(A);
};

template <class F>
struct FunctionType {
    static constexpr bool known = false;
};
template <class R, class... A>
struct FunctionType<R(A...)> {
    static constexpr bool known = true;
    using Args = Parameters<A...>;
};
template <class R, class... A>
struct FunctionType<R(A...) noexcept> : FunctionType<R(A...)> {};
template <class R, class... A>
struct FunctionType<R (*)(A...)> : FunctionType<R(A...)> {};
template <class R, class... A>
struct FunctionType<R (*)(A...) noexcept> : FunctionType<R(A...)> {};

template <class M>
struct MemberFunction {
    static constexpr bool known = false;
};
#define AGDF_MEMBER_FUNCTION(QUALIFIERS)               \
    template <class C, class R, class... A>            \
    struct MemberFunction<R (C::*)(A...) QUALIFIERS> : FunctionType<R(A...)> {};
AGDF_MEMBER_FUNCTION()
AGDF_MEMBER_FUNCTION(const)
AGDF_MEMBER_FUNCTION(noexcept)
AGDF_MEMBER_FUNCTION(const noexcept)
AGDF_MEMBER_FUNCTION(&)
AGDF_MEMBER_FUNCTION(const&)
AGDF_MEMBER_FUNCTION(& noexcept)
AGDF_MEMBER_FUNCTION(const& noexcept)
#undef AGDF_MEMBER_FUNCTION

template <class F>
    requires requires { &F::operator(); }
struct FunctionType<F> : MemberFunction<decltype(&F::operator())> {};

template <class F>
struct Unwrapped {
    using Type = F;
    using Kept = F;
    static constexpr bool blocking = false;
    static constexpr bool per_worker = false;
};
template <class F>
struct Unwrapped<Blocking<F>> {
    using Type = F;
    using Kept = Blocking<F>;
    static constexpr bool blocking = true;
    static constexpr bool per_worker = false;
};
template <class Make>
struct Unwrapped<PerWorker<Make>> : Unwrapped<std::decay_t<std::invoke_result_t<Make&>>> {
    static constexpr bool per_worker = true;
};

template <class T>
struct IsReceiver : std::false_type {};
template <class I>
struct IsReceiver<Receiver<I>> : std::true_type {
    using Item = I;
};

template <class T>
struct IsTupleLike : std::false_type {};
template <class T>
    requires requires { std::tuple_size<T>::value; }
struct IsTupleLike<T> : std::true_type {};

// --- both, put together ----------------------------------------------------------------------------------------

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
    static auto call(F& f, Tuple& item) -> decltype(auto) { return std::invoke(f, std::get<N>(std::move(item))...); }
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

/// All that the library wants to know about a body; `In` is given, or deduced from its parameters.
template <class Body, class Given = Deduce>
struct BodyTraits {
    using F = typename Unwrapped<Body>::Type;
    using Kept = typename Unwrapped<Body>::Kept;  ///< what a worker calls, as it is stored
    static constexpr bool blocking = Unwrapped<Body>::blocking;
    static constexpr bool per_worker = Unwrapped<Body>::per_worker;
    static constexpr bool deduces = std::is_same_v<Given, Deduce>;
    static constexpr bool known_signature = !deduces || FunctionType<F>::known;

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
    static constexpr Passing passing = known_signature ? Called::passing : Passing::unknown;
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

/// A key that std::hash takes. Out here since Clang 16 crashes at such a requirement inside a lambda.
template <class Key>
concept Hashable = requires(const Key& key) {
    { std::hash<Key>{}(key) } -> std::convertible_to<std::size_t>;
};

}  // namespace detail

/// A callable that can be a node without saying more: one signature, of one of the accepted shapes.
///
///     static_assert(agdf::NodeBody<decltype([](int) { return 1; })>);
///     static_assert(!agdf::NodeBody<decltype([](auto) { return 1; })>);  // say the type: add_node<int>(…)
///     static_assert(!agdf::NodeBody<int>);
template <class Body>
concept NodeBody = detail::BodyTraits<std::decay_t<Body>>::known_signature &&
                   detail::BodyTraits<std::decay_t<Body>>::kind != detail::BodyKind::unknown;

/// A callable that can be a node whose items are `In`; `void` for a source.
///
///     static_assert(agdf::NodeBodyFor<decltype([](auto x) { return x; }), int>);
template <class Body, class In>
concept NodeBodyFor = detail::BodyTraits<std::decay_t<Body>, In>::kind != detail::BodyKind::unknown;

}  // namespace agdf
