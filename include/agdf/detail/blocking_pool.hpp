#pragma once

// Floor 2: the threads for calls that block.

#include <agdf/detail/asio.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace agdf::detail {

/// Threads that run jobs one after the other; they are started when there is work for them, up to a limit, and leave when
/// those who brought the work have ended. Each graph has a pool of its own, so that its bound holds whoever else is on its
/// context.
///
/// It is Asio's own scheduler underneath. asio::thread_pool is not used since it starts all its threads at once and
/// its destructor waits for jobs that may block for ever.
///
/// Thread-safety: safe.
class AGDF_ONE_IN_PROGRAM BlockingPool : public std::enable_shared_from_this<BlockingPool> {
public:
    explicit BlockingPool(std::size_t limit) : work_(asio::make_work_guard(jobs_)), limit_(limit) {}
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;
    ~BlockingPool() = default;

    /// Runs a job on a thread of the pool, unless the pool is stopped before its turn.
    template <class Job>
    void submit(Job job)
    {
        asio::post(jobs_, [this, job = std::move(job)]() mutable {
            {
                auto mine = std::move(job);  // dies before the thread counts as free again
                if (start_job())
                    mine();
            }
            end_job();
        });
        const std::size_t wanted = ++wanted_;
        const std::size_t started = started_;
        if (wanted > started && started < limit_)
            start_thread();
    }

    /// Says that there are such who may submit jobs, whoever has ended before.
    void submitters_begin() noexcept { unneeded_ = 0; }

    /// Says that somebody who may have submitted jobs will not any more: then one thread, as soon as more than a few are idle, is
    /// not needed any more either. It ends while others still work, and not when somebody waits for the graph to be destroyed.
    void submitter_ended() noexcept
    {
        if (started_ <= unneeded_ + spare)
            return;
        ++unneeded_;
        try {
            asio::post(jobs_, [this] { leave(); });
        } catch (...) {  // without memory it goes after its next job
        }
    }

    /// Ends the idle threads now and the busy ones after their job, without waiting for that.
    void stop() noexcept
    {
        std::vector<std::shared_ptr<Thread>> threads;
        {
            const std::lock_guard lock{mutex_};
            stopped_ = true;
            threads.swap(threads_);
        }
        for (const auto& thread : threads)
            if (thread->busy)
                thread->handle.detach();
        work_.reset();
        jobs_.stop();
        for (const auto& thread : threads)
            if (thread->handle.joinable())
                thread->handle.join();
    }

private:
    static constexpr std::chrono::microseconds patience{50};
    static constexpr std::size_t spare = 4;  // idle threads that stay: to start one in the next run takes as long as a short call

    struct Thread {
        std::thread handle;
        std::atomic<bool> busy{false};
        bool has_left = false;
    };

    /// Takes the calling thread out of the pool, if that has enough without it. Whoever submits a job says so and then looks how
    /// many threads there are; who leaves says so and then looks for jobs: one of them sees the other.
    void leave()
    {
        const std::lock_guard lock{mutex_};
        if (stopped_ || unneeded_ == 0 || started_ <= wanted_ + spare)
            return;
        --started_;
        if (wanted_ > started_) {
            ++started_;
            return;
        }
        --unneeded_;
        own_thread()->has_left = true;
    }

    void start_thread()
    {
        const std::lock_guard lock{mutex_};
        if (stopped_ || started_ >= limit_)
            return;
        forget_those_who_left();
        const auto thread = threads_.emplace_back(std::make_shared<Thread>());
        try {
            thread->handle = std::thread([pool = shared_from_this(), thread] {
                own_thread() = thread.get();
                pool->work();
            });
            ++started_;
        } catch (const std::system_error& error) {
            threads_.pop_back();
            if (threads_.empty())  // with fewer threads than allowed the job only waits longer
                throw std::system_error(error.code(), "agdf::run_blocking: no thread could be started for the blocking pool. Expected: "
                                                      "at least one. Raise the limit of threads (ulimit -u), or try again later");
        } catch (...) {
            threads_.pop_back();
            if (threads_.empty())
                throw;
        }
    }

    void forget_those_who_left()
    {
        for (const auto& thread : threads_)
            if (thread->has_left)
                thread->handle.join();  // it needs no lock of ours to end
        std::erase_if(threads_, [](const auto& thread) { return thread->has_left; });
    }

    // Who ends a call is mostly followed by the next one: its result wakes a worker, which takes an item and calls again. A
    // thread that waits for that awake saves itself, and those who call, a sleep and a wake, which are most of a short
    // call's cost; and it gives its processor to whoever has more to do.
    void work()
    {
        using Clock = std::chrono::steady_clock;
        const bool& has_left = own_thread()->has_left;
        while (!has_left && jobs_.run_one() > 0)
            for (auto end = Clock::now() + patience; !has_left && Clock::now() < end && !jobs_.stopped();) {
                if (jobs_.poll_one() > 0)
                    end = Clock::now() + patience;
                else
                    std::this_thread::yield();
            }
    }

    // No lock, since others may hold it while they start a thread, which takes its time. Who is to stop the pool says so and
    // then looks who is busy; who has a job says so and then looks whether the pool is stopped: one of them sees the other.
    bool start_job()
    {
        own_thread()->busy = true;
        return !stopped_;
    }

    void end_job()
    {
        --wanted_;
        own_thread()->busy = false;
        if (unneeded_ > 0)
            leave();
    }

    AGDF_NOINLINE static Thread*& own_thread()
    {
        thread_local Thread* thread = nullptr;
        return thread;
    }

    asio::io_context jobs_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    const std::size_t limit_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<Thread>> threads_;
    std::atomic<std::size_t> started_{0};
    std::atomic<std::size_t> wanted_{0};    // jobs that wait or run
    std::atomic<std::size_t> unneeded_{0};  // threads that may leave
    std::atomic<bool> stopped_{false};
};

/// Which pool a coroutine uses: that of the graph on whose strand it runs, else one of its execution context.
///
/// Thread-safety: safe.
class AGDF_ONE_IN_PROGRAM BlockingService : public asio::execution_context::service {
public:
    using key_type = BlockingService;
    inline static asio::execution_context::id id;

    static constexpr std::size_t default_threads = 32;

    explicit BlockingService(asio::execution_context& context)
        : asio::execution_context::service(context), own_pool_(std::make_shared<BlockingPool>(default_threads))
    {
    }

    /// Lets coroutines on a strand use a graph's pool, until `remove`.
    void add(const asio::any_io_executor& strand, std::shared_ptr<BlockingPool> pool)
    {
        const std::lock_guard lock{mutex_};
        pools_.emplace_back(strand, std::move(pool));
    }

    void remove(const std::shared_ptr<BlockingPool>& pool) noexcept
    {
        const std::lock_guard lock{mutex_};
        std::erase_if(pools_, [&](const auto& entry) { return entry.second == pool; });
    }

    [[nodiscard]] std::shared_ptr<BlockingPool> pool_of(const asio::any_io_executor& executor) const
    {
        const std::lock_guard lock{mutex_};
        for (const auto& [strand, pool] : pools_)
            if (strand == executor)
                return pool;
        return own_pool_;
    }

private:
    void shutdown() noexcept override
    {
        own_pool_->stop();
        pools_.clear();
    }

    const std::shared_ptr<BlockingPool> own_pool_;
    mutable std::mutex mutex_;
    std::vector<std::pair<asio::any_io_executor, std::shared_ptr<BlockingPool>>> pools_;
};

}  // namespace agdf::detail
