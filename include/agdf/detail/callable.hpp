#pragma once

// Floor 1: what a callable takes and returns, as far as its type tells.

#include <agdf/detail/asio.hpp>

#include <array>
#include <concepts>
#include <cstddef>
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

namespace detail {

/// Stands in the queue of a node that takes nothing.
struct Unit {};

template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Unit, T>;

/// Whether values can really be copied: a container says that of itself even if its elements cannot. Types that contain
/// themselves are asked once: `Seen` are those around `T`.
template <class T, class... Seen>
struct Copies : std::bool_constant<std::copy_constructible<T>> {};
template <class T, class... Seen>
constexpr bool copies_within = std::disjunction<std::is_same<T, Seen>..., Copies<T, Seen...>>::value;  // asks only as far as it must
template <class T, class... Seen>
    requires requires { typename T::allocator_type; typename T::value_type; }
struct Copies<T, Seen...> : std::bool_constant<std::copy_constructible<T> && copies_within<typename T::value_type, T, Seen...>> {};
template <class T, class... Seen>
    requires requires { typename T::container_type; }
struct Copies<T, Seen...> : std::bool_constant<std::copy_constructible<T> && copies_within<typename T::container_type, T, Seen...>> {};
template <class T, std::size_t n, class... Seen>
struct Copies<std::array<T, n>, Seen...> : std::bool_constant<copies_within<T, Seen...>> {};
template <class T, class... Seen>
struct Copies<std::optional<T>, Seen...> : std::bool_constant<copies_within<T, Seen...>> {};
template <class A, class B, class... Seen>
struct Copies<std::pair<A, B>, Seen...> : std::bool_constant<copies_within<A, Seen...> && copies_within<B, Seen...>> {};
template <class... T, class... Seen>
struct Copies<std::tuple<T...>, Seen...> : std::bool_constant<(copies_within<T, Seen...> && ...)> {};
template <class... T, class... Seen>
struct Copies<std::variant<T...>, Seen...> : std::bool_constant<(copies_within<T, Seen...> && ...)> {};
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
template <class R>
    requires(!std::is_same_v<R, std::remove_cvref_t<R>> && Result<std::remove_cvref_t<R>>::kind == BodyKind::plain)
struct Result<R> : Result<std::remove_cvref_t<R>> {};
template <class O, class Executor>
struct Result<asio::awaitable<O, Executor>> {
    static constexpr BodyKind kind =
        std::is_same_v<Executor, asio::any_io_executor> ? BodyKind::awaitable : BodyKind::unknown;
    static constexpr bool is_value = Result<O>::kind == BodyKind::plain;  // else it is a coroutine that travels as an item
    static constexpr bool filters = is_value && Result<O>::filters;
    using Out = std::conditional_t<is_value, typename Result<O>::Out, O>;
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
template <class R, class... A>
struct MemberFunction<R (*)(A...)> : FunctionType<R(A...)> {};  // a static call operator
template <class R, class... A>
struct MemberFunction<R (*)(A...) noexcept> : FunctionType<R(A...)> {};

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

}  // namespace detail

}  // namespace agdf
