#pragma once

// Floor 1: what a node body may be, read off its signature.

#include <agdf/detail/body_traits.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace agdf {

/// A type whose values can travel between nodes: an object that can be moved. If its move may throw, which is also said of
/// a copy that stands for it, each queue keeps its values on the heap: declare a `noexcept` move where that counts.
///
///     static_assert(agdf::Item<std::unique_ptr<int>>);
///     static_assert(!agdf::Item<int&>);  // a reference may outlive what it names
///     static_assert(!agdf::Item<const int>);
template <class T>
concept Item = std::is_object_v<T> && std::same_as<T, std::remove_cv_t<T>> && !std::is_array_v<T> &&
               std::move_constructible<T>;

namespace detail {

/// Stands for a body that was refused, and for what its node takes and yields: nothing else that is said of them is an error as
/// well.
struct Refused {};
template <class... T>
constexpr bool is_refused = (std::is_same_v<T, Refused> || ...);

/// A key that std::hash takes. Out here since Clang 16 crashes at such a requirement inside a lambda.
template <class Key>
concept Hashable = requires(const Key& key) {
    { std::hash<Key>{}(key) } -> std::convertible_to<std::size_t>;
};

/// A number made of something loses nothing.
template <class To, class From>
concept KeepsArithmetic = !std::is_arithmetic_v<To> || std::same_as<To, From> || requires(From from) { To{std::move(from)}; };

template <class T>
constexpr bool is_character = false;
template <>
inline constexpr bool is_character<char> = true;
template <>
inline constexpr bool is_character<wchar_t> = true;
template <>
inline constexpr bool is_character<char8_t> = true;
template <>
inline constexpr bool is_character<char16_t> = true;
template <>
inline constexpr bool is_character<char32_t> = true;

/// A pointer to characters, which std::hash takes by its address.
template <class T>
concept CharacterPointer = std::is_pointer_v<T> && is_character<std::remove_cv_t<std::remove_pointer_t<T>>>;

/// A key whose hash says which value it is.
template <class Key>
concept HashedByValue = Hashable<Key> && !CharacterPointer<Key>;

/// What a body must be, one thing after the other.
template <class Traits>
struct BodyFit {
    static constexpr bool known = Traits::known_signature;
    static constexpr bool mixes = Traits::mixes;
    static constexpr bool passes = mixes || Traits::passing != Passing::unknown;
    static constexpr bool callable = known && passes && !mixes;
    // Of what cannot be called the rest is not asked.
    static constexpr bool coroutine = !callable || Traits::kind != BodyKind::unknown;
    static constexpr bool items = [] {
        if constexpr (callable)
            return (std::is_void_v<typename Traits::In> || Item<typename Traits::In>) &&
                   (std::is_void_v<typename Traits::Out> || Item<typename Traits::Out>);
        else
            return true;
    }();
    static constexpr bool pool =
        !callable || !Traits::blocking || (Traits::kind == BodyKind::plain && Traits::passing != Passing::receiver);
    static constexpr bool whole = !callable || Traits::passing != Passing::receiver || Traits::kind != BodyKind::plain;
    static constexpr bool all = callable && coroutine && items && pool && whole;
};

}  // namespace detail

/// A callable that can be a node without saying more: one signature, of one of the accepted shapes.
///
///     static_assert(agdf::NodeBody<decltype([](int) { return 1; })>);
///     static_assert(!agdf::NodeBody<decltype([](auto) { return 1; })>);  // say the type: add_node<int>(…)
///     static_assert(!agdf::NodeBody<int>);
template <class Body>
concept NodeBody = detail::BodyFit<detail::BodyTraits<std::decay_t<Body>>>::all;

/// A callable that can be a node whose items are `In`; `void` for a source.
///
///     static_assert(agdf::NodeBodyFor<decltype([](auto x) { return x; }), int>);
template <class Body, class In>
concept NodeBodyFor = detail::BodyFit<detail::BodyTraits<std::decay_t<Body>, In>>::all;

}  // namespace agdf
