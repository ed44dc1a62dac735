#pragma once

// Floor 2: a coroutine that waits in a channel, on whatever executor it runs.

#include <agdf/detail/channel_core.hpp>
#include <agdf/detail/lane.hpp>
#include <agdf/detail/shutdown.hpp>
#include <agdf/detail/timer.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace agdf::detail {

/// Where an operation and its timer meet. The timer's handler may come after the operation's frame has gone, or, on
/// another thread, before the operation waits.
struct Meeting {
    std::mutex mutex;
    bool is_late = false;
    bool is_over = false;
};

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
        if (withdraw()) {
            timed_out_ = true;
            resume();
        }
    }

    void meet(std::shared_ptr<Meeting> meeting) noexcept { meeting_ = std::move(meeting); }

    [[nodiscard]] bool has_timed_out() const noexcept { return timed_out_; }
    [[nodiscard]] bool is_cancelled() const noexcept { return cancelled_; }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    /// Throws what the item or its queue threw.
    void throw_if_failed() const
    {
        if (error_)
            std::rethrow_exception(error_);
    }

    void wake() noexcept final { resume(); }

    void abandon() noexcept final
    {
        forget_channel();
        ShutdownService* const service = service_;
        Sleeper::abandon();  // and with the coroutine this operation
        service->woken();
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
        service_->expect_wake();
        const auto meeting = meeting_;
        if (!meeting) {
            if (try_start())
                resume();
            return;
        }
        const std::lock_guard lock{meeting->mutex};  // holds up the end of the Deadline, and so of this operation
        if (try_start())
            resume();
        else if (meeting->is_late)
            time_out();
    }

    /// Whether the operation is over; also if it has failed, since nobody expects an exception of the waiting itself.
    bool try_start() noexcept
    {
        try {
            return start(*channel_.load(std::memory_order_relaxed));
        } catch (...) {
            error_ = std::current_exception();
            return true;
        }
    }

    void on_cancel(asio::cancellation_type) final
    {
        if (withdraw()) {
            cancelled_ = true;
            resume();
        }
    }

    void context_is_going() noexcept final
    {
        if (withdraw())
            abandon();
    }

    [[nodiscard]] bool withdraw() noexcept
    {
        ++withdrawing_;
        ChannelCore<M>* const channel = channel_.load();
        const bool is_withdrawn = channel && channel->withdraw(*this);
        --withdrawing_;
        return is_withdrawn;
    }

    /// It has been served, or given up: from here on the channel may go, whether or not the coroutine has been resumed. One who
    /// is about to withdraw in vain on another thread still looks into it: either that one sees this, or this sees that one.
    void forget_channel() noexcept
    {
        channel_.store(nullptr);
        while (withdrawing_.load() > 0)
            std::this_thread::yield();
    }

    void resume() noexcept
    {
        forget_channel();
        ShutdownService* const service = service_;
        asio::post(this->take_handler());  // which may end the coroutine, and with it this operation, on another thread
        service->woken();
    }

    std::atomic<ChannelCore<M>*> channel_;  // the one who serves may be on another thread than the one who cancels
    std::atomic<int> withdrawing_{0};  // a time-out and a cancellation may do so at once
    ShutdownService* service_ = nullptr;
    std::shared_ptr<Meeting> meeting_;
    std::exception_ptr error_;
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

/// Ends an operation at a point in time. It is made after the operation and goes before it.
template <class Operation>
class Deadline {
public:
    Deadline(const asio::any_io_executor& executor, std::chrono::steady_clock::duration timeout, Operation& operation)
        : timer_(executor), meeting_(std::make_shared<Meeting>())
    {
        operation.meet(meeting_);
        timer_.expires_after(timeout);
        timer_.call_when_over([meeting = meeting_, &operation] {
            const std::lock_guard lock{meeting->mutex};
            if (meeting->is_over)
                return;
            meeting->is_late = true;
            operation.time_out();
        });
    }
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    ~Deadline()
    {
        const std::lock_guard lock{meeting_->mutex};
        meeting_->is_over = true;
    }

private:
    Timer timer_;
    std::shared_ptr<Meeting> meeting_;
};

}  // namespace agdf::detail
