#pragma once

// Floor 2: the input of a body that sees its whole stream.

#include <agdf/concepts.hpp>
#include <agdf/detail/channel_operation.hpp>

#include <exception>
#include <optional>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

namespace detail {

/// What stands behind a Receiver: the queue of a node, as one of its workers sees it.
template <class M>
class Inlet {
public:
    /// Takes a message that needs no wait.
    [[nodiscard]] virtual Got try_get(Getting<M>& receiver) = 0;
    /// The channel to wait in.
    [[nodiscard]] virtual ChannelCore<M>& channel() noexcept = 0;
    /// Called before the body waits, and after it got an item or the end.
    virtual void on_wait() noexcept = 0;
    virtual void on_resume(Got got) noexcept = 0;

protected:
    Inlet() = default;
    Inlet(const Inlet&) = delete;
    Inlet& operator=(const Inlet&) = delete;
    ~Inlet() = default;
};

}  // namespace detail

/// The items that come to one worker of a node, for a body that keeps state between items and wants to see the end.
///
/// Shape:          the parameter of `Stream<O>(Receiver<I>)` and `asio::awaitable<void>(Receiver<I>)`. With several
///                 workers each has a Receiver of its own, and they compete for the node's one queue.
/// Thread-safety:  belongs to its body, and is valid until the body ends.
///
///     agdf::Stream<Total> sum(agdf::Receiver<Sale> sales) {
///         Total total;
///         while (auto sale = co_await sales.next())
///             total += *sale;
///         co_yield total;  // after the last one
///     }
template <class I>
class Receiver {
public:
    using value_type = I;

    explicit Receiver(detail::Inlet<detail::Envelope<I>>& inlet) noexcept : inlet_(&inlet) {}

    /// Returns the next item, or empty at the end of the stream, again and again from then on.
    ///
    /// Errors: throws asio::system_error(operation_aborted) when the run is halted or cancelled.
    [[nodiscard]] asio::awaitable<std::optional<I>> next()
    {
        detail::ReceiveOperation<detail::Envelope<I>> operation{inlet_->channel()};
        const detail::Got got = inlet_->try_get(operation);
        if (got == detail::Got::waiting) {
            inlet_->on_wait();
            co_await operation.suspend();
        }
        if (operation.is_cancelled())
            throw asio::system_error(asio::error::operation_aborted, "agdf::Receiver::next");
        inlet_->on_resume(operation.message ? detail::Got::item : detail::Got::ended);
        if (!operation.message)
            co_return std::nullopt;
        co_return std::move(operation.message->value);
    }

private:
    detail::Inlet<detail::Envelope<I>>* inlet_;
};

}  // namespace agdf

AGDF_COROUTINES_END
