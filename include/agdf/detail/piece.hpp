#pragma once

// Floor 3: what the ready-made bodies share.

#include <agdf/detail/fmt.hpp>
#include <agdf/error.hpp>
#include <agdf/receiver.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <list>
#include <optional>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace agdf::detail {

inline constexpr std::chrono::steady_clock::time_point never_due = std::chrono::steady_clock::time_point::max();

/// The items that a body keeps. If the body ends with some of them, because of an error or of the run's end, nobody
/// works on them any more, and the node says so.
template <class T>
class Held {
public:
    explicit Held(Receiver<T> items) noexcept : items_(items) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held()
    {
        if (count_ > 0)
            items_.give_up(count_);
    }

    void add(std::size_t count = 1) noexcept { count_ += count; }
    void remove(std::size_t count) noexcept { count_ -= count; }

private:
    Receiver<T> items_;
    std::size_t count_ = 0;
};

/// Appends by moves only; a vector that grows by itself copies elements whose move may throw.
template <class T>
void append(std::vector<T>& items, T&& item)
{
    if (items.size() == items.capacity()) {
        std::vector<T> grown;
        grown.reserve(items.empty() ? 1 : 2 * items.size());
        for (auto&& kept : items)
            grown.push_back(std::move(kept));
        items.swap(grown);
    }
    items.push_back(std::move(item));
}

/// Calls a function of the user's on an item. If it throws, that item has failed, and the answer is empty.
template <class T, class F>
[[nodiscard]] auto try_on(Receiver<T>& items, const F& function, const T& item)
    -> std::optional<std::decay_t<std::invoke_result_t<const F&, const T&>>>
{
    try {
        return std::invoke(function, item);
    } catch (...) {
        items.fail(std::current_exception());
        return std::nullopt;
    }
}

/// Throws if an option that bounds something is 0.
inline void check_bound(std::string_view where, std::string_view name, std::size_t value)
{
    if (value == 0)
        throw GraphError(fmt::format("{}: {} is 0. Expected: room for at least one. Pass 1 or more.", where, name));
}

/// Throws if a duration that may be left out is negative.
inline void check_duration(std::string_view where, std::string_view name, std::chrono::steady_clock::duration value)
{
    if (value < std::chrono::steady_clock::duration::zero())
        throw GraphError(fmt::format("{0}: {1} is negative. Expected: a duration above zero, or zero for none. Leave {1} out if "
                                     "there is to be none.",
                                     where, name));
}

// --- keys ------------------------------------------------------------------------------------------------------

template <class Key>
constexpr bool looks_elsewhere = CharacterPointer<Key>;
template <class Char, class Traits>
constexpr bool looks_elsewhere<std::basic_string_view<Char, Traits>> = true;
template <class Key>
constexpr bool looks_elsewhere<std::optional<Key>> = looks_elsewhere<Key>;

/// A type that can be remembered and looked up. Views and pointers to characters would outlive the item they look into.
template <class Key>
concept TableKey = std::movable<Key> && std::equality_comparable<Key> && !looks_elsewhere<Key> && Hashable<Key>;

template <class F, class T>
struct KeyOf {
    static constexpr bool fits = false;
    using Type = int;
};
template <class F, class T>
    requires std::invocable<const F&, const T&>
struct KeyOf<F, T> {
    using Result = std::invoke_result_t<const F&, const T&>;
    using Type = std::decay_t<Result>;
    static constexpr bool fits = TableKey<Type> && std::constructible_from<Type, Result>;
};

/// Finds entries of a list by the key that stands in them, and by its hash beside it: so an entry can be taken out whatever the
/// key's own hash does.
template <class Key, class Place>
struct ByKey {
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const { return std::hash<Key>{}(key); }
        std::size_t operator()(Place place) const noexcept { return place->hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(Place a, Place b) const { return a == b; }
        bool operator()(const Key& key, Place place) const { return key == place->key; }
        bool operator()(Place place, const Key& key) const { return key == place->key; }
    };
    using Index = std::unordered_set<Place, Hash, Equal>;
};

/// Values by key, which also stand in an order: what is added or renewed is the newest.
template <class Key, class Value>
class KeyTable {
public:
    struct Entry {
        Key key;
        Value value;
        std::size_t hash;
    };
    using Place = typename std::list<Entry>::iterator;

    /// The entry of a key, or `end`.
    [[nodiscard]] Place find(const Key& key)
    {
        const auto found = index_.find(key);
        return found == index_.end() ? order_.end() : *found;
    }

    /// Adds a key that is not there yet.
    Place add(Key key, Value value)
    {
        const std::size_t hash = std::hash<Key>{}(key);
        order_.push_back(Entry{std::move(key), std::move(value), hash});
        const Place place = std::prev(order_.end());
        index_.insert(place);
        return place;
    }

    void renew(Place place) noexcept { order_.splice(order_.end(), order_, place); }

    [[nodiscard]] Entry take(Place place)
    {
        index_.erase(place);
        Entry entry = std::move(*place);
        order_.erase(place);
        return entry;
    }

    [[nodiscard]] Place oldest() noexcept { return order_.begin(); }
    [[nodiscard]] Place end() noexcept { return order_.end(); }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
    [[nodiscard]] bool empty() const noexcept { return order_.empty(); }

private:
    std::list<Entry> order_;  // the oldest first
    typename ByKey<Key, Place>::Index index_;
};

}  // namespace agdf::detail
