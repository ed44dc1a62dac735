#pragma once

// Floor 2: the sleeps of an execution context, all of them behind one timer of Asio's.

#include <agdf/detail/executor_target.hpp>
#include <agdf/detail/sleep_queue.hpp>

#include <cstddef>
#include <utility>

namespace agdf::detail {

/// Sleeps that are over, on the way to the executor that they share.
class SleepBatch {
public:
    /// Takes the first ones out of a list: many for a strand, which resumes one at a time anyway, and else one, which may
    /// then go on beside the next.
    explicit SleepBatch(Sleep*& list) noexcept : first_(list)
    {
        Sleep* last = first_;
        if (is_strand(first_->executor_))
            while (last->next_ && last->next_->executor_ == first_->executor_)
                last = last->next_;
        list = std::exchange(last->next_, nullptr);
    }
    SleepBatch(SleepBatch&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
    SleepBatch& operator=(SleepBatch&&) = delete;
    ~SleepBatch()
    {
        while (first_)
            take()->abandon();
    }

    // Without memory it ends the program, as Lane does and for its reason.
    static void post(SleepBatch batch) noexcept
    {
        const asio::any_io_executor executor = batch.first_->executor_;
        asio::post(executor, std::move(batch));
    }

    void operator()()
    {
        try {
            const auto end = std::chrono::steady_clock::now() + slice;
            do {
                for (std::size_t left = between_looks_at_the_clock; first_ && left > 0; --left)
                    take()->run();
            } while (first_ && std::chrono::steady_clock::now() < end);
        } catch (...) {  // out of a completion handler of the user's: the others go on
            go_on_later();
            throw;
        }
        go_on_later();
    }

private:
    // As long as a lane's, and for its reason. Each time that Asio gets its turn it may find a sleep that is due, and set
    // its timer anew.
    static constexpr std::chrono::microseconds slice{500};
    static constexpr std::size_t between_looks_at_the_clock = 32;

    [[nodiscard]] static bool is_strand(const asio::any_io_executor& executor) noexcept
    {
        return target_of<asio::strand<asio::any_io_executor>>(executor) || target_of<asio::strand<asio::io_context::executor_type>>(executor);
    }

    void go_on_later() noexcept
    {
        if (first_)
            post(std::move(*this));
    }

    [[nodiscard]] Sleep* take() noexcept
    {
        Sleep* const sleep = first_;
        first_ = std::exchange(sleep->next_, nullptr);
        return sleep;
    }

    Sleep* first_;
};

AGDF_DECL void SleepQueue::add(Sleep& sleep, time_point deadline)
{
    const std::lock_guard lock{mutex_};
    if (!timer_)  // it stays, and must not count as work for that, as the executor of who sleeps first may do
        timer_.emplace(asio::prefer(sleep.executor_, asio::execution::outstanding_work.untracked));
    if (!is_armed_) {
        arm(deadline);
    } else if (deadline < armed_for_) {
        armed_for_ = deadline;
        timer_->cancel();  // and so armed again
    }
    sleep.place_ = sleeps_.emplace_hint(sleeps_.end(), deadline, &sleep);
    sleep.is_queued_ = true;
}

AGDF_DECL void SleepQueue::end_early(Sleep& sleep) noexcept
{
    const std::lock_guard lock{mutex_};
    if (!sleep.is_queued_)
        return;
    sleep.was_cancelled_ = true;
    auto node = sleeps_.extract(sleep.place_);
    node.key() = time_point::min();
    sleep.place_ = sleeps_.insert(std::move(node));
    timer_->cancel();
}

AGDF_DECL void SleepQueue::remove(Sleep& sleep) noexcept
{
    const std::lock_guard lock{mutex_};
    if (std::exchange(sleep.is_queued_, false))
        sleeps_.erase(sleep.place_);
}

AGDF_DECL void SleepQueue::arm(time_point deadline)
{
    timer_->expires_at(deadline);
    timer_->async_wait(Wake{this});
    armed_for_ = deadline;
    is_armed_ = true;
}

AGDF_DECL Sleep* SleepQueue::take_first()
{
    Sleep* const sleep = sleeps_.begin()->second;
    sleeps_.erase(sleeps_.begin());
    sleep->is_queued_ = false;
    return sleep;
}

AGDF_DECL Sleep* SleepQueue::take_due()
{
    const time_point now = std::chrono::steady_clock::now();
    Sleep* first = nullptr;
    Sleep** end = &first;
    while (!sleeps_.empty() && sleeps_.begin()->first <= now) {
        // One that another thread is still about to suspend is looked at again, as soon as Asio comes round.
        if (!sleeps_.begin()->second->is_asleep_.load(std::memory_order_acquire))
            break;
        *end = take_first();
        end = &(*end)->next_;
    }
    return first;
}

AGDF_DECL void SleepQueue::wake_due() noexcept
{
    Sleep* due = nullptr;
    {
        const std::lock_guard lock{mutex_};
        is_armed_ = false;
        due = take_due();
        if (!sleeps_.empty())
            arm(sleeps_.begin()->first);
    }
    while (due)
        SleepBatch::post(SleepBatch{due});
}

AGDF_DECL void SleepQueue::abandon() noexcept
{
    for (;;) {
        Sleep* sleep = nullptr;
        {
            const std::lock_guard lock{mutex_};
            if (sleeps_.empty())
                break;
            sleep = take_first();
        }
        sleep->abandon();
    }
    timer_.reset();
}

AGDF_DECL Sleep::Sleep(SleepQueue& queue, asio::any_io_executor executor, SleepQueue::time_point deadline)
    : queue_(queue), executor_(std::move(executor))
{
    queue_.add(*this, deadline);
}

AGDF_DECL Sleep::~Sleep()
{
    if (is_queued_)  // it was not suspended after all
        queue_.remove(*this);
}

AGDF_DECL void Sleep::on_cancel(asio::cancellation_type type)
{
    if (type != asio::cancellation_type::none)
        queue_.end_early(*this);
}

}  // namespace agdf::detail
