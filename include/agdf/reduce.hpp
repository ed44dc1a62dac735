#pragma once

// Floor 3: one value for each key.

#include <agdf/detail/piece.hpp>
#include <agdf/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// How much `reduce` keeps.
struct ReduceOptions {
    std::size_t max_keys = 100'000;  ///< keys under way at once
};

namespace detail {

/// How a fold is called: `Value fold(Value, T)`, or `void fold(Value&, T)`.
template <class Fold, class Value, class T>
struct FoldTraits {
    static constexpr bool returns = [] {
        if constexpr (std::invocable<const Fold&, Value, T>)
            return std::convertible_to<std::invoke_result_t<const Fold&, Value, T>, Value> &&
                   KeepsArithmetic<Value, std::remove_cvref_t<std::invoke_result_t<const Fold&, Value, T>>>;
        else
            return false;
    }();
    static constexpr bool changes = !std::invocable<const Fold&, Value, T> && std::invocable<const Fold&, Value&, T>;
    static constexpr bool fits = returns || changes;
};

template <class T, class KeyFunction, class Value, class Fold>
struct Reduction {
    using Key = typename KeyOf<KeyFunction, T>::Type;
    using Result = std::pair<Key, Value>;
    static constexpr bool returns = FoldTraits<Fold, Value, T>::returns;

    KeyFunction key;
    Value initial;
    Fold fold;
    std::size_t max_keys;
};

/// The values under way. The table's order is that of the last change.
template <class R, class T>
class Reducing {
public:
    using Key = typename R::Key;
    using Result = typename R::Result;
    struct Folded {
        std::optional<decltype(R::initial)> value;  // anew after each fold, for values that cannot be assigned
        std::uint64_t number;  // in the order of the first items
        std::size_t items = 0;
    };
    using Place = typename KeyTable<Key, Folded>::Place;

    Reducing(const R& reduction, Receiver<T> items) noexcept : reduction_(reduction), items_(items), held_(items) {}

    [[nodiscard]] bool must_make_room(const Key& key)
    {
        return table_.size() == reduction_.max_keys && table_.find(key) == table_.end();
    }
    void hold_item() noexcept { held_.add(); }
    void release_item() noexcept { held_.remove(1); }
    [[nodiscard]] Result take_oldest() { return take(table_.oldest()); }

    void fold(Key&& key, T&& item)
    {
        Place place = table_.find(key);
        if (place == table_.end())
            place = table_.add(std::move(key), Folded{reduction_.initial, next_number_++});
        else
            table_.renew(place);
        Folded& folded = place->value;
        try {
            if constexpr (R::returns) {
                decltype(R::initial) next = reduction_.fold(std::move(*folded.value), std::move(item));  // perhaps its own parameter
                folded.value.emplace(std::move(next));
            } else {
                reduction_.fold(*folded.value, std::move(item));
            }
            ++folded.items;
            held_.add();
        } catch (...) {
            items_.fail(std::current_exception());
            if (R::returns || folded.items == 0)
                lose(place);  // the value is gone with the call, or there was none
        }
    }

    /// All that is left, in the order of the first items.
    [[nodiscard]] std::vector<Place> in_order()
    {
        std::vector<Place> places;
        for (Place place = table_.oldest(); place != table_.end(); ++place)
            places.push_back(place);
        std::sort(places.begin(), places.end(), [](Place a, Place b) { return a->value.number < b->value.number; });
        return places;
    }

    [[nodiscard]] Result take(Place place)
    {
        auto entry = table_.take(place);
        Result result{std::move(entry.key), std::move(*entry.value.value)};
        held_.remove(entry.value.items);
        return result;
    }

private:
    void lose(Place place)
    {
        const std::size_t items = table_.take(place).value.items;
        held_.remove(items);
        items_.give_up(items);
    }

    const R& reduction_;
    Receiver<T> items_;
    Held<T> held_;
    KeyTable<Key, Folded> table_;
    std::uint64_t next_number_ = 0;
};

template <class T, class R>
Stream<typename R::Result> reduce_items(std::shared_ptr<const R> reduction, Receiver<T> items)
{
    Reducing<R, T> reducing{*reduction, items};
    while (auto item = co_await items.next()) {
        auto key = try_on(items, reduction->key, *item);
        if (!key)
            continue;
        if (reducing.must_make_room(*key)) {
            auto oldest = reducing.take_oldest();
            reducing.hold_item();  // the run may be cut short in this wait
            co_yield std::move(oldest);
            reducing.release_item();
        }
        reducing.fold(std::move(*key), std::move(*item));
    }
    const auto places = reducing.in_order();
    for (const auto place : places)
        co_yield reducing.take(place);
}

}  // namespace detail

/// Returns the body of a node that makes one value of all the items of a key.
///
/// At the end of the stream, also when the run is stopped, it yields each key with its value, in the order in which the
/// keys first came. When a key comes that would be one more than `max_keys`, the key that has not changed for the longest
/// time leaves early, with what it has so far; if it comes again it begins anew, so whoever needs exact results adds up
/// the parts, or sees to it that there are fewer keys. With several workers each has values of its own.
///
/// @param key      Tells an item's key: a function of `const T&`, or a pointer to a member.
/// @param initial  What each key begins with; copied.
/// @param fold     Adds an item to a value: `void fold(Value&, T)` or `Value fold(Value, T)`.
/// Shape:          `Stream<std::pair<Key, Value>>(Receiver<T>)`.
/// Errors:         throws GraphError at once for `max_keys` 0. If `key` or `fold` throws, that item fails; a value that was
///                 passed to `fold` by value is lost with it, and the items that were in it count as undelivered, as do
///                 those of all values when the run is halted or cancelled.
/// Thread-safety:  `key` and `fold` are called by several threads at once if the node's workers run on several.
///
///     graph.add_node("totals", agdf::reduce<Sale>(&Sale::customer, 0.0, [](double& total, const Sale& sale) { total += sale.price; }));
template <class T, class KeyFunction, class Value, class Fold>
[[nodiscard]] auto reduce(KeyFunction key, Value initial, Fold fold, ReduceOptions options = {})
{
    static_assert(Item<T>,
                  "agdf::reduce<T>(key, initial, fold): T cannot travel between nodes. Expected: an object type that can be moved, "
                  "without const or reference. Name the type itself, or a smart pointer to it.");
    constexpr bool has_key = detail::KeyOf<KeyFunction, T>::fits;
    static_assert(!Item<T> || has_key,
                  "agdf::reduce<T>(key, initial, fold): the key function does not fit. Expected: a function of const T&, callable "
                  "when it is const, that returns an object with std::hash and == that owns what it says (a std::string, not a "
                  "std::string_view). Return such a key, or specialise std::hash for it.");
    constexpr bool copies = detail::Copies<Value>::value;
    static_assert(!Item<T> || !has_key || copies,
                  "agdf::reduce<T>(key, initial, fold): the initial value cannot be copied. Expected: a value that each key can begin "
                  "with a copy of. Make it a std::optional or a std::shared_ptr.");
    constexpr bool folds = detail::FoldTraits<Fold, Value, T>::fits;
    static_assert(!Item<T> || !has_key || !copies || folds,
                  "agdf::reduce<T>(key, initial, fold): the fold does not fit. Expected: void fold(Value&, T) or Value fold(Value, T), "
                  "callable when it is const, where Value is the type of 'initial'. Change its parameters, or the type of 'initial'.");
    if constexpr (Item<T> && has_key && copies && folds) {
        detail::check_bound("agdf::reduce", "max_keys", options.max_keys);
        using R = detail::Reduction<T, KeyFunction, Value, Fold>;
        auto kept = std::make_shared<const R>(R{std::move(key), std::move(initial), std::move(fold), options.max_keys});
        return [kept](Receiver<T> items) { return detail::reduce_items<T, R>(kept, items); };
    } else {
        return detail::Refused{};
    }
}

}  // namespace agdf

AGDF_COROUTINES_END
