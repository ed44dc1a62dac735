#pragma once

// Floor 3: items that travel together.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/piece.hpp>
#include <agdf/stream.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// When a batch is complete. An aggregate: write only what differs, `{.max_items = 100}`.
template <class T>
struct BatchOptions {
    std::size_t max_items = 1'024;                                     ///< a batch of so many items is complete
    std::chrono::steady_clock::duration max_delay = {};                ///< from a batch's first item to its flush; zero = no limit
    std::size_t max_weight = 0;                                        ///< of a batch's items in all; zero = no limit
    std::function<std::size_t(const detail::Stored<T>&)> weight = {};  ///< of an item, `const T&`; needed for `max_weight`
};

/// The options of `batch_by_key`; the limits hold for the batch of each key.
template <class T>
struct KeyedBatchOptions {
    std::size_t max_items = 1'024;
    std::chrono::steady_clock::duration max_delay = {};
    std::size_t max_weight = 0;
    std::function<std::size_t(const detail::Stored<T>&)> weight = {};
    std::size_t max_keys = 1'024;  ///< batches that may be under way at once
};

namespace detail {

template <class T>
void check_batch(std::string_view where, const BatchOptions<T>& options)
{
    check_bound(where, "max_items", options.max_items);
    check_duration(where, "max_delay", options.max_delay);
    if (options.max_weight > 0 && !options.weight)
        throw GraphError(fmt::format("{}: max_weight is {}, but there is no weight. Expected: both or neither. Pass "
                                     ".weight = [](const T& item) {{ return …; }} as well.",
                                     where, options.max_weight));
    if (options.max_weight == 0 && options.weight)
        throw GraphError(fmt::format("{}: there is a weight, but max_weight is 0. Expected: both or neither. Pass .max_weight as "
                                     "well.",
                                     where));
}

/// A batch that grows.
template <class T>
class OpenBatch {
public:
    explicit OpenBatch(const BatchOptions<T>& options) noexcept : options_(&options) {}

    /// Empty if the item has failed.
    [[nodiscard]] std::optional<std::size_t> weigh(const T& item, Receiver<T>& items) const
    {
        return options_->weight ? try_on(items, options_->weight, item) : std::optional<std::size_t>{0};
    }
    [[nodiscard]] bool is_empty() const noexcept { return items_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

    [[nodiscard]] bool has_room_for(std::size_t weight) const noexcept
    {
        return is_empty() || options_->max_weight == 0 || weight <= options_->max_weight - weight_;
    }

    [[nodiscard]] bool is_full() const noexcept
    {
        return items_.size() >= options_->max_items || (options_->max_weight > 0 && weight_ >= options_->max_weight);
    }

    void add(T&& item, std::size_t weight, const Receiver<T>& clock)
    {
        if (is_empty() && options_->max_delay > std::chrono::steady_clock::duration::zero())
            due_ = later(clock.now(), options_->max_delay);
        append(items_, std::move(item));
        weight_ += weight;
    }

    /// When the batch has to go; `never_due` as long as it is empty.
    [[nodiscard]] std::chrono::steady_clock::time_point due() const noexcept { return due_; }
    [[nodiscard]] bool is_due(const Receiver<T>& clock) const { return due_ != never_due && due_ <= clock.now(); }

    /// Hands the items out, and begins anew.
    [[nodiscard]] std::vector<T> take(Held<T>& held)
    {
        held.remove(items_.size());
        weight_ = 0;
        due_ = never_due;
        return std::exchange(items_, {});
    }

private:
    const BatchOptions<T>* options_;
    std::vector<T> items_;
    std::size_t weight_ = 0;  // at most max_weight, or that of a single item
    std::chrono::steady_clock::time_point due_ = never_due;
};

template <class T>
Stream<std::vector<T>> batch_items(std::shared_ptr<const BatchOptions<T>> options, Receiver<T> items)
{
    Held<T> held{items};
    OpenBatch<T> batch{*options};
    while (!items.has_ended()) {
        auto item = co_await items.next_until(batch.due());
        const auto weight = item ? batch.weigh(*item, items) : std::nullopt;
        if (weight) {
            if (!batch.has_room_for(*weight)) {
                auto full = batch.take(held);
                held.add();  // the run may be cut short in this wait
                co_yield std::move(full);
                held.remove(1);
            }
            batch.add(std::move(*item), *weight, items);
            held.add();
        }
        const bool is_complete = !item || batch.is_full() || batch.is_due(items);
        if (is_complete && !batch.is_empty())
            co_yield batch.take(held);
    }
}

/// The batches of all keys, in the order in which they began.
template <class T, class KeyFunction>
class KeyedBatches {
public:
    using Key = typename KeyOf<KeyFunction, T>::Type;
    using Table = KeyTable<Key, OpenBatch<T>>;
    using Place = typename Table::Place;
    using Batch = std::pair<Key, std::vector<T>>;

    struct Options {
        BatchOptions<T> batch;
        std::size_t max_keys;
        KeyFunction key;
    };

    KeyedBatches(const Options& options, Receiver<T> items) noexcept : options_(options), held_(items) {}

    [[nodiscard]] bool is_empty() const noexcept { return table_.empty(); }
    [[nodiscard]] bool has_room() const noexcept { return table_.size() < options_.max_keys; }
    [[nodiscard]] Place oldest() noexcept { return table_.oldest(); }
    [[nodiscard]] std::chrono::steady_clock::time_point due() noexcept
    {
        return is_empty() ? never_due : table_.oldest()->value.due();
    }
    [[nodiscard]] bool is_due(const Receiver<T>& clock) { return due() != never_due && due() <= clock.now(); }
    [[nodiscard]] bool exists(Place place) noexcept { return place != table_.end(); }

    [[nodiscard]] Place find(const Key& key) { return table_.find(key); }
    [[nodiscard]] Place begin(Key key) { return table_.add(std::move(key), OpenBatch<T>{options_.batch}); }
    void hold_item() noexcept { held_.add(); }
    void release_item() noexcept { held_.remove(1); }

    [[nodiscard]] Batch take(Place place)
    {
        auto entry = table_.take(place);
        return Batch{std::move(entry.key), entry.value.take(held_)};
    }

private:
    const Options& options_;
    Held<T> held_;
    Table table_;
};

template <class T, class KeyFunction>
Stream<typename KeyedBatches<T, KeyFunction>::Batch>
batch_items_by_key(std::shared_ptr<const typename KeyedBatches<T, KeyFunction>::Options> options, Receiver<T> items)
{
    const OpenBatch<T> scale{options->batch};
    KeyedBatches<T, KeyFunction> batches{*options, items};
    while (!items.has_ended()) {
        auto item = co_await items.next_until(batches.due());
        auto key = item ? try_on(items, options->key, *item) : std::nullopt;
        const auto weight = key ? scale.weigh(*item, items) : std::nullopt;
        if (weight) {
            auto place = batches.find(*key);
            const bool is_known = batches.exists(place);
            if (is_known ? !place->value.has_room_for(*weight) : !batches.has_room()) {
                auto leaves = batches.take(is_known ? place : batches.oldest());
                batches.hold_item();  // the run may be cut short in this wait
                co_yield std::move(leaves);
                batches.release_item();
                place = batches.find(*key);
            }
            if (!batches.exists(place))
                place = batches.begin(std::move(*key));
            place->value.add(std::move(*item), *weight, items);
            batches.hold_item();
            if (place->value.is_full())
                co_yield batches.take(place);
        }
        const bool flushes_all = !item && (items.has_ended() || items.is_draining());
        while (!batches.is_empty() && (flushes_all || batches.is_due(items)))
            co_yield batches.take(batches.oldest());
    }
}

}  // namespace detail

/// Returns the body of a node that gathers items into vectors.
///
/// A batch leaves when it has `max_items`, before an item would bring it above `max_weight` (an item that is too heavy
/// by itself goes alone), `max_delay` after the body took its first item, at the end of the stream, and as soon as
/// nothing is queued when the run is stopped. No batch is empty. With several workers each keeps a batch of its own.
///
/// Shape:          `Stream<std::vector<T>>(Receiver<T>)`; items are moved, never copied, and keep their order.
/// Errors:         throws GraphError at once for `max_items` 0, a negative `max_delay`, and one of `max_weight` and
///                 `weight` without the other. If `weight` throws, that item fails. When the run is halted or cancelled,
///                 the items of the batch under way count as undelivered.
/// Thread-safety:  `weight` is called by several threads at once if the node's workers run on several.
///
///     graph.add_node("batch", agdf::batch<Row>({.max_items = 500, .max_delay = 1s}));
template <class T>
[[nodiscard]] auto batch(BatchOptions<T> options = {})
{
    static_assert(Item<T>,
                  "agdf::batch<T>(): T cannot travel between nodes. Expected: an object type that can be moved, without "
                  "const or reference. Name the type itself, or a smart pointer to it.");
    if constexpr (Item<T>) {
        detail::check_batch<T>("agdf::batch", options);
        return [options = std::make_shared<const BatchOptions<T>>(std::move(options))](Receiver<T> items) {
            return detail::batch_items<T>(options, items);
        };
    } else {
        return detail::Refused{};
    }
}

/// Returns the body of a node that gathers the items of each key into vectors of their own.
///
/// The limits are those of `batch`, for each key by itself. When a key comes that would be one more than `max_keys`,
/// the batch that began first leaves early. Keys are compared, not only their hashes.
///
/// @param key      Tells an item's key: a function of `const T&`, or a pointer to a member.
/// Shape:          `Stream<std::pair<Key, std::vector<T>>>(Receiver<T>)`.
/// Errors:         as `batch`, also for `max_keys` 0 and a `key` that throws.
/// Thread-safety:  as `batch`, also for `key`.
///
///     graph.add_node("by customer", agdf::batch_by_key<Order>(&Order::customer, {.max_items = 100}));
template <class T, class KeyFunction>
[[nodiscard]] auto batch_by_key(KeyFunction key, KeyedBatchOptions<T> options = {})
{
    static_assert(Item<T>,
                  "agdf::batch_by_key<T>(key): T cannot travel between nodes. Expected: an object type that can be moved, without "
                  "const or reference. Name the type itself, or a smart pointer to it.");
    constexpr bool has_key = detail::KeyOf<KeyFunction, T>::fits;
    static_assert(!Item<T> || has_key,
                  "agdf::batch_by_key<T>(key): the key function does not fit. Expected: a function of const T&, callable when it is "
                  "const, that returns an object with std::hash and == that owns what it says (a std::string, not a "
                  "std::string_view). Return such a key, or specialise std::hash for it.");
    if constexpr (Item<T> && has_key) {
        using Options = typename detail::KeyedBatches<T, KeyFunction>::Options;
        BatchOptions<T> limits{options.max_items, options.max_delay, options.max_weight, std::move(options.weight)};
        detail::check_batch<T>("agdf::batch_by_key", limits);
        detail::check_bound("agdf::batch_by_key", "max_keys", options.max_keys);
        auto kept = std::make_shared<const Options>(Options{std::move(limits), options.max_keys, std::move(key)});
        return [kept](Receiver<T> items) { return detail::batch_items_by_key<T, KeyFunction>(kept, items); };
    } else {
        return detail::Refused{};
    }
}

}  // namespace agdf

AGDF_COROUTINES_END
