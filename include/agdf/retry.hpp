#pragma once

// Floor 2: whether and when something that failed is tried again.

#include <agdf/concepts.hpp>

#include <atomic>
#include <chrono>
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
/// Errors:         what the callable throws comes out of the call. A node then does not try the item again: that fails with
///                 its own error, and what the callable threw is logged and kept beside it.
/// Thread-safety:  the callable is called from every thread that runs the graph.
///
///     const agdf::RetryPredicate busy = [](const agdf::http::StatusError& error) { return error.status() == 503; };
class RetryPredicate {
public:
    RetryPredicate();
    RetryPredicate(const RetryPredicate&);
    RetryPredicate(RetryPredicate&&) noexcept;
    RetryPredicate& operator=(const RetryPredicate&);
    RetryPredicate& operator=(RetryPredicate&&) noexcept;
    ~RetryPredicate();

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
    [[nodiscard]] bool operator()(const std::exception_ptr& error) const;

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
///         back until it has succeeded or failed, so that none is delivered twice. An attempt that yields more fails, and
///         is not tried again. What the last attempt had yielded before it failed stays, as without retries.
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
class AGDF_ONE_IN_PROGRAM RetryAfter {
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
class AGDF_ONE_IN_PROGRAM RetryLater : public std::runtime_error, public RetryAfter {
public:
    RetryLater(const std::string& message, std::chrono::nanoseconds after) : std::runtime_error(message), after_(after) {}

    [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept override { return after_; }

private:
    std::chrono::nanoseconds after_;
};

/// Returns how long an error asks to wait before the next attempt; empty if it does not say, or is none.
[[nodiscard]] AGDF_DECL std::optional<std::chrono::nanoseconds> retry_after_of(const std::exception_ptr& error) noexcept;

namespace detail {

/// Where `random_fraction` goes on; a test that shall be the same again sets it.
[[nodiscard]] AGDF_DECL std::atomic<std::uint64_t>& random_state() noexcept;

/// Returns a number of [0, 1), another one each time, on any thread.
[[nodiscard]] AGDF_DECL double random_fraction() noexcept;

/// Returns how long to wait after the attempt number `failed`, from 1, has failed with `error`.
///
/// @param fraction  The place of full jitter between nothing and the delay.
[[nodiscard]] AGDF_DECL std::chrono::steady_clock::duration retry_delay(const Retry& retry, std::size_t failed, const std::exception_ptr& error,
                                                                        double fraction = random_fraction()) noexcept;

/// Calls `fail` with a text if a Retry cannot work.
AGDF_DECL void check_retry(const std::function<void(const std::string& what)>& fail, const Retry& retry);

}  // namespace detail

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/retry.ipp>
#endif
