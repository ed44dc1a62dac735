#pragma once

// Floor 1: functions of an item that stand in a node's options, which know nothing of the item's type.

#include <agdf/concepts.hpp>
#include <agdf/detail/type_name.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace agdf {

namespace detail {

/// A function from an item to a number, which remembers the item's type to be checked against a node's.
class ItemNumber {
public:
    ItemNumber();
    ItemNumber(const ItemNumber&);
    ItemNumber(ItemNumber&&) noexcept;
    ItemNumber& operator=(const ItemNumber&);
    ItemNumber& operator=(ItemNumber&&) noexcept;
    ~ItemNumber();

    /// @param number  Called as `number(const T&)`.
    template <class T, class F>
    static ItemNumber of(F number)
    {
        struct Kept final : Base {
            explicit Kept(F f) : function(std::move(f)) {}
            std::size_t call(const void* item) const override { return function(*static_cast<const T*>(item)); }
            F function;
        };
        ItemNumber made;
        made.function_ = std::make_shared<const Kept>(std::move(number));
        made.type_ = type_id<T>();
        made.type_name_ = type_name<T>();
        return made;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return function_ != nullptr; }
    [[nodiscard]] TypeId type() const noexcept { return type_; }
    [[nodiscard]] const std::string& name_of_type() const noexcept { return type_name_; }
    [[nodiscard]] std::size_t operator()(const void* item) const { return function_->call(item); }

private:
    struct Base {
        Base() = default;
        Base(const Base&) = delete;
        Base& operator=(const Base&) = delete;
        virtual ~Base() = default;
        virtual std::size_t call(const void* item) const = 0;
    };

    std::shared_ptr<const Base> function_;
    TypeId type_ = nullptr;
    std::string type_name_;
};

template <class Args>
struct OnlyParameter {
    static constexpr bool known = false;
    using Type = void;
};
template <class A>
struct OnlyParameter<Parameters<A>> {
    static constexpr bool known = true;
    using Type = std::remove_cvref_t<A>;
};

/// The item that a function of one parameter takes, read off its signature.
template <class F>
struct ItemOf {
    static auto type()
    {
        if constexpr (FunctionType<F>::known)
            return OnlyParameter<typename FunctionType<F>::Args>{};
        else
            return OnlyParameter<void>{};
    }
    using Found = decltype(type());
    static constexpr bool known = Found::known;
    using Type = typename Found::Type;
};

template <class F>
concept SharedFunction = ItemOf<F>::known && std::invocable<const F&, const typename ItemOf<F>::Type&>;

}  // namespace detail

/// What `NodeOptions::ordered_by_key` goes by: made, by itself, from a function that takes the node's item and returns its
/// key.
///
/// Shape:   `Key(const Item&)`; the key needs `std::hash`. Keys of the same hash are kept in order as if they were equal.
/// Errors:  a node that takes another type makes `add_node` throw GraphError. What the function throws is an error of the
///          item, which is not tried again.
///
///     graph.add_node("enrich", enrich, {.workers = 8, .ordered_by_key = [](const Order& order) { return order.customer; }});
class OrderKey {
public:
    OrderKey() = default;

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, OrderKey>)
    OrderKey(F&& key)
    {
        using Function = std::decay_t<F>;
        constexpr bool fits = detail::SharedFunction<Function>;
        static_assert(fits,
                      "agdf::NodeOptions::ordered_by_key: the function's item cannot be read off it. Expected: a function or a "
                      "lambda Key(const Item&) with a plain parameter type. Name the type of the item in its parameter.");
        if constexpr (fits) {
            using Item = typename detail::ItemOf<Function>::Type;
            using Key = std::decay_t<std::invoke_result_t<const Function&, const Item&>>;
            constexpr bool hashes = detail::HashedByValue<Key>;
            static_assert(hashes,
                          "agdf::NodeOptions::ordered_by_key: the key has no std::hash. Expected: a number, a string, or a type "
                          "for which std::hash is specialised; a pointer to characters is hashed by its address. Return such a key.");
            if constexpr (hashes)
                hash_ = detail::ItemNumber::of<Item>(
                    [key = Function(std::forward<F>(key))](const Item& item) { return std::size_t{std::hash<Key>{}(key(item))}; });
        }
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(hash_); }
    /// For the library: the function, without the item's type.
    [[nodiscard]] const detail::ItemNumber& hash() const noexcept { return hash_; }

private:
    detail::ItemNumber hash_;
};

/// Bounds a node's queue by the weight of what waits in it, beside the number of items.
///
/// Shape:   `std::size_t(const Item&)`; it is called when an item enters the queue, and must always say the same of it.
/// Units:   whatever the function returns, bytes for instance. An item that is heavier than `most` enters an empty queue
///          alone.
/// Errors:  a node that takes another type makes `add_node` throw GraphError. An item whose weight cannot be told, since the
///          function throws, counts as `most`.
///
///     graph.add_node("store", store, {.queue_weight = {64'000'000, [](const Page& page) { return page.body.size(); }}});
class QueueWeight {
public:
    QueueWeight() = default;

    template <class F>
    QueueWeight(std::size_t most, F&& weigher) : most_(most)
    {
        using Function = std::decay_t<F>;
        constexpr bool fits = [] {
            if constexpr (detail::SharedFunction<Function>)
                return std::is_convertible_v<std::invoke_result_t<const Function&, const typename detail::ItemOf<Function>::Type&>, std::size_t>;
            else
                return false;
        }();
        static_assert(fits,
                      "agdf::NodeOptions::queue_weight: the weigher is not a function of an item. Expected: std::size_t(const "
                      "Item&) with a plain parameter type. Name the type of the item in its parameter.");
        if constexpr (fits) {
            using Item = typename detail::ItemOf<Function>::Type;
            weight_ = detail::ItemNumber::of<Item>(
                [weigh = Function(std::forward<F>(weigher))](const Item& item) { return static_cast<std::size_t>(weigh(item)); });
        }
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(weight_); }
    [[nodiscard]] std::size_t most() const noexcept { return most_; }
    /// For the library: the function, without the item's type.
    [[nodiscard]] const detail::ItemNumber& weight() const noexcept { return weight_; }

private:
    std::size_t most_ = 0;
    detail::ItemNumber weight_;
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/item_function.ipp>
#endif
