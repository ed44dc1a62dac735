#pragma once

// Floor 2: how many may do something at the same time.

#include <agdf/detail/channel_operation.hpp>
#include <agdf/detail/fmt.hpp>
#include <agdf/error.hpp>
#include <agdf/semaphore.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace agdf {

AGDF_DECL Semaphore::Semaphore() = default;
AGDF_DECL Semaphore::Semaphore(const Semaphore&) = default;
AGDF_DECL Semaphore::Semaphore(Semaphore&&) noexcept = default;
AGDF_DECL Semaphore& Semaphore::operator=(const Semaphore&) = default;
AGDF_DECL Semaphore& Semaphore::operator=(Semaphore&&) noexcept = default;
AGDF_DECL Semaphore::~Semaphore() = default;

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
    explicit LimitedSemaphore(std::size_t permits) : channel_(permits, Refill::first_place, Sharing::many_strands)
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

template <class Item>
std::shared_ptr<SemaphoreState> make_semaphore(std::size_t permits)
{
    constexpr std::size_t most = 1'000'000;
    if (permits == 0 || permits > most)
        throw GraphError(fmt::format("agdf::Semaphore: the number of permits is {}. Expected: from 1 to {}. Pass such a "
                                     "number, or take agdf::Semaphore{{}} for no limit.",
                                     permits, most));
    return std::make_shared<LimitedSemaphore<Item>>(permits);
}

template <class Permit>
asio::awaitable<Permit> no_permit()
{
    co_return Permit{};
}

}  // namespace detail

}  // namespace agdf
