#pragma once

// Floor 2: what travels through a channel, and the words of those who use one.

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace agdf::detail {

/// Asked by a source that wants to know when its item has been dealt with; reserved.
class Acknowledgement;

/// What travels through a channel: the value, and null unless its source asks for acknowledgements.
template <class T>
struct Envelope {
    T value;
    Acknowledgement* acknowledgement = nullptr;
};

/// The same for a type whose move may throw, which often is a copy: the value stays where it is on the heap, so that a message
/// that is on its way can always go on.
template <class T>
    requires(!std::is_nothrow_move_constructible_v<T>)
struct Envelope<T> {
    template <class Value>
        requires std::same_as<std::remove_cvref_t<Value>, T>
    explicit Envelope(Value&& from, Acknowledgement* to = nullptr)
        : place(std::make_unique<T>(std::forward<Value>(from))), value(*place), acknowledgement(to)
    {
    }
    Envelope(Envelope&& other) noexcept : place(std::move(other.place)), value(other.value), acknowledgement(other.acknowledgement) {}

    std::unique_ptr<T> place;
    T& value;
    Acknowledgement* acknowledgement;
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
