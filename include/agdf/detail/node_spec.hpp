#pragma once

// Floor 4: a node and its edges as they were added, and what a run makes of them.

#include <agdf/detail/edge_maker.hpp>
#include <agdf/detail/type_name.hpp>
#include <agdf/detail/whole_stream_worker.hpp>
#include <agdf/detail/worker.hpp>
#include <agdf/options.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace agdf::detail {

class NodeSpec;

/// How a picture and an error text call an edge.
enum class EdgeLabel {
    none,
    where,
    map,
    partition,
    balance,
    error,
    input  ///< from a further queue of a node to the node; no items flow along it, it is for the order and the picture
};

struct EdgeSpec {
    std::size_t to;
    EdgeLabel label;
    std::shared_ptr<const EdgeMaker> maker;
};

/// The type of a node's items, or that there are none.
struct ItemType {
    TypeId id;
    std::string name;
    bool is_void;
};

/// What the checks of a graph want to know about a body.
struct BodyFacts {
    bool yields_copyable = true;      ///< so that its output may go along several edges
    bool sees_whole_stream = false;
    bool can_repeat = true;           ///< its item survives a failed attempt
    bool can_be_ended = true;         ///< before it ends by itself
    bool makes_bodies = false;        ///< each worker has its own
    bool meets_in_step = false;       ///< takes one item from each of its inputs at a time
    bool may_filter = false;          ///< it need not yield one item for each that it gets
    bool is_empty = false;            ///< there is nothing to call
};

/// A node as it was added.
class NodeSpec {
public:
    NodeSpec(std::string&& name, NodeOptions&& options, ItemType&& in, ItemType&& out, BodyFacts facts);
    NodeSpec(const NodeSpec&) = delete;
    NodeSpec& operator=(const NodeSpec&) = delete;
    AGDF_DECL virtual ~NodeSpec();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const NodeOptions& options() const noexcept { return options_; }
    [[nodiscard]] const ItemType& in() const noexcept { return in_; }
    [[nodiscard]] const ItemType& out() const noexcept { return out_; }
    [[nodiscard]] const BodyFacts& facts() const noexcept { return facts_; }

    [[nodiscard]] virtual std::unique_ptr<NodeRun> make_run(RunState& run, Sharing sharing) const = 0;
    virtual void connect(NodeRun& self, const EdgeMaker& edge, NodeRun& destination) const = 0;
    /// An edge to a node known by name only; null if the types do not fit.
    [[nodiscard]] virtual std::unique_ptr<const EdgeMaker> make_edge_to(const NodeSpec& destination) const = 0;
    /// An error edge to this node from one known by name only; null if this node does not take its failed items.
    [[nodiscard]] virtual std::unique_ptr<const EdgeMaker> make_error_edge_from(const NodeSpec& source) const = 0;
    /// Lets a source begin.
    virtual void add_start_unit(NodeRun& self) const = 0;
    /// Gives the workers of a node one of its further queues, which come in order.
    virtual void attach_input(NodeRun& self, NodeRun& input) const = 0;

private:
    const std::string name_;
    const NodeOptions options_;
    const ItemType in_;
    const ItemType out_;
    const BodyFacts facts_;
};

template <class T>
[[nodiscard]] ItemType item_type()
{
    return {type_id<T>(), type_name<T>(), std::is_void_v<T>};
}

/// One node in one run, with its workers.
template <class Traits>
class NodeRunOf final : public NodeInput<typename Traits::In> {
public:
    using Worker = std::conditional_t<Traits::passing == Passing::receiver, WholeStreamWorker<Traits>, detail::Worker<Traits>>;
    using Caller = BodyCaller<Traits>;
    struct NoMaker {};
    /// How each worker gets a body of its own, if it does.
    using MakeCaller = std::conditional_t<Traits::per_worker, std::function<SharedBody<Caller>()>, NoMaker>;

    /// @param body  What all workers share; empty if each has its own.
    NodeRunOf(RunState& run, const NodeSpec& spec, Sharing sharing, SharedBody<Caller> body, const MakeCaller& make)
        : NodeInput<typename Traits::In>(run, spec.name(), spec.options(), sharing), body_(std::move(body)), make_(make)
    {
    }

    void make_bodies() override
    {
        if constexpr (Traits::per_worker)
            for (std::size_t i = 0; i < this->worker_count(); ++i)
                typed_worker(i).set_body(make_());
    }
    void drop_bodies() noexcept override
    {
        if constexpr (Traits::per_worker)
            for (std::size_t i = 0; i < this->worker_count(); ++i)
                typed_worker(i).set_body({});
    }

    [[nodiscard]] Worker& typed_worker(std::size_t index) noexcept { return static_cast<Worker&>(this->worker(index)); }
    [[nodiscard]] PoliciesFor<typename Traits::In>& policies_of_worker(std::size_t index) override
    {
        return typed_worker(index).policies(*this);
    }

private:
    [[nodiscard]] std::unique_ptr<WorkerBase> make_worker(Lane& lane) override { return make_as<WorkerBase, Worker>(*this, lane, body_); }

    const SharedBody<Caller> body_;
    [[no_unique_address]] const MakeCaller make_;
};

template <class T>
struct AsTuple {
    using Type = void;
};
template <class T>
    requires(IsTupleLike<T>::value)
struct AsTuple<T> {
    template <std::size_t... N>
    static auto type(std::index_sequence<N...>) -> std::tuple<std::tuple_element_t<N, T>...>;
    using Type = decltype(type(std::make_index_sequence<std::tuple_size<T>::value>{}));
};

template <class T>
struct IsVariant : std::false_type {};
template <class... A>
struct IsVariant<std::variant<A...>> : std::true_type {
    /// What `make` returns for the first alternative for which that is not null.
    template <class Make>
    static std::unique_ptr<const EdgeMaker> first(const Make& make)
    {
        std::unique_ptr<const EdgeMaker> made;
        (void)((made = make(std::type_identity<A>{})) || ...);
        return made;
    }
};

template <class Body, class Traits>
class NodeSpecOf final : public NodeSpec {
public:
    using In = typename Traits::In;
    using Out = typename Traits::Out;
    using Run = NodeRunOf<Traits>;
    using Caller = BodyCaller<Traits>;

    NodeSpecOf(std::string&& name, NodeOptions&& options, Body&& body)
        : NodeSpec(std::move(name), std::move(options), item_type<In>(), item_type<Out>(), facts_of(body))
    {
        if constexpr (Traits::per_worker)
            make_ = [make = std::move(body)]() mutable { return SharedBody<Caller>{new Caller(make())}; };
        else
            body_ = SharedBody<Caller>{new Caller(std::move(body))};
    }

    [[nodiscard]] std::unique_ptr<NodeRun> make_run(RunState& run, Sharing sharing) const override
    {
        return make_as<NodeRun, Run>(run, *this, sharing, body_, make_);
    }

    void connect([[maybe_unused]] NodeRun& self, [[maybe_unused]] const EdgeMaker& edge,
                 [[maybe_unused]] NodeRun& destination) const override
    {
        if constexpr (!std::is_void_v<Out>) {
            Run& run = static_cast<Run&>(self);
            for (std::size_t i = 0; i < run.worker_count(); ++i)
                static_cast<const EdgeMakerFrom<Out>&>(edge).attach(run.typed_worker(i).outlet(), destination);
        }
    }

    [[nodiscard]] std::unique_ptr<const EdgeMaker> make_edge_to([[maybe_unused]] const NodeSpec& destination) const override
    {
        if constexpr (!std::is_void_v<Out>) {
            using Tuple = typename AsTuple<Out>::Type;
            if (destination.in().is_void)
                return make_as<const EdgeMaker, EdgeMakerOf<Out, void, Plain>>(Plain{});
            if (destination.in().id == type_id<Out>())
                return make_as<const EdgeMaker, EdgeMakerOf<Out, Out, Plain>>(Plain{});
            if constexpr (!std::is_void_v<Tuple>) {
                if (destination.in().id == type_id<Tuple>())
                    return make_as<const EdgeMaker, EdgeMakerOf<Out, Tuple, Plain>>(Plain{});
            }
            return edge_of_alternative<Out>(destination);
        }
        return nullptr;
    }

    [[nodiscard]] std::unique_ptr<const EdgeMaker> make_error_edge_from([[maybe_unused]] const NodeSpec& source) const override
    {
        if constexpr (IsFailed<In>::value) {
            using Item = typename IsFailed<In>::Item;
            if constexpr (std::is_void_v<Item> || Copies<Item>::value) {
                if (source.in().id == type_id<Item>())
                    return make_as<const EdgeMaker, ErrorEdgeMakerOf<Item, In>>();
            }
        }
        return nullptr;
    }

    void add_start_unit([[maybe_unused]] NodeRun& self) const override
    {
        if constexpr (std::is_void_v<In>)
            static_cast<Run&>(self).inbox().add_start({Unit{}, nullptr});
    }

    void attach_input([[maybe_unused]] NodeRun& self, [[maybe_unused]] NodeRun& input) const override
    {
        Run& run = static_cast<Run&>(self);
        for (std::size_t i = 0; i < run.worker_count(); ++i)
            run.typed_worker(i).attach_input(input);
    }

private:
    static BodyFacts facts_of(Body& body)
    {
        return {
            .yields_copyable = std::is_void_v<Out> || Copies<Out>::value,
            .sees_whole_stream = Traits::passing == Passing::receiver,
            .can_repeat = Traits::spares_item || Copies<Stored<In>>::value,
            .can_be_ended = Traits::blocking || Traits::kind != BodyKind::plain,
            .makes_bodies = Traits::per_worker,
            .meets_in_step = MeetsInStep<typename Traits::Kept>,
            .may_filter = Traits::filters || Traits::kind == BodyKind::stream,
            .is_empty = is_empty_body(body),
        };
    }

    static bool is_empty_body(Body& body)
    {
        if constexpr (Traits::blocking && !Traits::per_worker)
            return is_empty_function(body.function());
        else
            return is_empty_function(body);
    }

    template <class Yielded>
    [[nodiscard]] static std::unique_ptr<const EdgeMaker> edge_of_alternative([[maybe_unused]] const NodeSpec& destination)
    {
        if constexpr (IsVariant<Yielded>::value)
            return IsVariant<Yielded>::first([&]<class A>(std::type_identity<A>) -> std::unique_ptr<const EdgeMaker> {
                if constexpr (AlternativeFor<Yielded, A>::exists) {
                    if (destination.in().id == type_id<A>())
                        return make_as<const EdgeMaker, EdgeMakerOf<Yielded, A, Plain>>(Plain{});
                }
                return nullptr;
            });
        return nullptr;
    }

    SharedBody<Caller> body_;                // one of these two
    [[no_unique_address]] typename Run::MakeCaller make_;
};

#if defined(AGDF_SEPARATE_COMPILATION)
// Every graph has a source, whose queue has but the word to begin.
extern template class Getting<Envelope<Unit>>;
extern template class Putting<Envelope<Unit>>;
extern template class Ring<Parcel<Unit>>;
extern template class ChannelCore<Envelope<Unit>>;
extern template class Inbox<Envelope<Unit>>;
extern template class NodeInput<void>;
extern template class PoliciesFor<void>;
extern template class Ring<std::size_t>;
extern template std::shared_ptr<Plain> share_shape(Plain);
#endif

/// A further queue of a node whose body has several receivers.
template <class In>
class ExtraInputSpec final : public NodeSpec {
public:
    ExtraInputSpec(std::string name, NodeOptions options)
        : NodeSpec(std::move(name), std::move(options), item_type<In>(), item_type<void>(), BodyFacts{.sees_whole_stream = true})
    {
    }

    [[nodiscard]] std::unique_ptr<NodeRun> make_run(RunState& run, Sharing sharing) const override
    {
        return make_as<NodeRun, ExtraInput<In>>(run, name(), options(), sharing);
    }
    void connect(NodeRun&, const EdgeMaker&, NodeRun&) const override {}
    [[nodiscard]] std::unique_ptr<const EdgeMaker> make_edge_to(const NodeSpec&) const override { return nullptr; }
    [[nodiscard]] std::unique_ptr<const EdgeMaker> make_error_edge_from(const NodeSpec&) const override { return nullptr; }
    void add_start_unit(NodeRun&) const override {}
    void attach_input(NodeRun&, NodeRun&) const override {}
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/node_spec.ipp>
#else
// What the templates above have of the standard library's that is the same for all of them.
extern template class std::vector<agdf::detail::Envelope<agdf::detail::Unit>>;
extern template class std::unique_ptr<agdf::detail::BesideBuffer>;
extern template class std::unique_ptr<const agdf::detail::EdgeMaker>;
extern template class std::unique_ptr<const agdf::detail::NodeSpec>;
extern template class std::unique_ptr<agdf::detail::NodeRun>;
extern template class std::unique_ptr<agdf::detail::Policies>;
extern template class std::unique_ptr<agdf::detail::Sequencer>;
extern template class std::unique_ptr<agdf::detail::WorkerBase>;
#endif
