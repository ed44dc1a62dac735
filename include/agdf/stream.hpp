#pragma once

// Floor 2: the coroutine that yields items.

#include <agdf/concepts.hpp>
#include <agdf/detail/stream_promise.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// The return type of a coroutine that yields items and may await in between.
///
/// In it one may `co_yield` an item, or a value that converts to one, and `co_await` any `asio::awaitable`,
/// `agdf::sleep_for`, `agdf::run_blocking`, a channel operation, `Receiver::next()` and the words of `asio::this_coro`.
///
/// Shape:          nothing to many items out; it starts when it is first asked for an item.
/// Errors:         an exception that leaves the coroutine is an error of the item that it worked on; what it had
///                 yielded before stays. What an edge throws (see `where`) does not come out of `co_yield`.
/// Resumes:        `co_yield` goes on at once while there is room further down, else on the graph's strand.
/// Thread-safety:  none of its own; one worker drives it.
/// Source:         the generator bodies of async-graph-data-flow; GCC 12 wants the yielded value named first
///                 (`co_yield row;`, not `co_yield Row{…};`).
///
///     agdf::Stream<int> count_to(int last) {
///         for (int i = 1; i <= last; ++i) {
///             co_await agdf::sleep_for(10ms);
///             co_yield i;
///         }
///     }
template <class T>
class [[nodiscard]] Stream {
    static constexpr bool can_travel = Item<T>;
    static_assert(can_travel,
                  "agdf::Stream<T>: T cannot travel between nodes. Expected: an object type that can be moved, without "
                  "const or reference. Write Stream<std::decay_t<T>>, or yield a smart pointer.");

public:
    using value_type = T;
    using promise_type = detail::StreamPromise<T>;

    Stream() noexcept = default;
    explicit Stream(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    Stream(Stream&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    Stream& operator=(Stream&& other) noexcept
    {
        if (this != &other) {
            reset();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    ~Stream() { reset(); }

    /// Returns the next item, or empty at the end; this drives a stream by hand, in a test or from another stream.
    ///
    /// Errors: throws what the coroutine threw.
    ///
    ///     agdf::Stream<int> numbers = count_to(3);
    ///     while (auto number = co_await numbers.next())
    ///         total += *number;
    [[nodiscard]] asio::awaitable<std::optional<T>> next()
    {
        Slot slot;
        while (is_open()) {
            detail::PendingAwait* const pending = resume(slot);
            if (pending)
                co_await pending->perform();
            else if (slot.item)
                break;
        }
        if (auto error = take_error())
            std::rethrow_exception(error);
        co_return std::move(slot.item);
    }

    /// Returns whether there is anything left to resume.
    [[nodiscard]] bool is_open() const noexcept { return frame_ && !frame_.done(); }

    /// Lets the coroutine go on until it yields to a target that wants a pause, awaits, or ends; for drivers.
    ///
    /// @return what the driver shall perform before it resumes again, or null.
    detail::PendingAwait* resume(detail::YieldTarget<T>& target)
    {
        promise_type& promise = frame_.promise();
        promise.target = &target;
        promise.pending = nullptr;
        frame_.resume();
        return promise.pending;
    }

    /// Returns whether there is an error to take; for drivers.
    [[nodiscard]] bool has_error() const noexcept { return frame_ && frame_.promise().error != nullptr; }

    /// Returns what the coroutine threw, once, or null; for drivers.
    [[nodiscard]] std::exception_ptr take_error() noexcept
    {
        return frame_ ? std::exchange(frame_.promise().error, nullptr) : nullptr;
    }

    /// Destroys the coroutine where it is.
    void reset() noexcept
    {
        if (frame_)
            std::exchange(frame_, nullptr).destroy();
    }

private:
    struct Slot final : detail::YieldTarget<T> {
        bool take_apart(T&& value) override
        {
            item.emplace(std::move(value));
            return false;
        }
        std::optional<T> item;
    };

    std::coroutine_handle<promise_type> frame_ = nullptr;
};

}  // namespace agdf

AGDF_COROUTINES_END
