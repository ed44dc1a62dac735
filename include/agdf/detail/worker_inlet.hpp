#pragma once

// Floor 4: how a body that sees whole streams takes its items: from one queue for each of its receivers.

#include <agdf/detail/inbox.hpp>
#include <agdf/detail/policies.hpp>
#include <agdf/receiver.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <tuple>
#include <utility>

namespace agdf::detail {

template <class Item>
class WorkerInlet final : public Inlet<Envelope<Item>> {
public:
    using M = Envelope<Item>;

    WorkerInlet(WorkerBase& worker, NodeInput<Item>& input) : Inlet<M>(worker.lane()), worker_(worker), input_(input) {}

    Got try_get(Getting<M>& receiver) override { return input_.inbox().try_get(receiver); }
    ChannelCore<M>& channel() noexcept override { return input_.inbox().channel(); }
    void on_wait() noexcept override { worker_.begin(WorkerClock::idle); }
    void on_resume(Got got) noexcept override
    {
        if (worker_.clock().state() == WorkerClock::idle)
            worker_.begin(WorkerClock::busy);
        if (got != Got::waiting)
            (got == Got::item ? this->has_received : this->has_ended) = true;
    }
    [[nodiscard]] bool is_draining() const noexcept override { return worker_.is_stopping(); }
    [[nodiscard]] bool is_cut_short() const noexcept override { return worker_.is_cut_short(); }
    void count_undelivered(std::size_t count) noexcept override { input_.count_refused(count); }
    [[nodiscard]] bool must_pause() const noexcept override { return worker_.must_pause(); }
    [[nodiscard]] asio::awaitable<void> pause() override { return worker_.pause(); }
    void fail(const std::exception_ptr& error) override
    {
        if (is_cut_short() && is_operation_aborted(error))
            input_.count_refused();
        else
            worker_.fail(error);
    }

    /// Nobody reads any more.
    void abandon() noexcept { input_.abandon_input(); }

private:
    WorkerBase& worker_;
    NodeInput<Item>& input_;
};

template <class Item>
[[nodiscard]] Receiver<Item> receiver_of(WorkerInlet<Item>& inlet) noexcept
{
    return Receiver<Item>{inlet};
}

/// The inlets of a body whose first receiver is for `In`, and the further ones for `More`.
template <class In, class More>
struct InletsFor;
template <class In, class... More>
struct InletsFor<In, Parameters<More...>> {
    using Inputs = std::tuple<NodeInput<More>*...>;
    using Inlets = std::tuple<std::unique_ptr<WorkerInlet<In>>, std::unique_ptr<WorkerInlet<More>>...>;

    [[nodiscard]] static Inlets make(WorkerBase& worker, NodeInput<In>& first, const Inputs& further)
    {
        return std::apply(
            [&](NodeInput<More>*... more) {
                return Inlets{std::make_unique<WorkerInlet<In>>(worker, first), std::make_unique<WorkerInlet<More>>(worker, *more)...};
            },
            further);
    }

    /// Puts the input with this index, from 0, in its place.
    static void attach(Inputs& inputs, std::size_t index, NodeRun& input) noexcept
    {
        std::size_t i = 0;
        std::apply([&](NodeInput<More>*&... more) { ((i++ == index ? void(more = static_cast<NodeInput<More>*>(&input)) : void()), ...); }, inputs);
    }
};

/// Whether `of` holds for one of the inlets; those after it are not asked.
template <class Inlets, class F>
bool any_inlet(const Inlets& inlets, const F& of)
{
    return std::apply([&](const auto&... inlet) { return (of(*inlet) || ...); }, inlets);
}

template <class Inlets, class F>
void for_each_inlet(const Inlets& inlets, const F& action)
{
    std::apply([&](const auto&... inlet) { (action(*inlet), ...); }, inlets);
}

}  // namespace agdf::detail
