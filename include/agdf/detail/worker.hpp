#pragma once

// Floor 4: the coroutine that takes items out of a node's queue, runs the node's body on them and sends on what it yields.

#include <agdf/blocking.hpp>
#include <agdf/detail/body_caller.hpp>
#include <agdf/detail/outlet.hpp>
#include <agdf/receiver.hpp>
#include <agdf/stream.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

/// Whether an error says nothing but that an operation was cancelled.
[[nodiscard]] inline bool is_operation_aborted(const std::exception_ptr& error) noexcept
{
    try {
        std::rethrow_exception(error);
    } catch (const asio::system_error& exception) {
        return exception.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

/// One worker of a node. Its coroutine is a plain asio::awaitable<void>, so that bodies can await anything of Asio.
///
/// It looks at the run's phase before each item, waits only when the queue is empty or an edge is full, and is
/// cancelled through Asio's signal. Awaiting with `throw_if_cancelled(false)` lets it finish what a cancellation must
/// not lose; bodies are awaited with `true`.
template <class Body, class Traits>
class Worker final : public WorkerBase {
public:
    using In = typename Traits::In;
    using Out = typename Traits::Out;
    using Message = typename NodeInput<In>::Message;
    using Caller = BodyCaller<Body, Traits>;

    Worker(NodeInput<In>& node, Lane& lane, std::shared_ptr<Caller> body)
        : WorkerBase(node.run(), node, lane), input_(*this), outlet_(*this), inbox_(node.inbox()), body_(std::move(body))
    {
    }

    [[nodiscard]] Outlet<Out>& outlet() noexcept { return outlet_; }

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

    /// How a body that sees the whole stream takes its items.
    class WorkerInlet final : public Inlet<Message> {
    public:
        explicit WorkerInlet(Worker& worker) noexcept : worker_(worker) {}
        Got try_get(Getting<Message>& receiver) override { return worker_.inbox_.try_get(receiver); }
        ChannelCore<Message>& channel() noexcept override { return worker_.inbox_.channel(); }
        void on_wait() noexcept override { worker_.begin(WorkerClock::idle); }
        void on_resume(Got got) noexcept override
        {
            if (worker_.clock().state() == WorkerClock::idle)
                worker_.begin(WorkerClock::busy);
            (got == Got::item ? has_received : has_ended) = true;
        }

        bool has_received = false;
        bool has_ended = false;

    private:
        Worker& worker_;
    };

    asio::awaitable<void> see_each_item()
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        this->begin(WorkerClock::busy);
        while (!this->is_cut_short()) {
            if (inbox_.get(input_) == Got::waiting) {
                co_await this->wait(WorkerClock::idle);
                if (this->is_cut_short())
                    lose_item();
            }
            if (!input_.message)
                break;
            Stored<In>& item = input_.message->value;
            std::exception_ptr error;

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
                    co_await drive(stream, pending);
                if (stream.is_open())
                    lose_item();
                if (!error)
                    error = stream.take_error();
            }

            if (outlet_.is_full()) [[unlikely]] {
                if (must_wait())
                    co_await this->wait(WorkerClock::blocked);
                if (!error)
                    error = outlet_.take_error();
            }
            if (error) [[unlikely]]
                fail(error);
            input_.message.reset();
            if (!this->has_turn())
                co_await this->next_turn();
        }
        this->clock().change(WorkerClock::ended);
    }

    asio::awaitable<void> see_the_stream()
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        this->begin(WorkerClock::busy);
        WorkerInlet inlet{*this};
        while (!this->is_cut_short()) {
            inlet.has_received = false;
            std::exception_ptr error;
            if constexpr (Traits::kind == BodyKind::awaitable) {
                co_await asio::this_coro::throw_if_cancelled(true);
                try {
                    if constexpr (std::is_void_v<Out>) {
                        co_await body_->with(Receiver<In>{inlet});
                    } else {
                        auto value = co_await body_->with(Receiver<In>{inlet});
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
                    stream = body_->with(Receiver<In>{inlet});
                    if (stream.is_open())
                        pending = stream.resume(outlet_);
                } catch (...) {
                    error = std::current_exception();
                }
                if (stream.is_open())
                    co_await drive(stream, pending);
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
            if (inlet.has_ended)
                break;
            if (!inlet.has_received) {
                // A body that fails before it reads would fail for ever: each failure costs it the next item.
                if (inbox_.get(input_) == Got::waiting)
                    co_await this->wait(WorkerClock::idle);
                if (!input_.message)
                    break;
                lose_item();
            }
        }
        const bool last = this->node_.body_returned();
        while (last && !this->is_cut_short()) {
            // Nobody reads any more: what still comes is counted, and the producers can end.
            if (inbox_.get(input_) == Got::waiting)
                co_await this->wait(WorkerClock::idle);
            if (!input_.message)
                break;
            lose_item();
        }
        this->clock().change(WorkerClock::ended);
    }

    /// Performs what a stream asks for, and resumes it, until it ends or is to be cut short.
    asio::awaitable<void> drive(Stream<Out>& stream, PendingAwait* pending)
    {
        for (;;) {
            if (pending)
                co_await pending->perform();
            else if (must_wait())
                co_await this->wait(WorkerClock::blocked);
            if (!pending && (outlet_.has_error() || this->is_cut_short()))
                break;
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

    /// Whether the worker has to sleep until its edges have room.
    [[nodiscard]] bool must_wait()
    {
        if (!outlet_.is_full()) [[likely]]
            return false;
        if (this->run_.is_discarding())
            outlet_.withdraw();
        return !outlet_.has_room();
    }

    void on_cancel(asio::cancellation_type) override
    {
        if (!this->run_.is_discarding())
            return;  // a stop: what was yielded is still carried to the end
        if (inbox_.channel().withdraw(input_))
            this->wake_up();
        else
            outlet_.withdraw();
    }

    void fail(const std::exception_ptr& error)
    {
        if (this->is_cut_short() && is_operation_aborted(error))
            return lose_item();
        this->err_.add();
        this->node_.fail(error);
    }

    /// Gives up the item in hand, if it is one.
    void lose_item() noexcept
    {
        if constexpr (!std::is_void_v<In>) {
            if (input_.message)
                this->count_undelivered();
        }
        input_.message.reset();
    }

    Input input_;
    Outlet<Out> outlet_;
    Inbox<Message>& inbox_;
    const std::shared_ptr<Caller> body_;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END
