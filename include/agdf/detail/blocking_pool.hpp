#pragma once

// Floor 2: the threads for calls that block.

#include <agdf/detail/asio.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace agdf::detail {

/// What a thread of the pool shall do.
class BlockingJob {
public:
    virtual void run_in_pool() = 0;

protected:
    BlockingJob() = default;
    BlockingJob(const BlockingJob&) = delete;
    BlockingJob& operator=(const BlockingJob&) = delete;
    virtual ~BlockingJob() = default;
};

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
    explicit BlockingPool(std::size_t limit);
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;
    ~BlockingPool();

    /// Runs a job on a thread of the pool, unless the pool is stopped before its turn.
    void submit(std::shared_ptr<BlockingJob> job);

    /// Says that there are such who may submit jobs, whoever has ended before.
    void submitters_begin() noexcept { unneeded_ = 0; }

    /// Says that somebody who may have submitted jobs will not any more: then one thread, as soon as more than a few are idle, is
    /// not needed any more either. It ends while others still work, and not when somebody waits for the graph to be destroyed.
    void submitter_ended() noexcept;

    /// Ends the idle threads now and the busy ones after their job, without waiting for that.
    void stop() noexcept;

private:
    static constexpr std::chrono::microseconds patience{50};
    static constexpr std::size_t spare = 4;  // idle threads that stay: to start one in the next run takes as long as a short call

    struct Thread;

    void leave();
    void start_thread();
    void forget_those_who_left();
    void work();
    [[nodiscard]] bool start_job();
    void end_job();

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

    explicit BlockingService(asio::execution_context& context);

    /// Lets coroutines on a strand use a graph's pool, until `remove`.
    void add(const asio::any_io_executor& strand, std::shared_ptr<BlockingPool> pool);

    void remove(const std::shared_ptr<BlockingPool>& pool) noexcept;

    [[nodiscard]] std::shared_ptr<BlockingPool> pool_of(const asio::any_io_executor& executor) const;

private:
    AGDF_DECL void shutdown() noexcept override;

    const std::shared_ptr<BlockingPool> own_pool_;
    mutable std::mutex mutex_;
    std::vector<std::pair<asio::any_io_executor, std::shared_ptr<BlockingPool>>> pools_;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/blocking_pool.ipp>
#endif
