#pragma once

// Floor 6: one execution of a graph.
//
// Who owns whom. Nothing points back except through a plain reference, which the arrow's owner keeps alive:
//
//      Graph ──► GraphCore ──► Run (only while it is under way)
//                               ▲ │
//      worker's frame ──────────┘ ├──► NodeRun ──► queue, workers ──► ports of the edges
//        (in Asio, or in a        └──► Lane ──► run queue
//         sleeping worker)
//
// A sleeping worker holds its own frame, and so the run; when the execution context goes, the run lets go of them.

#include <agdf/detail/graph_core.hpp>
#include <agdf/detail/post.hpp>
#include <agdf/detail/run_nodes.hpp>
#include <agdf/detail/run_control.hpp>
#include <agdf/detail/shutdown.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agdf::detail {

class Run final : public RunState, public RunControl, private ShutdownHook, public std::enable_shared_from_this<Run> {
public:
    Run(std::shared_ptr<GraphCore> core, const std::vector<Strand>& strands)
        : RunState(core->options()), core_(std::move(core)), nodes_(*this, core_->blueprint, strands)
    {
    }

    /// Puts the start items in their places.
    ///
    /// Errors: throws GraphError if the graph cannot run with them.
    void prepare(RunOptions options);

    AGDF_DECL void begin(std::unique_ptr<Completion>& completion) override;

    void stop() override
    {
        if (advance(Phase::stopping))
            interrupt();
    }

    AGDF_DECL void cancel() override;

    void pause() override { begin_pause(); }

    void resume() override
    {
        if (end_pause())
            post_to_lanes(&Run::resume_lane);
    }

    [[nodiscard]] bool is_paused() const override { return RunState::is_paused(); }

    void halt(NodeRun& node, const std::exception_ptr& error) override
    {
        if (advance_with(Phase::halted, node, error))
            interrupt();
    }

    void log(LogLevel level, std::string_view line) noexcept override
    {
        try {
            options().log(level, line);
        } catch (...) {  // a log that fails must not cost an item
        }
    }

    [[nodiscard]] std::vector<NodeStats> stats() const override { return nodes_.stats(); }
    [[nodiscard]] bool begins_by_itself(std::size_t node) override
    {
        return nodes_.spec(node).in().is_void && nodes_.node(node).worker(0).is_source();
    }

private:
    [[nodiscard]] const asio::any_io_executor& strand() const noexcept { return nodes_.lanes().front()->executor(); }

    void begin();

    /// Takes back what has been begun. Workers that Asio has already find out that the run is over.
    void give_up() noexcept;

    void end_watches()
    {
        if (signals_)
            signals_->end();
        if (stalls_)
            stalls_->end();
    }

    void watch()
    {
        add_watch(signals_, options_of_run_.stop_on_signals.watch(), options_of_run_.grace);
        add_watch(stalls_, options().stall_after.watch(), options().stall_after);
    }

    void add_watch(std::shared_ptr<Watch>& watch, MakeWatch make, std::chrono::steady_clock::duration time);

    /// Runs the setups in the order of the nodes; the first that fails halts the run before an item flows.
    asio::awaitable<void> set_up();
    void halt_setup(NodeRun& node, const std::exception_ptr& error) noexcept;

    void start_workers();
    void start_worker(WorkerBase& worker);

    // One type of handler for all coroutines of a run, and one for all posts, since each costs every program's build.
    using Ended = void (Run::*)(WorkerBase* worker, const std::exception_ptr& error);

    /// Asio destroys it without a call if it has no memory for a coroutine's begin or end: the run ends all the same.
    class OnEnd {
    public:
        OnEnd(std::shared_ptr<Run> run, Ended ended, WorkerBase* worker = nullptr) noexcept
            : run_(std::move(run)), ended_(ended), worker_(worker)
        {
        }
        OnEnd(OnEnd&&) = default;
        OnEnd& operator=(OnEnd&&) = delete;
        ~OnEnd()
        {
            if (run_ && run_->is_under_way_)
                run_->end_without_memory(*this);
        }
        void operator()(const std::exception_ptr& error)
        {
            const auto run = std::move(run_);
            (*run.*ended_)(worker_, error);
        }

    private:
        std::shared_ptr<Run> run_;
        Ended ended_;
        WorkerBase* worker_;
    };
    struct OnLane {
        std::shared_ptr<Run> run;
        void (Run::*function)(std::size_t lane);
        std::size_t lane;
        void operator()() const { (*run.*function)(lane); }
    };

    /// @param on_end  Made before the coroutine, so that it knows of it if that cannot be made.
    static void spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine, asio::cancellation_signal& signal, OnEnd&& on_end);
    static void end_without_memory(OnEnd& on_end) noexcept;

    /// Calls a function for each lane, on its strand.
    void post_to_lanes(void (Run::*function)(std::size_t lane))
    {
        for (std::size_t i = 0; i < nodes_.lanes().size(); ++i)
            post_call(nodes_.lanes()[i]->executor(), OnLane{shared_from_this(), function, i});
    }

    void setup_ended(WorkerBase*, const std::exception_ptr& error);

    /// Whose hook would come next, or the last one.
    [[nodiscard]] NodeRun& node_of_hook() noexcept { return nodes_.node(std::min(set_up_nodes_, nodes_.size() - 1)); }

    void worker_ended(WorkerBase* worker, const std::exception_ptr& error);

    /// Halts the run, with or without memory.
    ///
    /// @returns  Null, or why workers, who might wait for ever, could not be told.
    [[nodiscard]] std::exception_ptr halt_for_sure(NodeRun& node, const std::exception_ptr& error) noexcept;

    void note_teardown_error(NodeRun& node, const std::exception_ptr& error) noexcept;

    void teardown_ended(WorkerBase*, const std::exception_ptr& error)
    {
        if (error)  // it has parked those of the nodes
            note_teardown_error(node_of_hook(), error);
        report();
    }

    /// Cancels what the phase says shall not go on, and ends what only waits for time to pass.
    void interrupt();
    void interrupt_lane(std::size_t lane);

    void interrupt_teardown(std::size_t)
    {
        if (is_tearing_down_)
            teardown_signal_.emit(asio::cancellation_type::terminal);
    }

    /// A cancel must not reach the teardown that begins only because of it.
    void interrupt_earlier_teardown(std::size_t lane)
    {
        if (!is_torn_down_early_)
            interrupt_teardown(lane);
    }

    void resume_lane(std::size_t lane)
    {
        for (WorkerBase* const worker : nodes_.workers_on(lane))
            worker->on_resume();
    }

    void all_started(std::size_t) { (void)is_last_worker(); }

    /// One worker less: true if it was the last one, whose end has finished the run.
    bool is_last_worker()
    {
        const bool is_last = live_workers_.fetch_sub(1, std::memory_order_acq_rel) == 1;
        if (is_last)
            finish();
        return is_last;
    }

    void finish()
    {
        if (!nodes_.have_setup())
            return report();
        OnEnd on_end{shared_from_this(), &Run::teardown_ended};
        spawn(strand(), tear_down(), teardown_signal_, std::move(on_end));
    }

    /// Runs the teardowns of the nodes that were set up, in reverse order; a cancel ends the one under way.
    asio::awaitable<void> tear_down();

    void report();
    void report_to(Completion& completion);
    /// Logs which zips may have put together what does not belong together, since items were lost before them.
    void warn_of_gaps(const std::vector<NodeStats>& stats);
    [[nodiscard]] Outcome outcome() const noexcept;

    AGDF_DECL void context_is_going() noexcept override;

    const std::shared_ptr<GraphCore> core_;
    RunNodes nodes_;
    std::vector<ZipWays> zips_;  // as the graph was when the run was made
    RunOptions options_of_run_;
    std::unique_ptr<Completion> completion_;
    bool has_begun_ = false;
    std::atomic<bool> is_under_way_{false};
    std::shared_ptr<Watch> signals_;
    std::shared_ptr<Watch> stalls_;
    ShutdownService* hooks_ = nullptr;
    BlockingService* pools_ = nullptr;
    std::chrono::steady_clock::time_point began_{};
    std::atomic<std::size_t> live_workers_{0};
    std::atomic<bool> is_interrupt_lost_{false};
    asio::cancellation_signal setup_signal_, teardown_signal_;
    std::size_t set_up_nodes_ = 0;
    bool is_set_up_ = false;
    // A signal that comes before a coroutine has begun would keep it from that, or meet it half made on another thread.
    bool is_setting_up_ = false;
    std::atomic<bool> is_tearing_down_{false};
    bool is_torn_down_early_ = false;  // the run had been halted or cancelled before
};

}  // namespace agdf::detail
