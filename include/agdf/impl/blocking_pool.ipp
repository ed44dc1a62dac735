#pragma once

// Floor 2: the threads for calls that block.

#include <agdf/detail/blocking_pool.hpp>

#include <system_error>
#include <thread>

namespace agdf::detail {

struct BlockingPool::Thread {
    std::thread handle;
    std::atomic<bool> busy{false};
    bool has_left = false;
};

AGDF_DECL BlockingPool::BlockingPool(std::size_t limit) : work_(asio::make_work_guard(jobs_)), limit_(limit) {}

AGDF_DECL BlockingPool::~BlockingPool() = default;

AGDF_DECL void BlockingPool::submit(std::shared_ptr<BlockingJob> job)
{
    asio::post(jobs_, [this, job = std::move(job)]() mutable {
        {
            const auto mine = std::move(job);  // dies before the thread counts as free again
            if (start_job())
                mine->run_in_pool();
        }
        end_job();
    });
    const std::size_t wanted = ++wanted_;
    const std::size_t started = started_;
    if (wanted > started && started < limit_)
        start_thread();
}

AGDF_DECL void BlockingPool::submitter_ended() noexcept
{
    if (started_ <= unneeded_ + spare)
        return;
    ++unneeded_;
    try {
        asio::post(jobs_, [this] { leave(); });
    } catch (...) {  // without memory it goes after its next job
    }
}

AGDF_DECL void BlockingPool::stop() noexcept
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

// Takes the calling thread out of the pool, if that has enough without it. Whoever submits a job says so and then looks how
// many threads there are; who leaves says so and then looks for jobs: one of them sees the other.
AGDF_DECL void BlockingPool::leave()
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

AGDF_DECL void BlockingPool::start_thread()
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

AGDF_DECL void BlockingPool::forget_those_who_left()
{
    for (const auto& thread : threads_)
        if (thread->has_left)
            thread->handle.join();  // it needs no lock of ours to end
    std::erase_if(threads_, [](const auto& thread) { return thread->has_left; });
}

// Who ends a call is mostly followed by the next one: its result wakes a worker, which takes an item and calls again. A
// thread that waits for that awake saves itself, and those who call, a sleep and a wake, which are most of a short
// call's cost; and it gives its processor to whoever has more to do.
AGDF_DECL void BlockingPool::work()
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
AGDF_DECL bool BlockingPool::start_job()
{
    own_thread()->busy = true;
    return !stopped_;
}

AGDF_DECL void BlockingPool::end_job()
{
    --wanted_;
    own_thread()->busy = false;
    if (unneeded_ > 0)
        leave();
}

AGDF_DECL BlockingService::BlockingService(asio::execution_context& context)
    : asio::execution_context::service(context), own_pool_(std::make_shared<BlockingPool>(default_threads))
{
}

AGDF_DECL void BlockingService::add(const asio::any_io_executor& strand, std::shared_ptr<BlockingPool> pool)
{
    const std::lock_guard lock{mutex_};
    pools_.emplace_back(strand, std::move(pool));
}

AGDF_DECL void BlockingService::remove(const std::shared_ptr<BlockingPool>& pool) noexcept
{
    const std::lock_guard lock{mutex_};
    std::erase_if(pools_, [&](const auto& entry) { return entry.second == pool; });
}

AGDF_DECL std::shared_ptr<BlockingPool> BlockingService::pool_of(const asio::any_io_executor& executor) const
{
    const std::lock_guard lock{mutex_};
    for (const auto& [strand, pool] : pools_)
        if (strand == executor)
            return pool;
    return own_pool_;
}

AGDF_DECL void BlockingService::shutdown() noexcept
{
    own_pool_->stop();
    pools_.clear();
}

}  // namespace agdf::detail
