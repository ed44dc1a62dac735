#pragma once

// Floor 2: a coroutine that waits in a channel, on whatever executor it runs.

#include <agdf/detail/channel_core.hpp>
#include <agdf/detail/lane.hpp>
#include <agdf/detail/shutdown.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

namespace agdf::detail {

/// What sends and receives have in common. It lives in the frame of the coroutine that waits.
///
/// Resumes: by a post to the coroutine's own executor.
template <class M, class Operation>
class ChannelOperation : public Operation, public Sleeper, private ShutdownHook {
public:
    explicit ChannelOperation(ChannelCore<M>& channel) noexcept : channel_(&channel) {}
    ~ChannelOperation()
    {
        if (service_)
            service_->remove(*this);
    }

    /// Ends the wait because its time is over; without effect if it is finished.
    void time_out() noexcept
    {
        if (channel_ && channel_->withdraw(*this)) {
            timed_out_ = true;
            resume();
        }
    }

    [[nodiscard]] bool has_timed_out() const noexcept { return timed_out_; }
    [[nodiscard]] bool is_cancelled() const noexcept { return cancelled_; }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

    void wake() noexcept final { resume(); }

    void abandon() noexcept final
    {
        channel_ = nullptr;
        Sleeper::abandon();
    }

protected:
    /// Tries the operation once more, now that it may wait.
    virtual bool start(ChannelCore<M>& channel) = 0;

    void close() noexcept { closed_ = true; }

private:
    void on_suspended() final
    {
        auto& context = asio::query(executor(), asio::execution::context);
        service_ = &asio::use_service<ShutdownService>(context);
        service_->add(*this);
        if (start(*channel_))
            resume();
    }

    void on_cancel(asio::cancellation_type) final
    {
        if (channel_ && channel_->withdraw(*this)) {
            cancelled_ = true;
            resume();
        }
    }

    void context_is_going() noexcept final
    {
        if (channel_ && channel_->withdraw(*this))
            abandon();
    }

    void resume() noexcept { asio::post(this->take_handler()); }

    ChannelCore<M>* channel_;
    ShutdownService* service_ = nullptr;
    bool cancelled_ = false;
    bool timed_out_ = false;
    bool closed_ = false;
};

template <class M>
class ReceiveOperation final : public ChannelOperation<M, Getting<M>> {
public:
    using ChannelOperation<M, Getting<M>>::ChannelOperation;

private:
    bool start(ChannelCore<M>& channel) final { return channel.get(*this) != Got::waiting; }
};

template <class M>
class SendOperation final : public ChannelOperation<M, Putting<M>> {
public:
    using ChannelOperation<M, Putting<M>>::ChannelOperation;

private:
    bool start(ChannelCore<M>& channel) final { return channel.put(*this) != Put::waiting; }
};

/// Ends an operation at a point in time. The timer's handler may come after the operation's frame has gone, so the
/// two meet in a small shared state.
template <class Operation>
class Deadline {
public:
    Deadline(const asio::any_io_executor& executor, std::chrono::steady_clock::duration timeout, Operation& operation)
        : timer_(executor, timeout), meeting_(std::make_shared<Meeting>())
    {
        meeting_->operation = &operation;
        timer_.async_wait([meeting = meeting_](const asio::error_code& error) {
            const std::lock_guard lock{meeting->mutex};
            if (!error && meeting->operation)
                meeting->operation->time_out();
        });
    }
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    ~Deadline()
    {
        const std::lock_guard lock{meeting_->mutex};
        meeting_->operation = nullptr;
    }

private:
    struct Meeting {
        std::mutex mutex;
        Operation* operation = nullptr;
    };

    asio::steady_timer timer_;
    std::shared_ptr<Meeting> meeting_;
};

}  // namespace agdf::detail
