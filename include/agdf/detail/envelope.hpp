#pragma once

// Floor 2: what travels through a channel, and the words of those who use one.

namespace agdf::detail {

/// Asked by a source that wants to know when its item has been dealt with; reserved.
class Acknowledgement;

/// What travels through a channel: the value, and null unless its source asks for acknowledgements.
template <class T>
struct Envelope {
    T value;
    Acknowledgement* acknowledgement = nullptr;
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
