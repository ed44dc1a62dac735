#pragma once

// Floor 5: where a run begins, and with what.

#include <agdf/detail/blueprint.hpp>
#include <agdf/detail/run_control.hpp>
#include <agdf/node.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf {

namespace detail {

class StartValue {
public:
    StartValue() = default;
    StartValue(const StartValue&) = delete;
    StartValue& operator=(const StartValue&) = delete;
    virtual ~StartValue() = default;

    /// Hands the value to the node's run, whose type has been checked.
    virtual void add_to(NodeRun& run) = 0;
    /// Whether it can go into one run only, once.
    [[nodiscard]] virtual bool is_for_one_use() const noexcept = 0;
    /// Errors: throws GraphError if the value has been used up.
    virtual void check_unused(const NodeRun& run) const = 0;
    [[nodiscard]] virtual ItemType type() const = 0;
};

[[noreturn]] AGDF_DECL void refuse_start_item(const std::string& node);

template <class In>
class StartValueOf final : public StartValue {
public:
    explicit StartValueOf(In value) : value_(std::move(value)) {}

    void add_to(NodeRun& run) override
    {
        auto& inbox = static_cast<NodeInput<In>&>(run).inbox();
        if constexpr (Copies<In>::value) {
            inbox.add_start({std::as_const(value_), nullptr});
        } else {
            if (used_.exchange(true))
                refuse_start_item(run.name());
            inbox.add_start({std::move(value_), nullptr});
        }
    }
    [[nodiscard]] bool is_for_one_use() const noexcept override { return !Copies<In>::value; }
    void check_unused(const NodeRun& run) const override
    {
        if (used_)
            refuse_start_item(run.name());
    }
    [[nodiscard]] ItemType type() const override { return item_type<In>(); }

private:
    In value_;
    std::atomic<bool> used_{false};
};

}  // namespace detail

/// A node at which a run shall begin, and the item it begins with; made by `agdf::start`.
class StartItem {
public:
    StartItem(detail::Blueprint* blueprint, std::size_t index, std::string name, std::shared_ptr<detail::StartValue> value);
    StartItem(const StartItem&);
    StartItem(StartItem&&) noexcept;
    StartItem& operator=(const StartItem&);
    StartItem& operator=(StartItem&&) noexcept;
    ~StartItem();

    /// For the library: the node, checked against the graph that runs.
    [[nodiscard]] std::size_t node_of(const detail::Blueprint& blueprint) const;
    [[nodiscard]] detail::StartValue* value() const noexcept { return value_.get(); }

private:
    detail::Blueprint* blueprint_;
    std::size_t index_;
    std::string name_;
    std::shared_ptr<detail::StartValue> value_;
};

/// Begins a run at `node` with `item`, as if a node before it had yielded it; not counted as `in`. If nobody else sends to the
/// node in this run it is a source, which a stop ends at its await: its items that are left count as undelivered.
///
/// Errors: an item that does not fit the node does not compile.
///
///     graph.run({.start = {agdf::start(parse, text), agdf::start(parse, other)}});
template <class In, class Out, class T>
[[nodiscard]] StartItem start(Node<In, Out> node, T&& item)
{
    static_assert(!std::is_void_v<In>,
                  "agdf::start(node, item): the node takes nothing. Expected: a node whose body takes an item. Call "
                  "agdf::start(node) to begin at this one.");
    if constexpr (!std::is_void_v<In> && !detail::is_refused<In>) {
        constexpr bool fits = detail::FitsWhole<std::decay_t<T>, In>;  // a variant may hold what the node does not take
        static_assert(fits,
                      "agdf::start(node, item): the item does not fit the node. Expected: what the node's body takes, or what "
                      "converts to it without loss. Pass such an item.");
        if constexpr (fits)
            return {&node.blueprint(), node.first(), {}, std::make_shared<detail::StartValueOf<In>>(detail::convert<In>(std::forward<T>(item)))};
    }
    return {&node.blueprint(), node.first(), {}, nullptr};  // not reached: an assertion has failed
}

/// Begins a run at a source, or at a node whose body takes nothing.
template <class In, class Out>
[[nodiscard]] StartItem start(Node<In, Out> node)
{
    static_assert(std::is_void_v<In> || detail::is_refused<In>,
                  "agdf::start(node): the node takes an item. Expected: a node whose body takes nothing. Call "
                  "agdf::start(node, item).");
    return {&node.blueprint(), node.first(), {}, nullptr};
}

/// The same by name. The item must be of the node's own type, which is checked when the run begins.
template <class T>
[[nodiscard]] StartItem start(std::string_view name, T&& item)
{
    using Value = std::conditional_t<std::is_same_v<std::decay_t<T>, const char*>, std::string, std::decay_t<T>>;
    return {nullptr, 0, std::string{name}, std::make_shared<detail::StartValueOf<Value>>(Value(std::forward<T>(item)))};
}

[[nodiscard]] AGDF_DECL StartItem start(std::string_view name);

/// The start items of a run; one alone may stand for the list.
class StartItems : public std::vector<StartItem> {
public:
    using std::vector<StartItem>::vector;
    StartItems(StartItem item);
    StartItems();
    StartItems(const StartItems&);
    StartItems(StartItems&&) noexcept;
    StartItems& operator=(const StartItems&);
    StartItems& operator=(StartItems&&) noexcept;
    ~StartItems();
};

/// A bool, false by default. One that is given brings what catches signals with it.
class StopOnSignals {
public:
    constexpr StopOnSignals() = default;

    template <std::same_as<bool> Switch>
    constexpr StopOnSignals(Switch on)  // NOLINT: implicit, since it stands for the bool
        : make_(on ? &detail::make_signal_watch<Switch> : nullptr)
    {
    }

    [[nodiscard]] constexpr operator bool() const noexcept { return make_ != nullptr; }  // NOLINT: as above

    /// For the library: what makes the watch; null for none.
    [[nodiscard]] constexpr detail::MakeWatch watch() const noexcept { return make_; }

private:
    detail::MakeWatch make_ = nullptr;
};

/// The options of one run. An aggregate: `graph.run({.start = {agdf::start(node, item)}})`.
struct RunOptions {
    StartItems start = {};  ///< empty = at every node without incoming edges
    /// The first SIGINT or SIGTERM stops the run, the second, or the end of `grace`, cancels it. The report's exit code is
    /// then 128 + the signal's number. After the run signals do again what they did before.
    StopOnSignals stop_on_signals = {};
    std::chrono::steady_clock::duration grace = std::chrono::seconds(30);
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/start.ipp>
#endif
