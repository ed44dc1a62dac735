#pragma once

// Floor 4: a node and its edges as they were added, and what a run makes of them.

#include <agdf/detail/type_name.hpp>
#include <agdf/detail/worker.hpp>
#include <agdf/options.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf::detail {

class NodeSpec;

/// Makes the ports of an edge, one for each worker of its source.
class EdgeMaker {
public:
    EdgeMaker() = default;
    EdgeMaker(const EdgeMaker&) = delete;
    EdgeMaker& operator=(const EdgeMaker&) = delete;
    virtual ~EdgeMaker() = default;
};

template <class Out>
class EdgeMakerFrom : public EdgeMaker {
public:
    [[nodiscard]] virtual std::unique_ptr<Port<Out>> make_port(Arrivals& arrivals, NodeRun& destination) const = 0;
};

template <class Out, class In, class Shape>
class EdgeMakerOf final : public EdgeMakerFrom<Out> {
public:
    explicit EdgeMakerOf(Shape shape) : shape_(std::make_shared<Shape>(std::move(shape))) {}

    [[nodiscard]] std::unique_ptr<Port<Out>> make_port(Arrivals& arrivals, NodeRun& destination) const override
    {
        return std::make_unique<PortTo<Out, In, Shape>>(arrivals, static_cast<NodeInput<In>&>(destination), shape_);
    }

private:
    const std::shared_ptr<Shape> shape_;
};

/// How a picture and an error text call an edge.
enum class EdgeLabel { none, where, map };

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

/// A node as it was added.
class NodeSpec {
public:
    NodeSpec(std::string name, NodeOptions options, ItemType in, ItemType out, bool copyable)
        : name_(std::move(name)), options_(options), in_(std::move(in)), out_(std::move(out)), copyable_(copyable)
    {
    }
    NodeSpec(const NodeSpec&) = delete;
    NodeSpec& operator=(const NodeSpec&) = delete;
    virtual ~NodeSpec() = default;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const NodeOptions& options() const noexcept { return options_; }
    [[nodiscard]] const ItemType& in() const noexcept { return in_; }
    [[nodiscard]] const ItemType& out() const noexcept { return out_; }
    [[nodiscard]] bool yields_copyable() const noexcept { return copyable_; }
    [[nodiscard]] virtual bool sees_whole_stream() const noexcept = 0;

    [[nodiscard]] virtual std::unique_ptr<NodeRun> make_run(RunState& run, Sharing sharing) const = 0;
    virtual void connect(NodeRun& self, const EdgeMaker& edge, NodeRun& destination) const = 0;
    /// An edge to a node known by name only; null if the types do not fit.
    [[nodiscard]] virtual std::shared_ptr<const EdgeMaker> make_edge_to(const NodeSpec& destination) const = 0;
    /// Lets a source begin.
    virtual void add_start_unit(NodeRun& self) const = 0;

private:
    const std::string name_;
    const NodeOptions options_;
    const ItemType in_;
    const ItemType out_;
    const bool copyable_;
};

template <class T>
[[nodiscard]] ItemType item_type()
{
    return {type_id<T>(), type_name<T>(), std::is_void_v<T>};
}

/// One node in one run, with its workers.
template <class Body, class Traits>
class NodeRunOf final : public NodeInput<typename Traits::In> {
public:
    using Worker = detail::Worker<Body, Traits>;
    using Caller = BodyCaller<Body, Traits>;

    NodeRunOf(RunState& run, std::string name, NodeOptions options, Sharing sharing, std::shared_ptr<Caller> body)
        : NodeInput<typename Traits::In>(run, std::move(name), options, sharing), body_(std::move(body))
    {
    }

    void make_workers(const std::function<Lane&()>& next_lane) override
    {
        workers_.reserve(this->options().workers);
        for (std::size_t i = 0; i < this->options().workers; ++i)
            workers_.push_back(std::make_unique<Worker>(*this, next_lane(), body_));
        this->set_live_workers(workers_.size());
    }

    [[nodiscard]] std::size_t worker_count() const noexcept override { return workers_.size(); }
    [[nodiscard]] WorkerBase& worker(std::size_t index) noexcept override { return *workers_[index]; }
    [[nodiscard]] Worker& typed_worker(std::size_t index) noexcept { return *workers_[index]; }

    [[nodiscard]] NodeStats stats() const override
    {
        NodeStats stats;
        this->add_to(stats);
        stats.workers = workers_.size();
        for (const auto& worker : workers_)
            worker->add_to(stats);
        return stats;
    }

private:
    const std::shared_ptr<Caller> body_;
    std::vector<std::unique_ptr<Worker>> workers_;
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

template <class Body, class Traits>
class NodeSpecOf final : public NodeSpec {
public:
    using In = typename Traits::In;
    using Out = typename Traits::Out;
    using Run = NodeRunOf<Body, Traits>;

    NodeSpecOf(std::string name, NodeOptions options, Body body)
        : NodeSpec(std::move(name), options, item_type<In>(), item_type<Out>(), std::is_void_v<Out> || std::is_copy_constructible_v<Out>),
          body_(std::make_shared<BodyCaller<Body, Traits>>(std::move(body)))
    {
    }

    [[nodiscard]] bool sees_whole_stream() const noexcept override { return Traits::passing == Passing::receiver; }

    [[nodiscard]] std::unique_ptr<NodeRun> make_run(RunState& run, Sharing sharing) const override
    {
        return std::make_unique<Run>(run, name(), options(), sharing, body_);
    }

    void connect([[maybe_unused]] NodeRun& self, [[maybe_unused]] const EdgeMaker& edge,
                 [[maybe_unused]] NodeRun& destination) const override
    {
        if constexpr (!std::is_void_v<Out>) {
            Run& run = static_cast<Run&>(self);
            for (std::size_t i = 0; i < run.worker_count(); ++i) {
                Outlet<Out>& outlet = run.typed_worker(i).outlet();
                outlet.add(static_cast<const EdgeMakerFrom<Out>&>(edge).make_port(outlet.arrivals(), destination));
            }
        }
    }

    [[nodiscard]] std::shared_ptr<const EdgeMaker> make_edge_to([[maybe_unused]] const NodeSpec& destination) const override
    {
        if constexpr (!std::is_void_v<Out>) {
            using Tuple = typename AsTuple<Out>::Type;
            if (destination.in().is_void)
                return std::make_shared<EdgeMakerOf<Out, void, Plain>>(Plain{});
            if (destination.in().id == type_id<Out>())
                return std::make_shared<EdgeMakerOf<Out, Out, Plain>>(Plain{});
            if constexpr (!std::is_void_v<Tuple>) {
                if (destination.in().id == type_id<Tuple>())
                    return std::make_shared<EdgeMakerOf<Out, Tuple, Plain>>(Plain{});
            }
        }
        return nullptr;
    }

    void add_start_unit([[maybe_unused]] NodeRun& self) const override
    {
        if constexpr (std::is_void_v<In>)
            static_cast<Run&>(self).inbox().add_start({Unit{}, nullptr});
    }

private:
    const std::shared_ptr<BodyCaller<Body, Traits>> body_;
};

}  // namespace agdf::detail
