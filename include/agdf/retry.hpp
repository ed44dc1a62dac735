#pragma once

// Floor 2: whether and when something that failed is tried again.

#include <agdf/concepts.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace agdf {

namespace detail {

/// The exception type that a predicate takes; void if its signature is not `bool(const E&)`.
template <class Args>
struct JudgedError {
    using Type = void;
};
template <class E>
    requires std::is_class_v<E>
struct JudgedError<Parameters<const E&>> {
    using Type = E;
};
template <>
struct JudgedError<Parameters<std::exception_ptr>> {
    using Type = std::exception_ptr;
};

template <class F>
constexpr auto judged_error()
{
    if constexpr (!FunctionType<F>::known)
        return std::type_identity<void>{};
    else
        return std::type_identity<typename JudgedError<typename FunctionType<F>::Args>::Type>{};
}

}  // namespace detail

/// How the delay before another attempt is varied.
enum class Jitter {
    none,  ///< not at all
    full   ///< evenly between nothing and the delay, so that those who failed together do not come back together
};

/// Says which errors are worth another attempt: made from a callable, and without one every error is.
///
/// Shape:          `bool(std::exception_ptr)`, `bool(const std::exception_ptr&)`, or `bool(const E&)` for errors that
///                 are an `E` or derive from it; errors of other types are then not tried again.
/// Errors:         what the callable throws comes out of the call.
/// Thread-safety:  the callable is called from every thread that runs the graph.
///
///     const agdf::RetryPredicate busy = [](const agdf::http::StatusError& error) { return error.status() == 503; };
class RetryPredicate {
public:
    RetryPredicate() = default;

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, RetryPredicate>)
    RetryPredicate(F&& predicate)  // NOLINT: implicit, so that a lambda can stand in Retry
    {
        using Predicate = std::decay_t<F>;
        using E = typename decltype(detail::judged_error<Predicate>())::type;
        constexpr bool accepted = [] {
            if constexpr (std::is_void_v<E> || !std::copy_constructible<Predicate>)
                return false;
            else
                return std::is_invocable_r_v<bool, Predicate&, const E&>;
        }();
        static_assert(accepted, "agdf::RetryPredicate: the predicate has another shape. Expected: a copyable callable "
                                "bool(const std::exception_ptr&), or bool(const E&) for an exception type E. Write the type "
                                "of its one parameter, and return a bool.");
        if constexpr (accepted && std::same_as<E, std::exception_ptr>)
            judge_ = std::forward<F>(predicate);
        else if constexpr (accepted)
            judge_ = [judge = Predicate(std::forward<F>(predicate))](const std::exception_ptr& error) mutable -> bool {
                try {
                    std::rethrow_exception(error);
                } catch (const E& exception) {
                    return judge(exception);
                } catch (...) {
                    return false;
                }
            };
    }

    /// Returns whether this error is worth another attempt.
    [[nodiscard]] bool operator()(const std::exception_ptr& error) const { return !judge_ || judge_(error); }

    /// Returns whether there is a callable.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(judge_); }

private:
    std::function<bool(const std::exception_ptr&)> judge_;
};

/// Whether and when something that failed is tried again. Off unless asked for.
///
/// The delay grows by `factor` from attempt to attempt, up to `max_delay`. An error that is a RetryAfter says itself how
/// long to wait, `max_delay` at most and without jitter.
///
/// Units:  `attempts` counts the first one as well; `max_held` counts outputs, those of one attempt, which are held
///         back until it has succeeded or failed for good, so that none is delivered twice. An attempt that yields more
///         fails, and is not tried again.
///
///     const agdf::Retry patient{.attempts = 5, .delay = std::chrono::seconds(1), .when = agdf::http::is_transient};
struct Retry {
    std::size_t attempts = 1;
    std::chrono::steady_clock::duration delay = std::chrono::milliseconds(100);
    double factor = 2;
    std::chrono::steady_clock::duration max_delay = std::chrono::seconds(30);
    Jitter jitter = Jitter::full;
    RetryPredicate when = {};
    std::size_t max_held = 1'024;
};

/// What an exception type may derive from, next to its other base, to say when another attempt is worth it.
class RetryAfter {
public:
    /// Returns how long to wait before the next attempt; empty if nothing is known.
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> retry_after() const noexcept = 0;

protected:
    RetryAfter() = default;
    RetryAfter(const RetryAfter&) = default;
    RetryAfter& operator=(const RetryAfter&) = default;
    ~RetryAfter() = default;
};

/// A ready-made error that asks for another attempt after some time.
///
///     throw agdf::RetryLater("the table is locked", std::chrono::seconds(2));
class RetryLater : public std::runtime_error, public RetryAfter {
public:
    RetryLater(const std::string& message, std::chrono::nanoseconds after) : std::runtime_error(message), after_(after) {}

    [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept override { return after_; }

private:
    std::chrono::nanoseconds after_;
};

/// Returns how long an error asks to wait before the next attempt; empty if it does not say, or is none.
[[nodiscard]] inline std::optional<std::chrono::nanoseconds> retry_after_of(const std::exception_ptr& error) noexcept
{
    if (!error)
        return std::nullopt;
    try {
        std::rethrow_exception(error);
    } catch (const RetryAfter& wish) {
        return wish.retry_after();
    } catch (...) {
        return std::nullopt;
    }
}

namespace detail {

/// Returns a number of [0, 1), another one each time, on any thread: SplitMix64 (Steele, Lea and Flood, 2014).
[[nodiscard]] inline double random_fraction() noexcept
{
    static std::atomic<std::uint64_t> state{
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
    std::uint64_t z = state.fetch_add(0x9E3779B97F4A7C15U, std::memory_order_relaxed);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    return static_cast<double>(z >> 11U) * 0x1p-53;
}

/// Returns how long to wait after the attempt number `failed`, from 1, has failed with `error`.
///
/// @param fraction  The place of full jitter between nothing and the delay.
[[nodiscard]] inline std::chrono::steady_clock::duration retry_delay(const Retry& retry, std::size_t failed,
                                                                     const std::exception_ptr& error,
                                                                     double fraction = random_fraction()) noexcept
{
    using Duration = std::chrono::steady_clock::duration;
    if (const auto wish = retry_after_of(error)) {
        if (*wish >= retry.max_delay)
            return retry.max_delay;
        return std::max(std::chrono::ceil<Duration>(*wish), Duration::zero());
    }
    if (retry.delay == Duration::zero())
        return retry.delay;
    const double grown = static_cast<double>(retry.delay.count()) * std::pow(retry.factor, static_cast<double>(failed - 1));
    // infinity is above every limit, and what is below it fits again
    const Duration delay = grown >= static_cast<double>(retry.max_delay.count())
                               ? retry.max_delay
                               : Duration(static_cast<Duration::rep>(grown));
    if (retry.jitter == Jitter::none)
        return delay;
    return Duration(static_cast<Duration::rep>(static_cast<double>(delay.count()) * fraction));
}

/// Calls `fail` with a text if a Retry cannot work.
template <class Fail>
void check_retry(const Fail& fail, const Retry& retry)
{
    using Milliseconds = std::chrono::duration<double, std::milli>;
    if (retry.attempts == 0)
        fail("the option .retry.attempts is 0. Expected: 1 or more, since the first attempt counts as well. Set it to 1 for "
             "no retry.");
    if (retry.delay < retry.delay.zero())
        fail(fmt::format("the option .retry.delay is {} ms. Expected: 0 or more. Set it to the wait before the second attempt.",
                         Milliseconds(retry.delay).count()));
    if (!std::isfinite(retry.factor) || retry.factor < 1)
        fail(fmt::format("the option .retry.factor is {}. Expected: a finite number of at least 1. Set it to 1 for delays that "
                         "do not grow.",
                         retry.factor));
    if (retry.max_delay < retry.max_delay.zero())
        fail("the option .retry.max_delay is negative. Expected: 0 or more; it caps every delay. Raise it.");
    if (retry.max_held == 0)
        fail("the option .retry.max_held is 0. Expected: room for at least one output. Set it to the most that one attempt "
             "yields.");
}

}  // namespace detail

}  // namespace agdf
