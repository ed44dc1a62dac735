#pragma once

// Floor 2: what travels through a channel, and the words of those who use one.

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace agdf::detail {

/// Asked by a source that wants to know when its item has been dealt with; reserved.
class Acknowledgement;

/// A value as a buffer keeps it.
template <class T>
struct Parcel {
    T value;
};

/// The same for a type whose move may throw, which often is a copy: the value stays where it is on the heap, so that a message
/// that is on its way can always go on.
template <class T>
    requires(!std::is_nothrow_move_constructible_v<T>)
struct Parcel<T> {
    template <class Value>
        requires std::same_as<std::remove_cvref_t<Value>, T>
    explicit Parcel(Value&& from) : place(std::make_unique<T>(std::forward<Value>(from))), value(*place)
    {
    }
    Parcel(Parcel&& other) noexcept : place(std::move(other.place)), value(other.value) {}

    std::unique_ptr<T> place;
    T& value;
};

/// What travels through a channel: the value, and null unless its source asks for acknowledgements.
template <class T>
struct Envelope : Parcel<T> {
    Envelope() = default;
    template <class Value>
        requires std::same_as<std::remove_cvref_t<Value>, T>
    Envelope(Value&& from, Acknowledgement* to = nullptr) : Parcel<T>{std::forward<Value>(from)}, acknowledgement(to)
    {
    }
    Envelope(Parcel<T>&& parcel, Acknowledgement* to = nullptr) noexcept : Parcel<T>{std::move(parcel)}, acknowledgement(to) {}

    Acknowledgement* acknowledgement = nullptr;
};

/// What a buffer keeps of a message: all of it, and of an envelope the parcel.
template <class M>
struct KeptOf {
    using Type = M;
};
template <class T>
struct KeptOf<Envelope<T>> {
    using Type = Parcel<T>;
};

enum class Put { stored, waiting, closed };
enum class Got { item, waiting, ended };

/// Who takes part in a channel decides whether it needs its lock.
enum class Sharing {
    one_strand,
    two_strands,  ///< one who puts, and one who gets: they need it only to wait, and to wake each other
    many_strands
};

/// When a waiting sender is let in: at the first free place, or when half of the places are free, which moves many
/// items for one wake and is what a pipeline wants.
enum class Refill { first_place, half_empty };

}  // namespace agdf::detail
