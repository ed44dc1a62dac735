#pragma once

// Floor 5: running an io_context until one particular thing is done, not until it is out of work.

#include <agdf/detail/post.hpp>
#include <agdf/detail/timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace agdf::detail {

/// The threads that run a context for the sake of one run.
///
/// Thread-safety: safe.
class Drivers : public std::enable_shared_from_this<Drivers> {
public:
    /// Says that the run has ended, and sees to it that threads which sleep in the context notice.
    void finish(asio::io_context* io)
    {
        {
            const std::lock_guard lock{mutex_};
            finished_ = true;
        }
        changed_.notify_all();
        if (io)
            nudge(*io);
    }

    /// Waits for `finish`, for a context that others run.
    void wait()
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return finished_.load(); });
    }

    /// Runs the context on `threads` threads, this one included, until `finish`. If somebody stops the context,
    /// `on_stopped` is called once and it is run on, since a run has to end one way or another. `on_fewer_threads` is
    /// called if that many could be started only, and why.
    ///
    /// Errors: throws what a foreign handler throws in any of the threads.
    void drive(asio::io_context& io, std::size_t threads, const std::function<void()>& on_stopped,
               const std::function<void(std::size_t, const std::exception&)>& on_fewer_threads)
    {
        std::exception_ptr error;
        {
            std::vector<std::thread> helpers;
            const Join join{helpers};
            try {
                reserve(threads);
                helpers.reserve(threads - 1);
                for (std::size_t i = 1; i < threads; ++i)
                    helpers.emplace_back([this, &io, &error] { run_until_finished(io, error); });
            } catch (const std::exception& reason) {  // with fewer threads it only takes longer
                on_fewer_threads(helpers.size() + 1, reason);
            }
            run_until_finished(io, error);
        }
        if (error)
            std::rethrow_exception(error);
        if (finished_)
            return;
        on_stopped();
        while (!finished_) {  // however often it is stopped
            io.restart();
            run_until_finished(io, error);
            if (error)
                std::rethrow_exception(error);
        }
        io.stop();  // as somebody wanted it, and others who run it may wait for it
    }

private:
    struct Join {
        std::vector<std::thread>& threads;
        ~Join()
        {
            for (std::thread& thread : threads)
                thread.join();
        }
    };

    void run_until_finished(asio::io_context& io, std::exception_ptr& error)
    {
        enter();
        try {
            while (!finished_ && !failed_)
                if (io.run_one() == 0)
                    break;
        } catch (...) {
            const std::lock_guard lock{mutex_};
            if (!failed_.exchange(true))
                error = std::current_exception();
        }
        if (leave() > 0 && (finished_ || failed_))
            nudge(io);
    }

    /// Wakes one thread that sleeps in the context. It may be one of the user's own, which sleeps on for other reasons:
    /// then it is tried again a little later.
    void nudge(asio::io_context& io) noexcept
    {
        try {
            post_nudge(io);
        } catch (...) {  // without memory for it all are woken
            io.stop();
        }
    }

    void post_nudge(asio::io_context& io)
    {
        post_call(io.get_executor(), [self = shared_from_this(), &io] {
            if (!self->has_sleepers())
                return;
            auto timer = std::make_shared<asio::steady_timer>(asio::any_io_executor(io.get_executor()));
            timer->expires_after(std::chrono::milliseconds(1));
            timer->async_wait(CallWhenOver{timer->get_executor(), [self, &io, timer] { self->nudge(io); }});
        });
    }

    /// So that to enter needs no memory.
    void reserve(std::size_t threads)
    {
        const std::lock_guard lock{mutex_};  // on a context that others run, the run may have ended already
        drivers_.reserve(threads);
    }

    void enter()
    {
        const std::lock_guard lock{mutex_};
        drivers_.push_back(std::this_thread::get_id());
    }

    std::size_t leave()
    {
        const std::lock_guard lock{mutex_};
        std::erase(drivers_, std::this_thread::get_id());
        return drivers_.size();
    }

    /// Whether there are drivers left, and the calling thread is not the one that was to be woken.
    bool has_sleepers()
    {
        const std::lock_guard lock{mutex_};
        return !drivers_.empty() && std::find(drivers_.begin(), drivers_.end(), std::this_thread::get_id()) == drivers_.end();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::thread::id> drivers_;
    std::atomic<bool> finished_{false};
    std::atomic<bool> failed_{false};
};

}  // namespace agdf::detail
