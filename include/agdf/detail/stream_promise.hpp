#pragma once

// Floor 2: the promise of `Stream`, the library's only one.
//
// A stream never transfers control. Whoever drives it (a worker, or `Stream::next`) resumes it, and when it comes back
// it has left word why:
//
//      driver ──resume──► body ──co_yield──► target.take(item) ── true ──► body goes on
//                           │       (or its burst)  └─ false ─► back to the driver: look at the target
//                           ├──co_await──► back to the driver: it awaits `pending` and resumes
//                           └──the end───► back to the driver

#include <agdf/detail/asio.hpp>
#include <agdf/detail/burst.hpp>
#include <agdf/detail/frame_cache.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {
template <class T>
class Stream;
}

namespace agdf::detail {

/// Where the items of a stream go.
template <class T>
class YieldTarget {
public:
    /// Takes an item; false if the stream shall come back to its driver before it goes on.
    [[nodiscard]] AGDF_ALWAYS_INLINE bool take(T&& item)
    {
        return burst_.is_open() ? burst_.put(std::move(item)) : take_apart(std::move(item));
    }

protected:
    YieldTarget() = default;
    YieldTarget(const YieldTarget&) = delete;
    YieldTarget& operator=(const YieldTarget&) = delete;
    ~YieldTarget() = default;

    /// The same while no burst is open.
    virtual bool take_apart(T&& item) = 0;

    Burst<T> burst_;
};

/// An asio operation that a stream has handed to its driver.
class PendingAwait {
public:
    /// Performs it, in the driver's coroutine, and keeps the result.
    virtual asio::awaitable<void> perform() = 0;

protected:
    ~PendingAwait() = default;
};

/// Awaits something that asio coroutines can await, through the driver.
///
/// While the operation runs, a cancellation is thrown into it, as in any asio coroutine, unless the stream has switched that
/// off; the driver has a setting of its own, and gets it back.
template <class Operation, class Value>
class DrivenAwait final : public PendingAwait {
public:
    /// @param throws  Whether a cancellation is thrown into the operation.
    DrivenAwait(Operation&& operation, PendingAwait*& pending, bool throws) noexcept
        : operation_(std::move(operation)), pending_(pending), throws_(throws)
    {
    }

    static constexpr bool await_ready() noexcept { return false; }
    AGDF_NOINLINE void await_suspend(std::coroutine_handle<>) noexcept { pending_ = this; }
    Value await_resume()
    {
        if (error_)
            std::rethrow_exception(std::exchange(error_, nullptr));
        if constexpr (!std::is_void_v<Value>)
            return std::move(*value_);
    }

    asio::awaitable<void> perform() override
    {
        const bool throws = co_await asio::this_coro::throw_if_cancelled();
        co_await asio::this_coro::throw_if_cancelled(throws_);
        try {
            if constexpr (std::is_void_v<Value>)
                co_await std::move(operation_);
            else
                value_.emplace(co_await std::move(operation_));
        } catch (...) {
            error_ = std::current_exception();
        }
        co_await asio::this_coro::throw_if_cancelled(throws);
    }

private:
    Operation operation_;
    PendingAwait*& pending_;
    const bool throws_;
    std::conditional_t<std::is_void_v<Value>, char, std::optional<Value>> value_{};
    std::exception_ptr error_;
};

/// The same for the words of `asio::this_coro`, which change or read the driver's own coroutine.
template <class Word>
class DrivenWord final : public PendingAwait {
public:
    explicit DrivenWord(Word&& word, PendingAwait*& pending) noexcept : word_(std::move(word)), pending_(pending) {}

    static constexpr bool await_ready() noexcept { return false; }
    AGDF_NOINLINE void await_suspend(std::coroutine_handle<>) noexcept { pending_ = this; }
    void await_resume() const noexcept {}

    asio::awaitable<void> perform() override { co_await std::move(word_); }

private:
    Word word_;
    PendingAwait*& pending_;
};

template <class Word>
struct IsCoroutineWord : std::false_type {};
template <>
struct IsCoroutineWord<asio::this_coro::reset_cancellation_state_0_t> : std::true_type {};
template <class F>
struct IsCoroutineWord<asio::this_coro::reset_cancellation_state_1_t<F>> : std::true_type {};
template <class F, class G>
struct IsCoroutineWord<asio::this_coro::reset_cancellation_state_2_t<F, G>> : std::true_type {};

/// Whether a cancellation is thrown into what a stream awaits: no matter of the driver's.
class ThrowIfCancelled {
public:
    explicit ThrowIfCancelled(bool throws) noexcept : throws_(throws) {}
    static constexpr bool await_ready() noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    [[nodiscard]] bool await_resume() const noexcept { return throws_; }

private:
    bool throws_;
};

template <class T>
constexpr bool never = false;

template <class T>
class StreamPromise {
public:
    static void* operator new(std::size_t size) { return FrameCache::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { FrameCache::deallocate(frame, size); }

    Stream<T> get_return_object() noexcept
    {
        return Stream<T>{std::coroutine_handle<StreamPromise>::from_promise(*this)};
    }
    static constexpr std::suspend_always initial_suspend() noexcept { return {}; }
    static constexpr std::suspend_always final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
    void return_void() noexcept {}

    struct Yielded {
        bool goes_on;
        [[nodiscard]] bool await_ready() const noexcept { return goes_on; }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        void await_resume() const noexcept {}
    };

    /// Moves or converts the value into an item at once, so that nothing of the expression is needed later.
    template <class U = T>
    Yielded yield_value(U&& value)
    {
        constexpr bool fits = std::is_constructible_v<T, U&&> && std::is_convertible_v<U&&, T>;
        static_assert(fits,
                      "agdf::Stream<T>: what is yielded is not a T. Expected: co_yield of a T, or of a value that converts to "
                      "one. Convert it first, or change the T in the return type.");
        if constexpr (fits)
            return Yielded{target->take(T(std::forward<U>(value)))};
        else
            return Yielded{true};
    }

    template <class U>
    auto await_transform(asio::awaitable<U> operation) noexcept
    {
        return DrivenAwait<asio::awaitable<U>, U>{std::move(operation), pending, throws_if_cancelled};
    }
    auto await_transform(asio::this_coro::executor_t word) noexcept
    {
        return DrivenAwait<asio::this_coro::executor_t, asio::any_io_executor>{std::move(word), pending, throws_if_cancelled};
    }
    auto await_transform(asio::this_coro::cancellation_state_t word) noexcept
    {
        return DrivenAwait<asio::this_coro::cancellation_state_t, asio::cancellation_state>{std::move(word), pending, throws_if_cancelled};
    }
    template <class Word>
        requires IsCoroutineWord<Word>::value
    auto await_transform(Word word) noexcept
    {
        return DrivenWord<Word>{std::move(word), pending};
    }
    auto await_transform(asio::this_coro::throw_if_cancelled_0_t) noexcept { return ThrowIfCancelled{throws_if_cancelled}; }
    std::suspend_never await_transform(asio::this_coro::throw_if_cancelled_1_t word) noexcept
    {
        throws_if_cancelled = word.value;
        return {};
    }
    template <class Other>
        requires(!IsCoroutineWord<std::remove_cvref_t<Other>>::value)
    std::suspend_never await_transform(Other&&)
    {
        static_assert(never<Other>,
                      "agdf::Stream: this cannot be awaited in a Stream. Expected: an asio::awaitable<T> (agdf::sleep_for, "
                      "agdf::run_blocking, a channel operation, Receiver::next(), or an Asio operation with the token "
                      "asio::use_awaitable) or a word of asio::this_coro. Pass asio::use_awaitable to the operation.");
        return {};
    }

    YieldTarget<T>* target = nullptr;
    PendingAwait* pending = nullptr;
    std::exception_ptr error;
    bool throws_if_cancelled = true;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END
