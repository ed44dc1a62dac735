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

#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace agdf::detail {

class Run final : public RunState, public RunControl, private ShutdownHook, public std::enable_shared_from_this<Run> {
public:
    Run(std::shared_ptr<GraphCore> core, const std::vector<asio::any_io_executor>& strands)
        : RunState(core->options()), core_(std::move(core)), nodes_(*this, core_->blueprint, strands)
    {
    }

    /// Puts the start items in their places.
    ///
    /// Errors: throws GraphError if the graph cannot run with them.
    void prepare(RunOptions options)
    {
        if (options.grace < options.grace.zero())
            throw GraphError("agdf::Graph::run: the option .grace is negative. Expected: a duration. Set it to how long a stop may take.");
        nodes_.start(options.start);
        options_of_run_ = std::move(options);
        options_of_run_.start.clear();
    }

    void begin(std::unique_ptr<Completion> completion) override
    {
        core_->check_idle();
        completion_ = std::move(completion);
        try {
            begin();
        } catch (...) {  // memory or descriptors have run out
            give_up();
            throw;
        }
    }

    void stop() override
    {
        if (advance(Phase::stopping))
            interrupt();
    }

    void cancel() override
    {
        // The phase comes first, or a teardown that ends because of this could be reported before.
        const bool is_first = advance(Phase::cancelled);
        if (is_first || is_tearing_down_)  // else none is under way, and those to come are for after a cancel as well
            post_call(strand(), OnLane{shared_from_this(), is_first ? &Run::interrupt_earlier_teardown : &Run::interrupt_teardown, 0});
        if (is_first || is_interrupt_lost_.exchange(false))
            interrupt();
    }

    void pause() override
    {
        if (phase() == Phase::running)
            be_paused(true);
    }

    void resume() override
    {
        if (be_paused(false))
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
    [[nodiscard]] bool is_source(std::size_t node) const override { return nodes_.spec(node).in().is_void; }

private:
    [[nodiscard]] const asio::any_io_executor& strand() const noexcept { return nodes_.lanes().front()->executor(); }

    void begin()
    {
        auto& context = asio::query(strand(), asio::execution::context);
        began_ = now_of(strand());
        pools_ = &asio::use_service<BlockingService>(context);
        for (const auto& lane : nodes_.lanes())
            pools_->add(lane->executor(), core_->pool());
        hooks_ = &asio::use_service<ShutdownService>(context);
        hooks_->add(*this);
        watch();
        core_->run_began(shared_from_this());
        if (!nodes_.have_setup())
            return start_workers();
        spawn(strand(), set_up(), setup_signal_, &Run::setup_ended, nullptr);
    }

    /// Takes back what has been begun. Workers that Asio has already find out that the run is over.
    void give_up() noexcept
    {
        advance(Phase::cancelled);
        if (hooks_)
            hooks_->remove(*this);
        if (pools_)
            pools_->remove(core_->pool());
        end_watches();
        nodes_.abandon();
        core_->forget(*this);
        completion_.reset();
    }

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

    void add_watch(std::shared_ptr<Watch>& watch, MakeWatch make, std::chrono::steady_clock::duration time)
    {
        if (!make)
            return;
        watch = make(strand(), time, weak_from_this());
        watch->begin();
    }

    /// Runs the setups in the order of the nodes; the first that fails halts the run before an item flows.
    asio::awaitable<void> set_up()
    {
        is_setting_up_ = true;
        if (is_stopping())
            co_return;
        while (set_up_nodes_ < nodes_.size()) {
            NodeRun& node = nodes_.node(set_up_nodes_);
            std::exception_ptr error;
            try {
                const Hook& setup = nodes_.spec(set_up_nodes_).options().setup;
                if (setup)
                    co_await setup();
                ++set_up_nodes_;  // from here on it is torn down, whatever comes
                node.make_bodies();
            } catch (...) {
                error = std::current_exception();
            }
            if (error && !(is_stopping() && is_operation_aborted(error)))
                halt_setup(node, error);
            if (error || is_stopping())
                co_return;
        }
        is_set_up_ = true;
    }

    void halt_setup(NodeRun& node, const std::exception_ptr& error)
    {
        node.keep(error);
        log(LogLevel::error, fmt::format("agdf: node '{}': its setup halts the run: {}", node.name(), describe(error)));
        halt(node, error);
    }

    void start_workers()
    {
        live_workers_.store(nodes_.worker_count() + 1, std::memory_order_relaxed);  // one more, so that it cannot end in the middle of this
        nodes_.close_unfed_queues();
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            for (std::size_t w = 0; w < nodes_.node(i).worker_count(); ++w) {
                WorkerBase& worker = nodes_.node(i).worker(w);
                spawn(worker.lane().executor(), worker.work(), worker.signal(), &Run::coroutine_ended, &nodes_.node(i));
            }
        post_call(strand(), OnLane{shared_from_this(), &Run::worker_ended, 0});
    }

    // One type of handler for all coroutines of a run, and one for all posts, since each costs every program's build.
    using Ended = void (Run::*)(NodeRun* node, const std::exception_ptr& error);
    struct OnEnd {
        std::shared_ptr<Run> run;
        Ended ended;
        NodeRun* node;
        void operator()(const std::exception_ptr& error) const { (*run.*ended)(node, error); }
    };
    struct OnLane {
        std::shared_ptr<Run> run;
        void (Run::*function)(std::size_t lane);
        std::size_t lane;
        void operator()() const { (*run.*function)(lane); }
    };

    void spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine, asio::cancellation_signal& signal, Ended ended,
               NodeRun* node)
    {
        asio::co_spawn(executor, std::move(coroutine), asio::bind_cancellation_slot(signal.slot(), OnEnd{shared_from_this(), ended, node}));
    }

    /// Calls a function for each lane, on its strand.
    void post_to_lanes(void (Run::*function)(std::size_t lane))
    {
        for (std::size_t i = 0; i < nodes_.lanes().size(); ++i)
            post_call(nodes_.lanes()[i]->executor(), OnLane{shared_from_this(), function, i});
    }

    void setup_ended(NodeRun*, const std::exception_ptr&)  // set_up parks its errors
    {
        if (is_set_up_ && phase() == Phase::running)
            start_workers();
        else
            finish();
    }

    void coroutine_ended(NodeRun* node, const std::exception_ptr& error)
    {
        if (error) {  // nothing of a body comes here; memory may have run out
            node->fail(error);
            halt(*node, error);
            if (is_interrupt_lost_)  // other workers do not know of it and might wait for ever
                std::rethrow_exception(error);
        }
        node->worker_ended();
        worker_ended(0);
    }

    void teardown_ended(NodeRun*, const std::exception_ptr&) { report(); }

    /// Cancels what the phase says shall not go on, and ends what only waits for time to pass.
    void interrupt()
    {
        be_paused(false);
        try {
            post_to_lanes(&Run::interrupt_lane);
        } catch (...) {
            is_interrupt_lost_ = true;
            throw;
        }
    }

    void interrupt_lane(std::size_t lane)
    {
        if (lane == 0 && is_setting_up_ && !is_set_up_)
            setup_signal_.emit(asio::cancellation_type::terminal);
        for (WorkerBase* const worker : nodes_.workers_on(lane)) {
            worker->on_resume();
            if (worker->clock().state() == WorkerClock::ended)
                continue;  // or it has not begun: then it looks for itself, and its coroutine must not be cut short before
            if (worker->is_cut_short())
                worker->signal().emit(asio::cancellation_type::terminal);
            else
                worker->on_drain();
        }
    }

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

    void worker_ended(std::size_t)
    {
        if (live_workers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            finish();
    }

    void finish()
    {
        if (!nodes_.have_setup())
            return report();
        spawn(strand(), tear_down(), teardown_signal_, &Run::teardown_ended, nullptr);
    }

    /// Runs the teardowns of the nodes that were set up, in reverse order; a cancel ends the one under way.
    asio::awaitable<void> tear_down()
    {
        is_tearing_down_ = true;
        is_torn_down_early_ = is_discarding();
        while (set_up_nodes_ > 0) {
            --set_up_nodes_;
            std::exception_ptr error;
            try {
                nodes_.node(set_up_nodes_).drop_bodies();
                const Hook& teardown = nodes_.spec(set_up_nodes_).options().teardown;
                if (teardown)
                    co_await teardown();
            } catch (...) {
                error = std::current_exception();
            }
            if (error) {
                NodeRun& node = nodes_.node(set_up_nodes_);
                node.keep(error);
                log(LogLevel::error, fmt::format("agdf: node '{}': its teardown failed: {}", node.name(), describe(error)));
                note(node, error);
            }
            co_await asio::this_coro::reset_cancellation_state();  // also if the one under way did not mind
        }
    }

    void report()
    {
        hooks_->remove(*this);
        pools_->remove(core_->pool());
        end_watches();
        const auto completion = std::move(completion_);
        try {
            report_to(*completion);
        } catch (...) {
            core_->forget(*this);
            throw;
        }
    }

    void report_to(Completion& completion)
    {
        RunReport report;
        report.elapsed = now_of(strand()) - began_;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            nodes_.node(i).discard_input();
            report.add(nodes_.node(i).stats(), nodes_.node(i).exceptions());
        }
        if (signals_)
            report.signal = signals_->signal();
        report.outcome = outcome();
        std::tie(report.first_error_node, report.first_error) = first_error();
        core_->run_ended(report.nodes);
        completion.complete(std::move(report));
    }

    [[nodiscard]] Outcome outcome() const noexcept
    {
        switch (phase()) {
        case Phase::halted:
            return Outcome::halted;
        case Phase::cancelled:
            return Outcome::cancelled;
        case Phase::stopping:
            return Outcome::stopped;
        case Phase::running:
            break;
        }
        return has_errors() ? Outcome::completed_with_errors : Outcome::completed;
    }

    void context_is_going() noexcept override
    {
        const auto self = shared_from_this();
        advance(Phase::cancelled);
        if (signals_)
            signals_->context_is_going();
        if (stalls_)
            stalls_->context_is_going();
        nodes_.abandon();
        try {
            core_->run_ended(stats());
        } catch (...) {  // only memory for the copy of the numbers can be missing
            core_->forget(*this);
        }
        completion_.reset();
    }

    const std::shared_ptr<GraphCore> core_;
    RunNodes nodes_;
    RunOptions options_of_run_;
    std::unique_ptr<Completion> completion_;
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
