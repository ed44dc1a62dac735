#pragma once

// Floor 4: the worker whose body sees whole streams.

#include <agdf/detail/typed_worker.hpp>
#include <agdf/detail/worker_inlet.hpp>
#include <agdf/receiver.hpp>

#include <cstddef>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

template <class Traits>
class WholeStreamWorker final : public TypedWorker<Traits, BodyWorker> {
    using Base = TypedWorker<Traits, BodyWorker>;
    using typename Base::In;
    using typename Base::Out;
    using Parts = InletsFor<In, typename Traits::MoreIns>;
    using Inlets = typename Parts::Inlets;

public:
    using Base::Base;
    ~WholeStreamWorker() override { this->close_stream(); }  // it uses the inlets

    /// Gives the body one of its further queues, which come in order.
    void attach_input([[maybe_unused]] NodeRun& input) noexcept
    {
        if constexpr (Traits::MoreIns::count > 0)
            Parts::attach(more_inputs_, attached_inputs_++, input);
    }

private:
    /// Calls the body, and again after an error as long as there is more to come.
    asio::awaitable<void> work() override
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        this->begin(WorkerClock::busy);
        inlets_ = Parts::make(*this, static_cast<NodeInput<In>&>(this->node_), more_inputs_);
        is_reading_ = true;
        co_await this->reset_cancellation();
        while (!this->is_cut_short()) {
            for_each_inlet(inlets_, [](auto& inlet) { inlet.has_received = false; });
            if constexpr (Traits::kind == BodyKind::awaitable) {
                co_await asio::this_coro::throw_if_cancelled(true);
                try {
                    if constexpr (std::is_void_v<Out>) {
                        co_await call();
                    } else {
                        auto value = co_await call();
                        if (!this->lane_.is_here()) {
                            co_await asio::this_coro::throw_if_cancelled(false);
                            co_await Lane::come_home();
                        }
                        deliver_value(std::move(value));
                    }
                } catch (...) {
                    this->error_ = std::current_exception();
                }
                if (!this->lane_.is_here()) {
                    co_await asio::this_coro::throw_if_cancelled(false);
                    co_await Lane::come_home();
                }
                co_await asio::this_coro::throw_if_cancelled(false);
            } else {
                start();
                if (this->is_streaming())
                    co_await this->drive();
                this->close_stream();
            }
            if (this->must_reset_cancellation())
                co_await this->reset_cancellation();
            if (this->must_wait())
                co_await this->wait(WorkerClock::blocked);
            if (this->outlet_.has_error())
                this->lose_output(this->outlet_.take_error());
            if (!this->error_)
                break;
            this->fail(std::exchange(this->error_, nullptr));
            if (any_inlet(inlets_, [](const auto& inlet) { return inlet.has_ended; }))
                break;
            if (!any_inlet(inlets_, [](const auto& inlet) { return inlet.has_received; })) {
                // A body that fails before it reads would fail for ever: each failure costs it the next item.
                if (this->inbox_.get(this->input_) == Got::waiting)
                    co_await this->wait(WorkerClock::idle);
                if (!this->input_.message)
                    break;
                lose_item();
            }
        }
        is_reading_ = false;
        if (this->node_.body_returned() && !this->is_cut_short())
            for_each_inlet(inlets_, [](auto& inlet) { inlet.abandon(); });
        this->begin(WorkerClock::ended);
    }

    template <class Value>
    void deliver_value(Value&& value)
    {
        try {
            this->deliver(std::forward<Value>(value));
        } catch (...) {
            this->lose_output(std::current_exception());
        }
    }

    auto call()
    {
        return std::apply([this](const auto&... inlet) { return this->body_->with(receiver_of(*inlet)...); }, inlets_);
    }

    void start()
    {
        try {
            this->stream_ = call();
            if (this->is_streaming())
                this->resume_stream();
        } catch (...) {
            this->error_ = std::current_exception();
        }
    }

    void on_drain() noexcept override
    {
        if (is_reading_)
            for_each_inlet(inlets_, [](auto& inlet) { inlet.end_timed_wait(); });
    }

    /// It works on no item that could have failed, and keeps what came before.
    [[nodiscard]] bool outlives_edge_errors() const noexcept override { return true; }

    void lose_item() noexcept override
    {
        if (this->input_.message)
            this->count_undelivered();
        this->input_.message.reset();
    }

    Inlets inlets_;
    bool is_reading_ = false;
    typename Parts::Inputs more_inputs_{};
    std::size_t attached_inputs_ = 0;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END
