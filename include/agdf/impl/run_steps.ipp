#pragma once

// Floor 6: the steps of one execution, from its begin to its report.

#include <agdf/detail/fmt.hpp>
#include <agdf/detail/run.hpp>
#include <agdf/detail/zip_check.hpp>

#include <algorithm>
#include <tuple>

namespace agdf::detail {

AGDF_DECL void Run::prepare(RunOptions options)
{
    if (options.grace < options.grace.zero())
        throw GraphError("agdf::Graph::run: the option .grace is negative. Expected: a duration. Set it to how long a stop may take.");
    nodes_.start(options.start);
    for (const std::size_t zip : core_->blueprint.zips())
        zips_.push_back(ZipCheck{core_->blueprint}.ways_to(zip));
    options_of_run_ = std::move(options);
    options_of_run_.start.clear();
}

AGDF_DECL void Run::begin(std::unique_ptr<Completion>& completion)
{
    core_->check_idle();
    if (std::exchange(has_begun_, true))
        throw GraphError("agdf::Graph::async_run: this operation has been started before, and its run is over. Expected: one start. Call "
                         "async_run again for another run.");
    completion_ = std::move(completion);
    try {
        begin();
    } catch (...) {  // memory or descriptors have run out
        completion = std::move(completion_);
        give_up();
        throw;
    }
}

AGDF_DECL void Run::cancel()
{
    // The phase comes first, or a teardown that ends because of this could be reported before.
    const bool is_first = advance(Phase::cancelled);
    if (is_first || is_tearing_down_)  // else none is under way, and those to come are for after a cancel as well
        post_call(strand(), OnLane{shared_from_this(), is_first ? &Run::interrupt_earlier_teardown : &Run::interrupt_teardown, 0});
    if (is_first || is_interrupt_lost_.exchange(false))
        interrupt();
}

AGDF_DECL void Run::begin()
{
    auto& context = asio::query(strand(), asio::execution::context);
    began_ = now_of(strand());
    core_->pool()->submitters_begin();
    pools_ = &asio::use_service<BlockingService>(context);
    for (const auto& lane : nodes_.lanes())
        pools_->add(lane->executor(), core_->pool());
    hooks_ = &asio::use_service<ShutdownService>(context);
    hooks_->add(*this);
    watch();
    core_->run_began(shared_from_this());
    if (!nodes_.have_setup())
        return start_workers();
    OnEnd on_end{shared_from_this(), &Run::setup_ended};
    spawn(strand(), set_up(), setup_signal_, std::move(on_end));
    is_under_way_ = true;
}

AGDF_DECL void Run::give_up() noexcept
{
    advance(Phase::cancelled);
    if (hooks_)
        hooks_->remove(*this);
    if (pools_)
        pools_->remove(core_->pool());
    end_watches();
    nodes_.abandon();
    core_->forget(*this);
}

AGDF_DECL void Run::add_watch(std::shared_ptr<Watch>& watch, MakeWatch make, std::chrono::steady_clock::duration time)
{
    if (!make)
        return;
    watch = make(strand(), time, weak_from_this());
    watch->begin();
}

AGDF_DECL asio::awaitable<void> Run::set_up()
{
    const Lane& home = *nodes_.lanes().front();  // which the hooks may leave
    is_setting_up_ = true;
    if (is_stopping())
        co_return;
    while (set_up_nodes_ < nodes_.size()) {
        NodeRun& node = nodes_.node(set_up_nodes_);
        std::exception_ptr error;
        try {
            const Hook& setup = nodes_.spec(set_up_nodes_).options().setup;
            if (setup) {
                co_await setup();
                if (!home.is_here()) {
                    co_await asio::this_coro::throw_if_cancelled(false);
                    co_await Lane::come_home();
                    co_await asio::this_coro::throw_if_cancelled(true);
                }
            }
            ++set_up_nodes_;  // from here on it is torn down, whatever comes
            node.make_bodies();
        } catch (...) {
            error = std::current_exception();
        }
        if (!home.is_here()) {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await Lane::come_home();
            co_await asio::this_coro::throw_if_cancelled(true);
        }
        if (error && !(is_stopping() && is_operation_aborted(error)))
            halt_setup(node, error);
        if (error || is_stopping())
            co_return;
    }
    is_set_up_ = true;
}

AGDF_DECL void Run::halt_setup(NodeRun& node, const std::exception_ptr& error) noexcept
{
    try {
        node.keep(error);
        log(LogLevel::error, fmt::format("agdf: node '{}': its setup halts the run: {}", node.name(), describe(error)));
    } catch (...) {  // without memory it halts all the same
    }
    (void)halt_for_sure(node, error);  // there are no workers yet
}

AGDF_DECL void Run::setup_ended(WorkerBase*, const std::exception_ptr& error)
{
    if (error)  // it has parked those of the nodes
        (void)halt_for_sure(node_of_hook(), error);
    if (is_set_up_ && phase() == Phase::running)
        start_workers();
    else
        finish();
}

AGDF_DECL void Run::start_workers()
{
    live_workers_.store(nodes_.worker_count() + 1, std::memory_order_relaxed);  // one more, so that it cannot end in the middle of this
    nodes_.close_unfed_queues();
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        for (std::size_t w = 0; w < nodes_.node(i).worker_count(); ++w)
            start_worker(nodes_.node(i).worker(w));
    const bool was_under_way = is_under_way_.exchange(true);
    try {
        post_call(strand(), OnLane{shared_from_this(), &Run::all_started, 0});
    } catch (...) {  // without memory
        is_under_way_ = was_under_way;
        if (!was_under_way)
            throw;
        all_started(0);
    }
}

AGDF_DECL void Run::start_worker(WorkerBase& worker)
{
    try {
        OnEnd on_end{shared_from_this(), &Run::worker_ended, &worker};
        spawn(worker.lane().executor(), worker.work(), worker.signal(), std::move(on_end));
    } catch (...) {
        if (!is_under_way_)
            throw;  // else it has ended
    }
}

AGDF_DECL void Run::spawn(const asio::any_io_executor& executor, asio::awaitable<void> coroutine, asio::cancellation_signal& signal,
                          OnEnd&& on_end)
{
    asio::co_spawn(executor, std::move(coroutine), asio::bind_cancellation_slot(signal.slot(), std::move(on_end)));
}

AGDF_DECL void Run::end_without_memory(OnEnd& on_end) noexcept
{
    try {
        on_end(std::make_exception_ptr(std::bad_alloc{}));
    } catch (...) {  // what made this necessary is on its way to the caller already
    }
}

AGDF_DECL void Run::worker_ended(WorkerBase* worker, const std::exception_ptr& error)
{
    NodeRun& node = worker->node();
    std::exception_ptr lost;
    if (error) {  // nothing of a body comes here; memory may have run out
        worker->clock().change(WorkerClock::ended, WorkerClock::Clock::now());
        try {
            node.fail(error);
        } catch (...) {
        }
        lost = halt_for_sure(node, error);
    }
    core_->pool()->submitter_ended();
    node.worker_ended();
    if (!is_last_worker() && lost)
        std::rethrow_exception(lost);
}

AGDF_DECL std::exception_ptr Run::halt_for_sure(NodeRun& node, const std::exception_ptr& error) noexcept
{
    try {
        halt(node, error);
    } catch (...) {
        advance(Phase::halted);
        is_interrupt_lost_ = true;
    }
    try {
        if (is_interrupt_lost_.exchange(false))
            interrupt();
        note(node, error);
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }
}

AGDF_DECL void Run::interrupt()
{
    end_pause();
    try {
        post_to_lanes(&Run::interrupt_lane);
    } catch (...) {
        is_interrupt_lost_ = true;
        throw;
    }
}

AGDF_DECL void Run::interrupt_lane(std::size_t lane)
{
    if (lane == 0 && is_setting_up_ && !is_set_up_)
        setup_signal_.emit(asio::cancellation_type::terminal);
    for (WorkerBase* const worker : nodes_.workers_on(lane)) {
        worker->on_resume();
        if (worker->clock().state() == WorkerClock::ended)
            continue;  // or it has not begun: then it looks for itself, and its coroutine must not be cut short before
        if (worker->is_cut_short()) {
            worker->signal().emit(asio::cancellation_type::terminal);
            worker->end_sleep();  // a body that finishes undisturbed does not make the worker's own waits so
        } else {
            worker->on_drain();
        }
    }
}

AGDF_DECL asio::awaitable<void> Run::tear_down()
{
    const Lane& home = *nodes_.lanes().front();
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
        if (!home.is_here()) {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await Lane::come_home();
            co_await asio::this_coro::throw_if_cancelled(true);
        }
        if (error)
            note_teardown_error(nodes_.node(set_up_nodes_), error);
        co_await asio::this_coro::reset_cancellation_state();  // also if the one under way did not mind
    }
}

AGDF_DECL void Run::note_teardown_error(NodeRun& node, const std::exception_ptr& error) noexcept
{
    try {
        note(node, error);
        node.keep(error);
        log(LogLevel::error, fmt::format("agdf: node '{}': its teardown failed: {}", node.name(), describe(error)));
    } catch (...) {  // without memory for more, the run has an error all the same
    }
}

AGDF_DECL void Run::report()
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

AGDF_DECL void Run::report_to(Completion& completion)
{
    RunReport report;
    report.elapsed = now_of(strand()) - began_;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        nodes_.node(i).discard_input();
        report.add(nodes_.node(i).stats(), nodes_.node(i).exceptions());
        if (const NodeStats& stats = report.nodes.back(); stats.undelivered > 0 && phase() == Phase::running)
            log(LogLevel::info, fmt::format("agdf: node '{}': {} of {} items are undelivered, since its body returned before the end of its "
                                            "input, or gave them up. If that is not meant, let it read until there is none.",
                                            stats.name, stats.undelivered, stats.in));
    }
    if (phase() == Phase::running)
        warn_of_gaps(report.nodes);
    if (signals_)
        report.signal = signals_->signal();
    report.outcome = outcome();
    std::tie(report.first_error_node, report.first_error) = first_error();
    core_->run_ended(report.nodes);
    completion.complete(std::move(report));
}

AGDF_DECL void Run::warn_of_gaps(const std::vector<NodeStats>& stats)
{
    const auto has_lost = [&](std::size_t node) { return stats[node].err + stats[node].dropped > 0; };
    for (const ZipWays& ways : zips_) {
        auto gap = std::find_if(ways.one_way.begin(), ways.one_way.end(), has_lost);
        if (gap == ways.one_way.end()) {
            const bool differ = std::any_of(ways.inputs.begin(), ways.inputs.end(),
                                            [&](std::size_t input) { return stats[input].in != stats[ways.inputs.front()].in; });
            gap = std::find_if(ways.others.begin(), ways.others.end(), has_lost);
            if (!differ || gap == ways.others.end())
                continue;
        }
        log(LogLevel::warning,
            fmt::format("agdf: node '{}': it may have put together items that do not belong together, since items were lost before its inputs, "
                        "in node '{}': {} failed, {} dropped. Expected: as many items at each input. Pass on a place holder for an item that "
                        "fails, or join by a key (agdf::join).",
                        stats[ways.inputs.front()].name, stats[*gap].name, stats[*gap].err, stats[*gap].dropped));
    }
}

AGDF_DECL Outcome Run::outcome() const noexcept
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

AGDF_DECL void Run::context_is_going() noexcept
{
    const auto self = shared_from_this();
    is_under_way_ = false;
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

}  // namespace agdf::detail
