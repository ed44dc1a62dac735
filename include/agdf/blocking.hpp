#pragma once

// Floor 2: calls that block, off the graph's threads.

#include <agdf/concepts.hpp>
#include <agdf/detail/blocking_pool.hpp>
#include <agdf/detail/lane.hpp>
#include <agdf/detail/shutdown.hpp>
#include <agdf/detail/stop_source.hpp>
#include <agdf/detail/timer.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

namespace detail {

/// One call on its way to the pool and back. The coroutine that waits and the pool share it; whoever comes first,
/// the result or a cancellation, decides.
template <class F>
class BlockingCall final : public Sleeper, public BlockingJob, private ShutdownHook, public std::enable_shared_from_this<BlockingCall<F>> {
public:
    static constexpr bool stoppable = takes_stop_token<F>;
    using Return = typename CallInPool<F>::type;
    using Value = std::decay_t<Return>;

    BlockingCall(F function, const asio::any_io_executor& executor)
        : function_(std::move(function)),
          hooks_(asio::use_service<ShutdownService>(asio::query(executor, asio::execution::context))),
          hold_(executor),
          pool_(asio::use_service<BlockingService>(asio::query(executor, asio::execution::context)).pool_of(executor))
    {
    }

    /// Lives in the coroutine's frame, whose end is the end of the wait, also if it is destroyed before it is resumed.
    class Wait {
    public:
        explicit Wait(BlockingCall& call) noexcept : call_(call) {}
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait()
        {
            // Until the pool's thread has come back from its post it uses the coroutine's executor, which must not go before.
            const std::lock_guard lock{call_.mutex_};
            call_.hooks_.remove(call_);
            if (call_.state_ == State::finished)  // else the thread may be at it
                call_.value_.reset();             // now, since that thread lets go of the call some time later
        }

    private:
        BlockingCall& call_;
    };

    /// Returns or throws what the call did; in the coroutine, once it is resumed.
    Return take()
    {
        const std::lock_guard lock{mutex_};
        if (error_)
            std::rethrow_exception(std::exchange(error_, nullptr));
        if constexpr (!std::is_void_v<Return>)
            return std::move(*value_);
    }

private:
    enum class State { waiting, running, finished, abandoned };

    void on_suspended() override
    {
        hooks_.add(*this);
        const auto pool = std::move(pool_);  // not kept: a queued call and its pool would own each other
        try {
            pool->submit(this->shared_from_this());
        } catch (...) {  // out of memory, or of threads
            give_up(std::current_exception());
        }
    }

    void on_cancel(asio::cancellation_type) override
    {
        give_up(std::make_exception_ptr(asio::system_error(asio::error::operation_aborted, "agdf::run_blocking")));
    }

    /// Ends the wait with an error, unless there is a result.
    void give_up(std::exception_ptr error)
    {
        const std::lock_guard lock{mutex_};
        if (state_ == State::finished || state_ == State::abandoned)
            return;
        if (state_ == State::waiting)
            function_.reset();  // it will not be called, so what it holds goes now
        state_ = State::abandoned;
        stop_.request_stop();
        error_ = std::move(error);
        asio::post(this->take_handler());
        hold_.release();
    }

    void context_is_going() noexcept override
    {
        {
            const std::lock_guard lock{mutex_};
            if (state_ == State::finished || state_ == State::abandoned)
                return;
            if (state_ == State::waiting)
                function_.reset();
            state_ = State::abandoned;
            stop_.request_stop();
        }
        Sleeper::abandon();
    }

    void run_in_pool() override
    {
        {
            const std::lock_guard lock{mutex_};
            if (state_ == State::abandoned)
                return;
            state_ = State::running;
        }
        std::exception_ptr error;
        try {
            if constexpr (std::is_void_v<Return>)
                invoke();
            else
                value_.emplace(invoke());  // nobody looks at it before the state says that it is there
        } catch (...) {
            error = std::current_exception();
        }
        function_.reset();  // before anybody hears of the result
        const std::lock_guard lock{mutex_};
        if (state_ == State::abandoned)
            return;
        state_ = State::finished;
        error_ = std::move(error);
        asio::post(this->take_handler());
        hold_.release();  // after the post, so that the clock cannot overtake the result
    }

    Return invoke()
    {
        if constexpr (stoppable)
            return std::invoke(*function_, stop_.get_token());
        else
            return std::invoke(*function_);
    }

    std::optional<F> function_;
    ShutdownService& hooks_;
    ClockHold hold_;  // as long as somebody waits for the result
    std::shared_ptr<BlockingPool> pool_;
    std::recursive_mutex mutex_;  // a post that fails destroys the coroutine
    State state_ = State::waiting;
    StopSource stop_;
    std::exception_ptr error_;
    std::optional<std::conditional_t<std::is_void_v<Return>, char, Value>> value_;
};

template <class F>
[[nodiscard]] asio::awaitable<typename BlockingCall<F>::Return> call_in_pool(F function)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto call = std::make_shared<BlockingCall<F>>(std::move(function), executor);
    const typename BlockingCall<F>::Wait wait{*call};
    co_await call->suspend();
    co_return call->take();
}

}  // namespace detail

/// Runs `function` on a thread of the blocking pool and resumes with its result.
///
/// Shape:          one call in, its return value out; to be awaited in an asio::awaitable or a Stream. A callable that
///                 takes a std::stop_token is told when nobody waits for it any more (where the standard library has that).
/// Units:          at most `GraphOptions::blocking_threads` calls of a graph run at a time, together with those of its
///                 `agdf::blocking` nodes; 32 of a context outside of graphs. The rest wait.
/// Errors:         throws what `function` throws. When the awaiting coroutine is cancelled it throws
///                 asio::system_error(operation_aborted) at once; a call that had begun finishes alone and its result
///                 is discarded, so it must own what it uses.
/// Resumes:        on the coroutine's executor.
/// Thread-safety:  safe; `function` runs on another thread.
/// Source:         asyncio's run_in_executor.
///
///     auto fetch = [query] { return database().fetch(query); };  // named first, for GCC 12
///     auto rows = co_await agdf::run_blocking(std::move(fetch));
template <class F>
[[nodiscard]] auto run_blocking(F&& function)
{
    using Function = std::decay_t<F>;
    constexpr bool callable = std::is_invocable_v<Function&> || detail::takes_stop_token<Function>;
    static_assert(callable,
                  "agdf::run_blocking(function): function cannot be called without arguments. Expected: a callable that "
                  "takes nothing, or a std::stop_token. Capture what it needs, by value.");
    if constexpr (callable) {
        constexpr bool returns_value = !std::is_reference_v<typename detail::CallInPool<Function>::type>;
        static_assert(returns_value,
                      "agdf::run_blocking(function): function returns a reference, and what it refers to may be gone when the "
                      "coroutine goes on. Expected: a value, or nothing. Return a copy, or a std::shared_ptr.");
        constexpr bool can_travel = std::is_void_v<typename detail::CallInPool<Function>::type> ||
                                    std::is_move_constructible_v<typename detail::CallInPool<Function>::type>;
        static_assert(!returns_value || can_travel,
                      "agdf::run_blocking(function): function returns a type that can be neither moved nor copied, and the value is made on "
                      "another thread. Expected: one that can. Return it in a std::unique_ptr or std::shared_ptr.");
        if constexpr (returns_value && can_travel)
            return detail::call_in_pool<Function>(std::forward<F>(function));
    }
}

/// A plain function that a node shall run in the blocking pool; made by `agdf::blocking`.
template <class F>
class Blocking {
public:
    explicit Blocking(F plain) : function_(std::move(plain)) {}

    [[nodiscard]] F& function() noexcept { return function_; }

private:
    F function_;
};

/// Marks a plain function as one that blocks: its node runs it in the thread pool, one call for each of its workers.
///
/// Shape:          as the function: `O(I)`, `std::optional<O>(I)` or `void(I)`.
/// Units:          at most `workers` calls of the node and `GraphOptions::blocking_threads` of the graph run at a time. With
///                 more workers than threads the next call waits for a thread, and no thread for a call.
/// Errors:         when the run is halted or cancelled it does not wait for a call that has begun: the call finishes
///                 alone, perhaps after `run` has returned. So let the function own what it uses, as in the example.
/// Thread-safety:  with one worker its calls never overlap, unless a time-out has given one up, which goes on beside the
///                 next; with more workers the function is called from several threads.
///
///     auto database = std::make_shared<Database>("…");
///     graph.add_node("load", agdf::blocking([database](Row row) { database->insert(row); }), {.workers = 4});
template <class F>
[[nodiscard]] Blocking<std::decay_t<F>> blocking(F&& function)
{
    return Blocking<std::decay_t<F>>{std::forward<F>(function)};
}

}  // namespace agdf

AGDF_COROUTINES_END
