#pragma once

// Floor 3: what all workers have in common.

#include <agdf/detail/counter.hpp>
#include <agdf/detail/lane.hpp>
#include <agdf/detail/run_state.hpp>
#include <agdf/detail/worker_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

namespace agdf::detail {

class NodeRun;

/// What all workers have in common: a strand, a way to be cancelled, counters and a turn.
class WorkerBase : public Sleeper {
public:
    WorkerBase(RunState& run, NodeRun& node, Lane& lane) noexcept;
    AGDF_DECL virtual ~WorkerBase();

    /// The worker's coroutine.
    [[nodiscard]] virtual asio::awaitable<void> work() = 0;
    [[nodiscard]] Lane& lane() noexcept { return lane_; }
    [[nodiscard]] asio::cancellation_signal& signal() noexcept { return signal_; }
    [[nodiscard]] WorkerClock& clock() noexcept { return clock_; }

    /// Puts the sleeping worker into its strand's run queue.
    void wake_up() { lane_.schedule(*this); }

    void count_out() noexcept { out_.add(); }
    [[nodiscard]] Counter& out_counter() noexcept { return out_; }
    void count_error() noexcept { err_.add(); }
    void count_retried() noexcept { retried_.add(); }
    void count_undelivered(std::uint64_t n = 1) noexcept { undelivered_.add(n); }

    void add_to(NodeStats& stats) const noexcept;

    /// Uses up one step of the turn; false when it is over. A turn bounds how long others on the strand must wait.
    [[nodiscard]] bool has_turn() noexcept { return --credit_ > 0; }
    [[nodiscard]] std::size_t credit() const noexcept { return credit_ > 0 ? static_cast<std::size_t>(credit_) : 0; }
    void use_credit(std::size_t steps) noexcept { credit_ -= static_cast<int>(steps); }
    [[nodiscard]] bool is_turn_over() const noexcept { return credit_ <= 0; }

    [[nodiscard]] bool is_cut_short() const noexcept { return run_.is_discarding() || (is_source_ && run_.is_stopping()); }
    [[nodiscard]] bool is_discarding() const noexcept { return run_.is_discarding(); }
    [[nodiscard]] bool is_stopping() const noexcept { return run_.is_stopping(); }
    /// Whether there is nothing of the run's to be looked at before the next item or output.
    [[nodiscard]] AGDF_ALWAYS_INLINE bool is_undisturbed() const noexcept
    {
        return run_.is_undisturbed() || !is_disturbed();
    }
    [[nodiscard]] const std::atomic<unsigned char>& disturbances() const noexcept { return run_.disturbances(); }
    [[nodiscard]] bool must_pause() const noexcept { return run_.is_paused(); }
    [[nodiscard]] NodeRun& node() noexcept { return node_; }

    void be_source() noexcept { is_source_ = true; }
    [[nodiscard]] bool is_source() const noexcept { return is_source_; }

    /// The run drains, and this worker goes on: waits of ours that only pass time end. On the worker's strand.
    virtual void on_drain() noexcept {}
    /// The run is not paused any more. On the worker's strand.
    void on_resume();

    /// Deals with an error of an item.
    virtual void fail(const std::exception_ptr& error) = 0;
    /// Whether the body goes on although an edge threw at an output of it, which is lost then.
    [[nodiscard]] virtual bool outlives_edge_errors() const noexcept { return false; }
    /// Gives up the item in hand, if it is one.
    virtual void lose_item() noexcept = 0;
    /// Whether the worker has to sleep until its edges have room.
    [[nodiscard]] virtual bool must_wait() = 0;
    /// The run's context goes: destroys the coroutine, if it sleeps in a queue of ours.
    AGDF_DECL virtual void abandon_all() noexcept;

    /// Sleeps until `wake_up`; it counts as `state` meanwhile.
    [[nodiscard]] asio::awaitable<void> wait(WorkerClock::State state);

    /// Sleeps until the run goes on.
    [[nodiscard]] asio::awaitable<void> pause();

    /// Notes what the worker does from now on.
    void begin(WorkerClock::State state) noexcept { begin_at(state, lane_.read_clock()); }

    /// Gives the strand to the others: sleep after this.
    void end_turn();

    /// Makes the worker's coroutine take the cancellations that end things, as Asio's coroutines do at first. Bodies run in that
    /// coroutine, and one may have changed it, to finish something undisturbed; that must not outlast its item.
    [[nodiscard]] asio::awaitable<void> reset_cancellation();

protected:
    AGDF_DECL void run() override;

    /// The lane has called, right after somebody else went to sleep.
    void be_woken() noexcept { begin_at(WorkerClock::busy, lane_.last_reading()); }

    void be_paused() noexcept;

    enum class Filter : unsigned char {
        initial,  ///< what coroutines have
        own,      ///< the same, but it tells when it is replaced
        replaced  ///< by a body
    };
    [[nodiscard]] Filter filter() const noexcept { return filter_; }

    RunState& run_;
    NodeRun& node_;
    Lane& lane_;
    Counter out_;
    Counter err_;
    Counter retried_;
    Counter undelivered_;

private:
    [[nodiscard]] AGDF_NOINLINE bool is_disturbed() const noexcept { return is_cut_short() || must_pause(); }

    void begin_at(WorkerClock::State state, WorkerClock::Clock::time_point now) noexcept
    {
        clock_.change(state, now);
        if (state == WorkerClock::busy) {
            resumed_at_ = now;
            credit_ = turn_;
        }
    }

    /// Lets through what ends things. It is in the coroutine's cancellation state until somebody puts another one there.
    class OwnFilter {
    public:
        explicit OwnFilter(Filter& filter) noexcept : filter_(&filter) {}
        OwnFilter(OwnFilter&& other) noexcept : filter_(std::exchange(other.filter_, nullptr)) {}
        OwnFilter& operator=(OwnFilter&&) = delete;
        ~OwnFilter()
        {
            if (filter_)
                *filter_ = Filter::replaced;
        }
        asio::cancellation_type operator()(asio::cancellation_type type) const noexcept { return type & asio::cancellation_type::terminal; }

    private:
        Filter* filter_;
    };

    WorkerClock clock_;
    WorkerClock::Clock::time_point resumed_at_{};
    int turn_ = 16;
    int credit_ = 16;
    bool is_source_ = false;
    bool is_paused_ = false;
    Filter filter_ = Filter::initial;
    asio::cancellation_signal signal_;  // may own an OwnFilter, which refers to what stands before
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/worker_base.ipp>
#endif
