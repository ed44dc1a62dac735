#pragma once

// Floor 3: the first item of each key.

#include <agdf/detail/piece.hpp>
#include <agdf/stream.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// How much `dedupe` remembers.
struct DedupeOptions {
    std::size_t max_keys = 100'000;  ///< keys remembered at once
};

namespace detail {

/// The keys that came last.
template <class T, class KeyFunction>
class SeenKeys {
public:
    SeenKeys(const KeyFunction& key_of, std::size_t max_keys) noexcept : key_of_(key_of), max_keys_(max_keys) {}

    /// Whether an item's key is none of them; it is the newest from then on.
    [[nodiscard]] bool note(const T& item)
    {
        Key key = std::invoke(key_of_, item);
        const auto place = keys_.find(key);
        if (place != keys_.end()) {
            keys_.renew(place);
            return false;
        }
        keys_.add(std::move(key), Unit{});
        if (keys_.size() > max_keys_)
            (void)keys_.take(keys_.oldest());
        return true;
    }

private:
    using Key = typename KeyOf<KeyFunction, T>::Type;

    const KeyFunction& key_of_;
    const std::size_t max_keys_;
    KeyTable<Key, Unit> keys_;
};

template <class T, class KeyFunction>
Stream<T> first_of_each_key(std::shared_ptr<const KeyFunction> key_of, Receiver<T> items, std::size_t max_keys)
{
    SeenKeys<T, KeyFunction> seen{*key_of, max_keys};
    const auto is_new = [&seen](const T& item) { return seen.note(item); };
    while (auto item = co_await items.next()) {
        const auto passes = try_on(items, is_new, *item);
        if (passes && *passes)
            co_yield std::move(*item);
    }
}

}  // namespace detail

/// Returns the body of a node that lets only the first item of each key through.
///
/// It remembers the last `max_keys` keys, and forgets the one that has not come for the longest time; an item whose key
/// was forgotten passes again. Each run begins with nothing. With several workers each remembers keys of its own, so use
/// one.
///
/// @param key      Tells an item's key: a function of `const T&`, or a pointer to a member; the item itself if left out.
/// Shape:          `Stream<T>(Receiver<T>)`; the items that pass are moved, and keep their order.
/// Errors:         throws GraphError at once for `max_keys` 0. If `key`, the key's hash or its == throws, that item fails.
///
///     graph.add_node("once", agdf::dedupe<Order>(&Order::id, {.max_keys = 10'000}));
template <class T, class KeyFunction = std::identity>
[[nodiscard]] auto dedupe(KeyFunction key = {}, DedupeOptions options = {})
{
    static_assert(Item<T>,
                  "agdf::dedupe<T>(key): T cannot travel between nodes. Expected: an object type that can be moved, without "
                  "const or reference. Name the type itself, or a smart pointer to it.");
    constexpr bool has_key = detail::KeyOf<KeyFunction, T>::fits;
    static_assert(!Item<T> || has_key,
                  "agdf::dedupe<T>(key): the key function does not fit. Expected: a function of const T&, callable when it is "
                  "const, that returns an object with std::hash and == that owns what it says (a std::string, not a "
                  "std::string_view). Return such a key, or specialise std::hash for it.");
    if constexpr (Item<T> && has_key) {
        detail::check_bound("agdf::dedupe", "max_keys", options.max_keys);
        auto kept = std::make_shared<const KeyFunction>(std::move(key));
        return [kept, options](Receiver<T> items) { return detail::first_of_each_key<T, KeyFunction>(kept, items, options.max_keys); };
    } else {
        return detail::Refused{};
    }
}

/// The same for items that are their own key.
///
///     graph.add_node("once", agdf::dedupe<std::string>({.max_keys = 10'000}));
template <class T>
[[nodiscard]] auto dedupe(DedupeOptions options)
{
    return dedupe<T>(std::identity{}, options);
}

}  // namespace agdf

AGDF_COROUTINES_END
