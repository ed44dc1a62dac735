#pragma once

// Floor 4: the coroutine that takes items out of a node's queue, runs the node's body on them and sends on what it yields.

#include <agdf/blocking.hpp>
#include <agdf/detail/body_caller.hpp>
#include <agdf/detail/policies_for.hpp>
#include <agdf/detail/worker_inlet.hpp>
#include <agdf/receiver.hpp>
#include <agdf/stream.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

/// One worker of a node. Its coroutine is a plain asio::awaitable<void>, so that bodies can await anything of Asio.
///
/// It looks at the run's phase before each item, waits only when the queue is empty or an edge is full, and is
/// cancelled through Asio's signal. Awaiting with `throw_if_cancelled(false)` lets it finish what a cancellation must
/// not lose; bodies are awaited with `true`.
template <class Traits>
class Worker final : public WorkerBase {
public:
    using In = typename Traits::In;
    using Out = typename Traits::Out;
    using Message = typename NodeInput<In>::Message;
    using Caller = BodyCaller<Traits>;

    Worker(NodeInput<In>& node, Lane& lane, std::shared_ptr<Caller> body)
        : WorkerBase(node.run(), node, lane), input_(*this), outlet_(*this), inbox_(node.inbox()), body_(std::move(body))
    {
        const NodeOptions& options = node.options();
        if (node.sequencer() || options.retry.attempts > 1 || options.timeout > options.timeout.zero() || options.rate_limit || options.limit)
            (void)policies(node);
    }

    [[nodiscard]] Outlet<Out>& outlet() noexcept { return outlet_; }

    /// Gives the body one of its further queues, which come in order.
    void attach_input([[maybe_unused]] NodeRun& input) noexcept
    {
        if constexpr (Traits::MoreIns::count > 0)
            InletsFor<In, typename Traits::MoreIns>::attach(more_inputs_, attached_inputs_++, input);
    }

    /// Gives the worker a body of its own, or takes it away.
    void set_body(std::shared_ptr<Caller> body) noexcept { body_ = std::move(body); }

    /// Makes the worker's policies, if it has none yet.
    [[nodiscard]] PoliciesFor<In>& policies(NodeInput<In>& node)
    {
        if (!policies_) {
            HoldingOutlet* outlet = nullptr;
            if constexpr (!std::is_void_v<Out>)
                outlet = &outlet_;
            policies_ = std::make_unique<PoliciesFor<In>>(*this, node, input_, outlet, Traits::spares_item);
        }
        return *policies_;
    }

    [[nodiscard]] asio::awaitable<void> work() override
    {
        if constexpr (Traits::passing == Passing::receiver)
            return see_the_stream();
        else
            return see_each_item();
    }

private:
    /// How the worker waits for an item.
    class Input final : public Getting<Message> {
    public:
        explicit Input(WorkerBase& worker) noexcept : worker_(worker) {}
        void wake() noexcept override { worker_.wake_up(); }
        void abandon() noexcept override { worker_.abandon(); }

    private:
        WorkerBase& worker_;
    };

    using Inlets = typename InletsFor<In, typename Traits::MoreIns>::Inlets;

    auto call_with(const Inlets& inlets)
    {
        return std::apply([this](const auto&... inlet) { return body_->with(receiver_of(*inlet)...); }, inlets);
    }

    asio::awaitable<void> see_each_item()
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        this->begin(WorkerClock::busy);
        while (!this->is_cut_short()) {
            if (inbox_.get(input_) == Got::waiting)
                co_await this->wait(WorkerClock::idle);
            if (!input_.message)
                break;  // also when the run is paused: an end is no item
            while (this->must_pause())
                co_await this->pause();
            if (policies_) [[unlikely]]
                policies_->begin_item(input_.stamp);
            if (this->is_cut_short()) {
                if (policies_)
                    policies_->skip_item();
                lose_item();
                break;
            }

            for (bool again = true; again;) {
                std::exception_ptr error;
                if (policies_) [[unlikely]]
                    co_await policies_->begin_attempt(error);
                if (!error) {
                    Stored<In>& item = input_.message->value;
                    if constexpr (Traits::blocking) {
                        try {
                            BodyCall<Caller> call{body_, std::move(item)};
                            auto result = call_in_pool(std::move(call));
                            if constexpr (std::is_void_v<typename Traits::Return>) {
                                co_await std::move(result);
                            } else {
                                auto value = co_await std::move(result);
                                deliver(std::move(value));
                            }
                        } catch (...) {
                            error = std::current_exception();
                        }
                    } else if constexpr (Traits::kind == BodyKind::plain) {
                        try {
                            if constexpr (std::is_void_v<typename Traits::Return>)
                                (*body_)(item);
                            else
                                deliver((*body_)(item));
                        } catch (...) {
                            error = std::current_exception();
                        }
                    } else if constexpr (Traits::kind == BodyKind::awaitable) {
                        co_await asio::this_coro::throw_if_cancelled(true);
                        try {
                            if constexpr (std::is_void_v<Out>) {
                                co_await (*body_)(item);
                            } else {
                                auto value = co_await (*body_)(item);
                                deliver(std::move(value));
                            }
                        } catch (...) {
                            error = std::current_exception();
                        }
                        co_await asio::this_coro::throw_if_cancelled(false);
                    } else {
                        Stream<Out> stream;
                        PendingAwait* pending = nullptr;
                        try {
                            stream = (*body_)(item);
                            if (stream.is_open())
                                pending = stream.resume(outlet_);
                        } catch (...) {
                            error = std::current_exception();
                        }
                        if (stream.is_open())
                            co_await drive(stream, pending, error);
                        if (!error)
                            error = stream.take_error();
                        if (stream.is_open() && !error && !outlet_.has_error())
                            lose_item();
                    }

                    if (outlet_.is_full()) [[unlikely]] {
                        if (policies_)
                            policies_->stand_still();  // the attempt has ended
                        if (must_wait())
                            co_await this->wait(WorkerClock::blocked);
                        if (!error)
                            error = outlet_.take_error();
                    }
                }
                again = false;
                if (policies_) [[unlikely]]
                    again = co_await policies_->end_attempt(error);
                else if (error) [[unlikely]]
                    fail(error);
            }
            input_.message.reset();
            if (!this->has_turn())
                co_await this->next_turn();
        }
        if (policies_)
            policies_->end();
        this->clock().change(WorkerClock::ended);
    }

    asio::awaitable<void> see_the_stream()
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        this->begin(WorkerClock::busy);
        const Inlets inlets = InletsFor<In, typename Traits::MoreIns>::make(*this, static_cast<NodeInput<In>&>(this->node_), more_inputs_);
        whole_stream_ = &inlets;
        while (!this->is_cut_short()) {
            for_each_inlet(inlets, [](auto& inlet) { inlet.has_received = false; });
            std::exception_ptr error;
            if constexpr (Traits::kind == BodyKind::awaitable) {
                co_await asio::this_coro::throw_if_cancelled(true);
                try {
                    if constexpr (std::is_void_v<Out>) {
                        co_await call_with(inlets);
                    } else {
                        auto value = co_await call_with(inlets);
                        deliver(std::move(value));
                    }
                } catch (...) {
                    error = std::current_exception();
                }
                co_await asio::this_coro::throw_if_cancelled(false);
            } else {
                Stream<Out> stream;
                PendingAwait* pending = nullptr;
                try {
                    stream = call_with(inlets);
                    if (stream.is_open())
                        pending = stream.resume(outlet_);
                } catch (...) {
                    error = std::current_exception();
                }
                if (stream.is_open())
                    co_await drive(stream, pending, error);
                if (!error)
                    error = stream.take_error();
            }
            if (must_wait())
                co_await this->wait(WorkerClock::blocked);
            if (!error)
                error = outlet_.take_error();
            if (!error)
                break;
            fail(error);
            if (any_inlet(inlets, [](const auto& inlet) { return inlet.has_ended; }))
                break;
            if (!any_inlet(inlets, [](const auto& inlet) { return inlet.has_received; })) {
                // A body that fails before it reads would fail for ever: each failure costs it the next item.
                if (inbox_.get(input_) == Got::waiting)
                    co_await this->wait(WorkerClock::idle);
                if (!input_.message)
                    break;
                lose_item();
            }
        }
        whole_stream_ = nullptr;
        if (this->node_.body_returned() && !this->is_cut_short())
            for_each_inlet(inlets, [](auto& inlet) { inlet.abandon(); });
        this->clock().change(WorkerClock::ended);
    }

    /// Performs what a stream asks for, and resumes it, until it ends or is to be cut short.
    asio::awaitable<void> drive(Stream<Out>& stream, PendingAwait* pending, std::exception_ptr& error)
    {
        for (;;) {
            if (pending) {
                co_await pending->perform();
            } else if (outlet_.must_take_turn()) [[unlikely]] {
                co_await policies_->take_turn(error);
            } else if (must_wait()) {
                if (policies_)
                    policies_->stand_still();
                co_await this->wait(WorkerClock::blocked);
                if (policies_)
                    co_await policies_->go_on();
            }
            if (!pending && (error || outlet_.has_error() || this->is_cut_short()))
                break;
            while (this->is_source() && this->must_pause())
                co_await this->pause();
            if (this->is_turn_over())
                co_await this->next_turn();
            pending = stream.resume(outlet_);
            if (!stream.is_open())
                break;
        }
    }

    template <class Value>
    void deliver(Value&& value)
    {
        if constexpr (!std::is_void_v<Out>) {
            if constexpr (!Traits::filters)
                (void)outlet_.put(Out(std::forward<Value>(value)));
            else if (value)
                (void)outlet_.put(std::move(*value));
        }
    }

    [[nodiscard]] bool must_wait() override
    {
        if (!outlet_.is_full()) [[likely]]
            return false;
        if (this->run_.is_discarding())
            outlet_.withdraw();
        return !outlet_.has_room();
    }

    void on_cancel(asio::cancellation_type) override
    {
        if (policies_ && policies_->interrupt())
            return;
        if (!this->run_.is_discarding())
            return;  // a stop, or a time-out: what was yielded is still carried to the end
        if (inbox_.channel().withdraw(input_))
            return this->wake_up();
        if (policies_)
            policies_->withdraw();
        outlet_.withdraw();
    }

    void on_drain() noexcept override
    {
        if constexpr (Traits::passing == Passing::receiver) {
            if (whole_stream_)
                for_each_inlet(*whole_stream_, [](auto& inlet) { inlet.end_timed_wait(); });
        }
        if (policies_)
            (void)policies_->interrupt();
    }

    void fail(const std::exception_ptr& error) override
    {
        if (this->is_cut_short() && is_operation_aborted(error))
            return lose_item();
        this->err_.add();
        this->node_.fail(error);
    }

    void lose_item() noexcept override
    {
        if constexpr (!std::is_void_v<In>) {
            if (input_.message)
                this->count_undelivered();
        }
        input_.message.reset();
    }

    Input input_;
    const Inlets* whole_stream_ = nullptr;
    typename InletsFor<In, typename Traits::MoreIns>::Inputs more_inputs_{};
    std::size_t attached_inputs_ = 0;
    Outlet<Out> outlet_;
    Inbox<Message>& inbox_;
    std::shared_ptr<Caller> body_;
    std::unique_ptr<PoliciesFor<In>> policies_;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END
