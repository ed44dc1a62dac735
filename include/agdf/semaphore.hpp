#pragma once

// Floor 2: how many may do something at the same time.
//
// A semaphore is a channel that holds a token for each free permit, so it has that one's order, cancellation and threads.
// A token that is destroyed on its way, with the frame that it was handed to, goes back by itself.

#include <agdf/detail/asio.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace agdf {

class Permit;

namespace detail {

template <class Item>
class LimitedSemaphore;

/// What the handles and the permits of one semaphore share. What is behind it is a template, so that it costs the build
/// of those programs only that make a semaphore with a limit.
class SemaphoreState {
public:
    SemaphoreState() = default;
    SemaphoreState(const SemaphoreState&) = delete;
    SemaphoreState& operator=(const SemaphoreState&) = delete;
    virtual ~SemaphoreState() = default;

    /// Takes itself, so that it outlives the wait.
    [[nodiscard]] virtual asio::awaitable<Permit> acquire(std::shared_ptr<SemaphoreState> self) = 0;
    [[nodiscard]] virtual bool try_take() = 0;
    /// Makes a permit free; there is room, and after the constructor memory as well, for all that there are.
    virtual void give_back() noexcept = 0;
    [[nodiscard]] virtual std::size_t permits() const noexcept = 0;
    [[nodiscard]] virtual std::size_t available() const noexcept = 0;
    [[nodiscard]] virtual std::size_t waiting() noexcept = 0;
};

}  // namespace detail

/// What a Semaphore gives to one who may go on: released when it is destroyed, or before.
///
/// Thread-safety:  distinct permits: safe. A permit may be released on any thread.
class Permit {
public:
    /// Makes one that holds nothing, as a semaphore without a limit gives.
    Permit() = default;
    Permit(Permit&&) noexcept = default;
    /// Releases what it held before.
    Permit& operator=(Permit&& other) noexcept
    {
        if (this != &other) {
            release();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~Permit() { release(); }

    /// Releases it now; without effect if it holds nothing any more.
    void release() noexcept
    {
        if (const auto state = std::move(state_))
            state->give_back();
    }

    /// Returns whether it holds a permit of a semaphore.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    friend class Semaphore;
    template <class Item>
    friend class detail::LimitedSemaphore;
    explicit Permit(std::shared_ptr<detail::SemaphoreState> state) noexcept : state_(std::move(state)) {}

    std::shared_ptr<detail::SemaphoreState> state_;
};

namespace detail {

class Token;

// Templates, so that they cost the build of those programs only that use them.
template <class Item>
[[nodiscard]] std::shared_ptr<SemaphoreState> make_semaphore(std::size_t permits);
template <class Permit>
[[nodiscard]] asio::awaitable<Permit> no_permit();

}  // namespace detail

/// Lets a number of coroutines do something at the same time, and the others wait: a handle, whose copies share the permits.
///
/// Shape:          for coroutines of any graphs, and without one; a permit may outlive the handles.
/// Units:          permits, from 1 to 1,000,000; `waiting` counts coroutines.
/// Errors:         a cancelled `acquire` throws asio::system_error(operation_aborted), and then took no permit. One that is
///                 cancelled after it was given its permit succeeds. A permit is never lost, be the coroutine that it is
///                 given to cancelled or destroyed.
/// Resumes:        on the executor of the coroutine that waits, by a post, never inside another's call.
/// Thread-safety:  safe; the coroutines may run on any executors.
///
///     const agdf::Semaphore connections{8};
///     graph.add_node("load", [connections](Row row) -> asio::awaitable<void> {
///         const agdf::Permit permit = co_await connections.acquire();
///         co_await insert(row);
///     }, {.workers = 100});
class Semaphore {
public:
    /// Makes one without a limit: `acquire` never waits.
    Semaphore();
    Semaphore(const Semaphore&);
    Semaphore(Semaphore&&) noexcept;
    Semaphore& operator=(const Semaphore&);
    Semaphore& operator=(Semaphore&&) noexcept;
    ~Semaphore();

    /// Makes one with so many permits, all of them free.
    ///
    /// Errors: throws GraphError unless there are from 1 to 1,000,000.
    template <class Token = detail::Token>
    explicit Semaphore(std::size_t permits) : state_(detail::make_semaphore<Token>(permits))
    {
    }

    /// Waits until a permit is free and takes it; those who wait are served in the order in which they came, and nobody
    /// who comes later overtakes them.
    [[nodiscard]] asio::awaitable<Permit> acquire() const { return state_ ? state_->acquire(state_) : detail::no_permit<Permit>(); }

    /// Takes a permit if one is free now.
    [[nodiscard]] std::optional<Permit> try_acquire() const
    {
        if (!state_)
            return Permit{};
        if (!state_->try_take())
            return std::nullopt;
        return Permit{state_};
    }

    /// Returns how many permits there are, free or not; the largest number if there is no limit.
    [[nodiscard]] std::size_t permits() const noexcept { return state_ ? state_->permits() : no_limit; }

    /// Returns how many permits are free; the largest number if there is no limit.
    [[nodiscard]] std::size_t available() const noexcept { return state_ ? state_->available() : no_limit; }

    /// Returns how many coroutines wait for a permit.
    [[nodiscard]] std::size_t waiting() const noexcept { return state_ ? state_->waiting() : 0; }

    /// Returns whether there is a limit.
    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

private:
    static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

    std::shared_ptr<detail::SemaphoreState> state_;
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/semaphore.ipp>
#endif
