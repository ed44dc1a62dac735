#pragma once

// Floor 2: the bounded channel between coroutines.

#include <agdf/concepts.hpp>
#include <agdf/detail/channel_operation.hpp>
#include <agdf/error.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// A bounded queue between coroutines: many producers, many consumers, first in, first out.
///
/// Its states only go forward: open, draining (closed, but items are left), closed. Waiting senders and waiting
/// receivers are each served in the order in which they came, and nobody who comes later overtakes them.
///
/// Shape:          many in, many out; no graph is needed.
/// Units:          `capacity` and `size` count items.
/// Resumes:        on the executor of the coroutine that waits, by a post, never inside another's call.
/// Thread-safety:  safe; the coroutines may run on any executors. A waiting call must be cancelled on the executor
///                 of its coroutine, as everywhere in Asio.
/// Errors:         a cancelled call throws asio::system_error(operation_aborted), and then no item has moved. A call
///                 that is cancelled after its item moved succeeds. (So do not race `receive() || timer` with Asio's
///                 operators, which throw the loser's result away: use `receive_for`.)
/// Source:         closing drains the buffer, as Asio's channels do since 1.27, and tells waiting senders, which
///                 those do not.
///
///     agdf::Channel<int> channel{8};
///     const bool sent = co_await channel.send(1);
///     while (auto item = co_await channel.receive())
///         use(*item);
template <Item T>
class Channel {
public:
    using value_type = T;

    /// Makes an open channel for `capacity` items, at least one.
    ///
    /// Errors: throws GraphError if the capacity is zero.
    explicit Channel(std::size_t capacity) : core_(checked(capacity), Refill::first_place, Sharing::many_strands) {}

    /// The same; the executor or context is taken for symmetry with Asio's own channels and not kept, since each
    /// coroutine resumes on its own executor.
    template <class ExecutorOrContext>
        requires(!std::integral<std::remove_cvref_t<ExecutorOrContext>>)
    Channel(ExecutorOrContext&&, std::size_t capacity) : Channel(capacity)
    {
    }

    /// Destroys what is buffered, and every coroutine that still waits here, without resuming it.
    ~Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// Sends one item, waiting while the channel is full.
    ///
    /// @return true once the item is stored or handed over, false if the channel was closed first; the item is
    ///         destroyed then (`try_send` leaves it untouched).
    [[nodiscard]] asio::awaitable<bool> send(T item)
    {
        Message message{std::move(item)};
        const Put put = core_.try_put(message);
        if (put != Put::waiting)
            co_return put == Put::stored;
        Send operation{core_};
        operation.message.emplace(std::move(message));
        co_await operation.suspend();
        co_return finish(operation, "agdf::Channel::send");
    }

    /// The same, giving up after `timeout` with TimeoutError.
    [[nodiscard]] asio::awaitable<bool> send_for(T item, std::chrono::steady_clock::duration timeout)
    {
        Message message{std::move(item)};
        const Put put = core_.try_put(message);
        if (put != Put::waiting)
            co_return put == Put::stored;
        Send operation{core_};
        operation.message.emplace(std::move(message));
        const auto executor = co_await asio::this_coro::executor;
        const detail::Deadline<Send> deadline{executor, timeout, operation};
        co_await operation.suspend();
        co_return finish(operation, "agdf::Channel::send_for");
    }

    /// Receives one item, waiting while the channel is empty.
    ///
    /// @return the item, or empty once the channel is closed and drained.
    [[nodiscard]] asio::awaitable<std::optional<T>> receive()
    {
        Receive operation{core_};
        const Got got = core_.try_get(operation);
        if (got == Got::waiting)
            co_await operation.suspend();
        co_return finish(operation, "agdf::Channel::receive");
    }

    /// The same, giving up after `timeout` with TimeoutError.
    [[nodiscard]] asio::awaitable<std::optional<T>> receive_for(std::chrono::steady_clock::duration timeout)
    {
        Receive operation{core_};
        const Got got = core_.try_get(operation);
        if (got == Got::waiting) {
            const auto executor = co_await asio::this_coro::executor;
            const detail::Deadline<Receive> deadline{executor, timeout, operation};
            co_await operation.suspend();
        }
        co_return finish(operation, "agdf::Channel::receive_for");
    }

    /// Sends one item if there is room now and nobody waits to send before.
    ///
    /// @param item  Moved from only if the answer is true.
    [[nodiscard]] bool try_send(T&& item)
        requires std::is_move_assignable_v<T>
    {
        Message message{std::move(item)};
        try {
            if (core_.try_put(message) == Put::stored)
                return true;
        } catch (...) {  // without memory
            item = std::move(message.value);
            throw;
        }
        item = std::move(message.value);
        return false;
    }

    [[nodiscard]] bool try_send(const T& item)
        requires std::copy_constructible<T>
    {
        Message message{item};
        return core_.try_put(message) == Put::stored;
    }

    /// Receives one item if there is one now.
    [[nodiscard]] std::optional<T> try_receive()
    {
        Receive operation{core_};
        if (core_.try_get(operation) != Got::item)
            return std::nullopt;
        return std::move(operation.message->value);
    }

    /// Lets no further item in: waiting senders get false, receivers get what is buffered and then the end.
    /// Closing twice does no harm.
    void close() noexcept { core_.close(); }

    /// Returns whether the channel still takes items.
    [[nodiscard]] bool is_open() const noexcept { return !core_.is_closed(); }

    /// Returns how many items are buffered; those of waiting senders do not count.
    [[nodiscard]] std::size_t size() const noexcept { return core_.size(); }

    /// Returns how many items may be buffered.
    [[nodiscard]] std::size_t capacity() const noexcept { return core_.capacity(); }

private:
    using Message = detail::Envelope<T>;
    using Core = detail::ChannelCore<Message>;
    using Send = detail::SendOperation<Message>;
    using Receive = detail::ReceiveOperation<Message>;
    using Put = detail::Put;
    using Got = detail::Got;
    using Refill = detail::Refill;
    using Sharing = detail::Sharing;

    static std::size_t checked(std::size_t capacity)
    {
        if (capacity == 0)
            throw GraphError("agdf::Channel: the capacity is 0. Expected: room for at least one item. Pass 1 or more.");
        return capacity;
    }

    template <class Operation>
    static void throw_if_ended_early(const Operation& operation, const char* where)
    {
        operation.throw_if_failed();
        if (operation.is_cancelled())
            throw asio::system_error(asio::error::operation_aborted, where);
        if (operation.has_timed_out())
            throw TimeoutError(std::string{where} + ": the time was over before the other side was ready. Expected: "
                                                    "an answer in time. Allow more time, or look for the slow side.");
    }

    static bool finish(Send& operation, const char* where)
    {
        throw_if_ended_early(operation, where);
        return !operation.message.has_value();
    }

    static std::optional<T> finish(Receive& operation, const char* where)
    {
        throw_if_ended_early(operation, where);
        if (!operation.message)
            return std::nullopt;
        return std::move(operation.message->value);
    }

    Core core_;
};

}  // namespace agdf

AGDF_COROUTINES_END
