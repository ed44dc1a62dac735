#pragma once

// Floor 2: how many may do something at the same time.
//
// A semaphore is a channel that holds a token for each free permit, so it has that one's order, cancellation and threads.
// A token that is destroyed on its way, with the frame that it was handed to, goes back by itself.

#include <agdf/detail/channel_operation.hpp>
#include <agdf/error.hpp>

#include <fmt/core.h>

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

/// One permit on its way between a semaphore's channel and a Permit. Whoever has it there keeps the state alive.
class Token {
public:
    explicit Token(SemaphoreState& state) noexcept : state_(&state) {}
    Token(Token&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Token& operator=(Token&&) = delete;
    ~Token()
    {
        if (state_)
            state_->give_back();
    }

    void arrive() noexcept { state_ = nullptr; }

private:
    SemaphoreState* state_;
};

template <class Item>
class LimitedSemaphore final : public SemaphoreState {
public:
    explicit LimitedSemaphore(std::size_t permits) : channel_(permits, Refill::first_place, Sharing::many_threads)
    {
        for (std::size_t i = 0; i < permits; ++i)
            put_back();
        is_going_ = false;
    }
    ~LimitedSemaphore() override { is_going_ = true; }

    [[nodiscard]] asio::awaitable<Permit> acquire(std::shared_ptr<SemaphoreState> self) override
    {
        Taking taking{channel_};
        const Got got = channel_.try_get(taking);
        if (got == Got::waiting)
            co_await taking.suspend();
        taking.throw_if_failed();
        if (taking.is_cancelled())
            throw asio::system_error(asio::error::operation_aborted, "agdf::Semaphore::acquire");
        taking.message->arrive();
        co_return Permit{self};
    }

    [[nodiscard]] bool try_take() override
    {
        Taking taking{channel_};
        if (channel_.try_get(taking) != Got::item)
            return false;
        taking.message->arrive();
        return true;
    }

    void give_back() noexcept override
    {
        if (!is_going_)
            put_back();  // there is a place for each permit
    }

    [[nodiscard]] std::size_t permits() const noexcept override { return channel_.capacity(); }
    [[nodiscard]] std::size_t available() const noexcept override { return channel_.size(); }
    [[nodiscard]] std::size_t waiting() noexcept override { return channel_.waiting_receivers(); }

private:
    using Taking = ReceiveOperation<Item>;

    void put_back()
    {
        Item token{*this};
        (void)channel_.try_put(token);
    }

    bool is_going_ = true;  // or not there yet; outlives the channel and its tokens
    ChannelCore<Item> channel_;
};

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
    Semaphore() = default;

    /// Makes one with so many permits, all of them free.
    ///
    /// Errors: throws GraphError unless there are from 1 to 1,000,000.
    template <class Token = detail::Token>
    explicit Semaphore(std::size_t permits) : state_(std::make_shared<detail::LimitedSemaphore<Token>>(checked(permits)))
    {
    }

    /// Waits until a permit is free and takes it; those who wait are served in the order in which they came, and nobody
    /// who comes later overtakes them.
    [[nodiscard]] asio::awaitable<Permit> acquire() const { return state_ ? state_->acquire(state_) : no_permit(); }

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
    static constexpr std::size_t most = 1'000'000;

    template <class = void>
    static std::size_t checked(std::size_t permits)
    {
        if (permits == 0 || permits > most)
            throw GraphError(fmt::format("agdf::Semaphore: the number of permits is {}. Expected: from 1 to {}. Pass such a "
                                         "number, or take agdf::Semaphore{{}} for no limit.",
                                         permits, most));
        return permits;
    }

    // GCC makes code of each coroutine that is no template, used or not.
    template <class = void>
    static asio::awaitable<Permit> no_permit()
    {
        co_return Permit{};
    }

    std::shared_ptr<detail::SemaphoreState> state_;
};

}  // namespace agdf
