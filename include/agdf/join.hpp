#pragma once

// Floor 3: the items of two streams that belong together.

#include <agdf/detail/piece.hpp>
#include <agdf/stream.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// An item for which `join` found no partner.
template <class T>
struct Unmatched {
    T item;

    friend bool operator==(const Unmatched&, const Unmatched&) = default;
};

/// How much `join` keeps.
struct JoinOptions {
    std::size_t max_waiting = 10'000;  ///< items that may wait for a partner, on each side
};

namespace detail {

template <class T, class... Seen>
struct Copies<Unmatched<T>, Seen...> : std::bool_constant<copies_within<T, Seen...>> {};

/// Items that wait for a partner: the oldest is found at once, and so is the oldest of a key.
template <class Key, class Item>
class Waiting {
public:
    /// Adds an item as the newest.
    void add(Key key, Item item)
    {
        const std::size_t hash = std::hash<Key>{}(key);
        const Place place = order_.insert(order_.end(), Entry{std::move(key), std::move(item), hash, order_.end(), order_.end()});
        place->last = place;
        const auto [first, is_new] = index_by_key(place);
        if (!is_new) {
            first->last->next = place;
            first->last = place;
        }
    }

    /// Takes the oldest item of a key, if there is one.
    [[nodiscard]] std::optional<Item> take_one_of(const Key& key)
    {
        const auto found = index_.find(key);
        return found == index_.end() ? std::nullopt : std::optional<Item>{take(*found)};
    }

    /// Takes the oldest of all, which is also the oldest of its key.
    [[nodiscard]] Item take_oldest() { return take(order_.begin()); }

    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

private:
    struct Entry;
    using Place = typename std::list<Entry>::iterator;
    struct Entry {
        Key key;
        Item item;
        std::size_t hash;  // of the key
        Place next;  // of the same key
        Place last;  // of the same key; kept by the first
    };

    std::pair<Place, bool> index_by_key(Place place)
    {
        const auto found = index_.find(std::as_const(place->key));
        if (found != index_.end())
            return {*found, false};
        index_.insert(place);
        return {place, true};
    }

    Item take(Place first)
    {
        index_.erase(first);
        if (first->next != order_.end()) {
            first->next->last = first->last;
            index_.insert(first->next);
        }
        Item item = std::move(first->item);
        order_.erase(first);
        return item;
    }

    std::list<Entry> order_;  // the oldest first
    typename ByKey<Key, Place>::Index index_;  // the first of each key
};

template <class A, class B, class KeyOfA, class KeyOfB>
struct Joining {
    using Key = typename KeyOf<KeyOfA, A>::Type;
    using In = std::variant<A, B>;
    using Out = std::variant<std::pair<A, B>, Unmatched<A>, Unmatched<B>>;

    KeyOfA key_of_a;
    KeyOfB key_of_b;
    std::size_t max_waiting;
};

/// Both sides of a join.
template <class J, class A, class B>
class Joiner {
public:
    using Key = typename J::Key;
    using In = typename J::In;
    using Out = typename J::Out;

    Joiner(const J& join, Receiver<In> items) noexcept : join_(join), items_(items), held_(items) {}

    /// What leaves because this item came.
    [[nodiscard]] std::optional<Out> add(In&& item)
    {
        auto key = try_on(items_, [this](const In& in) { return key_of(in); }, std::as_const(item));
        if (!key)
            return std::nullopt;
        if (item.index() == 0) {
            if (auto partner = bs_.take_one_of(*key))
                return pair(std::get<0>(std::move(item)), std::move(*partner));
            return wait<1>(as_, std::move(*key), std::get<0>(std::move(item)));
        }
        if (auto partner = as_.take_one_of(*key))
            return pair(std::move(*partner), std::get<1>(std::move(item)));
        return wait<2>(bs_, std::move(*key), std::get<1>(std::move(item)));
    }

    /// One of those that wait, as long as there are any.
    [[nodiscard]] std::optional<Out> take_unmatched()
    {
        if (as_.size() > 0)
            return unmatched<1>(as_);
        if (bs_.size() > 0)
            return unmatched<2>(bs_);
        return std::nullopt;
    }

private:
    [[nodiscard]] Key key_of(const In& item) const
    {
        return item.index() == 0 ? std::invoke(join_.key_of_a, std::get<0>(item)) : std::invoke(join_.key_of_b, std::get<1>(item));
    }

    // Each move may throw, and what does so at an item that has just come makes that one the error. So another one counts as held
    // until it has been moved for the last time.

    template <class Left, class Right>
    [[nodiscard]] std::optional<Out> pair(Left&& a, Right&& b)
    {
        std::optional<Out> out{std::in_place, std::in_place_index<0>, std::forward<Left>(a), std::forward<Right>(b)};
        held_.remove(1);
        return out;
    }

    template <std::size_t index, class Item>
    [[nodiscard]] std::optional<Out> wait(Waiting<Key, Item>& side, Key&& key, Item&& item)
    {
        side.add(std::move(key), std::move(item));
        auto displaced = side.size() > join_.max_waiting ? oldest<index>(side) : std::optional<Out>{};
        if (!displaced)
            held_.add();
        return displaced;
    }

    /// At the end, when no item has come: it is itself the one that fails.
    template <std::size_t index, class Item>
    [[nodiscard]] std::optional<Out> unmatched(Waiting<Key, Item>& side)
    {
        held_.remove(1);
        return oldest<index>(side);
    }

    template <std::size_t index, class Item>
    [[nodiscard]] static std::optional<Out> oldest(Waiting<Key, Item>& side)
    {
        return std::optional<Out>{std::in_place, std::in_place_index<index>, Unmatched<Item>{side.take_oldest()}};
    }

    const J& join_;
    Receiver<In> items_;
    Held<In> held_;
    Waiting<Key, A> as_;
    Waiting<Key, B> bs_;
};

template <class J, class A, class B>
Stream<typename J::Out> join_items(std::shared_ptr<const J> join, Receiver<typename J::In> items)
{
    Joiner<J, A, B> joiner{*join, items};
    while (auto item = co_await items.next()) {
        auto leaves = joiner.add(std::move(*item));
        if (leaves)
            co_yield std::move(*leaves);
    }
    while (auto left = joiner.take_unmatched())
        co_yield std::move(*left);
}

}  // namespace detail

/// Returns the body of a node that pairs the items of two streams by a key.
///
/// Each item is paired once, with the item of the same key that has waited longest on the other side, or it waits for
/// one itself: two As and three Bs of a key make two pairs, the first with the first and the second with the second, and
/// leave one B. When more than `max_waiting` items of a side wait, the one that has waited longest leaves as `Unmatched`;
/// those that still wait at the end of the stream, also when the run is stopped, do so too: first the As, then the Bs,
/// each in their order. Use one worker: with several, partners may not meet.
///
/// @param key_of_a  Tells the key of an A: a function of `const A&`, or a pointer to a member.
/// @param key_of_b  The same for a B; the key has the same type.
/// Shape:           `Stream<std::variant<std::pair<A, B>, Unmatched<A>, Unmatched<B>>>(Receiver<std::variant<A, B>>)`. Edges
///                  from nodes that yield As and from nodes that yield Bs lead to it; items are moved, never copied.
/// Errors:          throws GraphError at once for `max_waiting` 0. If a key function throws, that item fails. When the run is
///                  halted or cancelled, the items that wait count as undelivered.
///
///     auto joined = graph.add_node("join", agdf::join<Order, Payment>(&Order::id, &Payment::order));
///     orders >> joined;
///     payments >> joined;
template <class A, class B, class KeyOfA, class KeyOfB>
[[nodiscard]] auto join(KeyOfA key_of_a, KeyOfB key_of_b, JoinOptions options = {})
{
    constexpr bool travel = Item<A> && Item<B>;
    static_assert(travel,
                  "agdf::join<A, B>(key_of_a, key_of_b): A or B cannot travel between nodes. Expected: object types that can be moved, "
                  "without const or reference. Name the types themselves, or smart pointers to them.");
    constexpr bool differ = !std::is_same_v<A, B>;
    static_assert(!travel || differ,
                  "agdf::join<A, B>(key_of_a, key_of_b): A and B are the same type, so nobody can tell the sides apart. Expected: two "
                  "types. Wrap one side, struct Left { Item item; }, in its node or with agdf::map on its edge.");
    constexpr bool have_keys = detail::KeyOf<KeyOfA, A>::fits && detail::KeyOf<KeyOfB, B>::fits;
    static_assert(!travel || !differ || have_keys,
                  "agdf::join<A, B>(key_of_a, key_of_b): a key function does not fit. Expected: functions of const A& and of const B&, "
                  "callable when they are const, that return an object with std::hash and == that owns what it says (a std::string, "
                  "not a std::string_view). Return such a key, or specialise std::hash for it.");
    constexpr bool same_key = std::is_same_v<typename detail::KeyOf<KeyOfA, A>::Type, typename detail::KeyOf<KeyOfB, B>::Type>;
    static_assert(!travel || !differ || !have_keys || same_key,
                  "agdf::join<A, B>(key_of_a, key_of_b): the key functions return different types. Expected: the same type for both "
                  "sides. Convert one of the keys.");
    if constexpr (travel && differ && have_keys && same_key) {
        detail::check_bound("agdf::join", "max_waiting", options.max_waiting);
        using J = detail::Joining<A, B, KeyOfA, KeyOfB>;
        auto kept = std::make_shared<const J>(J{std::move(key_of_a), std::move(key_of_b), options.max_waiting});
        return [kept](Receiver<std::variant<A, B>> items) { return detail::join_items<J, A, B>(kept, items); };
    } else {
        return detail::Refused{};
    }
}

}  // namespace agdf

AGDF_COROUTINES_END
