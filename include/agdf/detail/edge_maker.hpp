#pragma once

// Floor 4: an edge as it was added, and how a run makes its ports.

#include <agdf/detail/policies_for.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace agdf::detail {

/// Makes a T that is known as a Base from then on. A smart pointer to each T, as std::make_unique returns it, would cost
/// every program's build some fifty functions.
template <class Base, class T, class... Arguments>
[[nodiscard]] std::unique_ptr<Base> make_as(Arguments&&... arguments)
{
    return std::unique_ptr<Base>{new T(std::forward<Arguments>(arguments)...)};
}

/// What all ports of an edge share.
template <class Shape>
[[nodiscard]] std::shared_ptr<Shape> share_shape(Shape shape)
{
    return std::make_shared<Shape>(std::move(shape));
}

/// Makes the ports of an edge, one for each worker of its source.
class EdgeMaker {
public:
    EdgeMaker() = default;
    EdgeMaker(const EdgeMaker&) = delete;
    EdgeMaker& operator=(const EdgeMaker&) = delete;
    virtual ~EdgeMaker() = default;
    /// Which alternative of a variant the edge passes; none if it passes whole items.
    [[nodiscard]] virtual std::size_t alternative() const noexcept { return no_alternative; }
    /// Identifies the edges of which each item takes one; null if the edge is for itself.
    [[nodiscard]] virtual const void* group() const noexcept { return nullptr; }
};

template <class Out>
class EdgeMakerFrom : public EdgeMaker {
public:
    virtual void attach(Outlet<Out>& outlet, NodeRun& destination) const = 0;
};

template <class Out, class In, class Shape>
class EdgeMakerOf final : public EdgeMakerFrom<Out> {
public:
    explicit EdgeMakerOf(Shape shape) : shape_(share_shape(std::move(shape))) {}

    void attach(Outlet<Out>& outlet, NodeRun& destination) const override
    {
        outlet.add(make_as<Port<Out>, PortTo<Out, In, Shape>>(outlet.arrivals(), static_cast<NodeInput<In>&>(destination), shape_));
    }
    [[nodiscard]] std::size_t alternative() const noexcept override
    {
        return IsMap<Shape>::value ? no_alternative : AlternativeFor<Out, In>::index;
    }

private:
    const std::shared_ptr<Shape> shape_;
};

/// One of several edges of which each item takes one; they are attached one after the other.
template <class Out, class In>
class GroupEdgeMaker final : public EdgeMakerFrom<Out> {
public:
    using Choose = typename PortGroup<Out>::Choose;

    GroupEdgeMaker(std::shared_ptr<const Choose> choose, bool is_first) : choose_(std::move(choose)), is_first_(is_first) {}

    void attach(Outlet<Out>& outlet, NodeRun& destination) const override
    {
        if (is_first_)
            outlet.add(make_as<Port<Out>, PortGroup<Out>>(choose_));
        static_cast<PortGroup<Out>&>(outlet.last_port())
            .add(make_as<Port<Out>, PortTo<Out, In, Plain>>(outlet.arrivals(), static_cast<NodeInput<In>&>(destination), plain_));
    }
    [[nodiscard]] std::size_t alternative() const noexcept override { return AlternativeFor<Out, In>::index; }
    [[nodiscard]] const void* group() const noexcept override { return choose_.get(); }

private:
    const std::shared_ptr<const Choose> choose_;
    const std::shared_ptr<Plain> plain_ = share_shape(Plain{});
    const bool is_first_;
};

/// Makes the ports of an edge for the items that fail.
class ErrorEdgeMaker : public EdgeMaker {
public:
    virtual void attach(NodeRun& source, NodeRun& destination) const = 0;
};

template <class In, class Letter>
class ErrorEdgeMakerOf final : public ErrorEdgeMaker {
public:
    void attach(NodeRun& source, NodeRun& destination) const override
    {
        for (std::size_t i = 0; i < source.worker_count(); ++i) {
            auto& outlet = static_cast<NodeInput<In>&>(source).policies_of_worker(i).dead_letter_outlet();
            outlet.add(make_as<Port<Failed<In>>, PortTo<Failed<In>, Letter, Plain>>(outlet.arrivals(), static_cast<NodeInput<Letter>&>(destination), plain_));
        }
    }

private:
    const std::shared_ptr<Plain> plain_ = share_shape(Plain{});
};

}  // namespace agdf::detail
