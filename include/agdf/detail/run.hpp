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
#include <agdf/detail/shutdown.hpp>
#include <agdf/start.hpp>

#include <fmt/core.h>

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

/// What is to be done with the report.
class Completion {
public:
    Completion() = default;
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;
    virtual ~Completion() = default;
    virtual void complete(RunReport report) = 0;
};

class Run final : public RunState, public RunControl, private ShutdownHook, public std::enable_shared_from_this<Run> {
public:
    Run(std::shared_ptr<GraphCore> core, const std::vector<asio::any_io_executor>& strands)
        : RunState(core->options()), core_(std::move(core))
    {
        const bool shared = strands.size() > 1;
        for (const asio::any_io_executor& strand : strands)
            lanes_.push_back(std::make_shared<Lane>(strand, shared));
        workers_.resize(lanes_.size());
        make_nodes(shared ? Sharing::many_threads : Sharing::one_strand);
    }

    /// Puts the start items in their places.
    ///
    /// Errors: throws GraphError if the graph cannot run with them.
    void prepare(RunOptions options)
    {
        const Blueprint& blueprint = core_->blueprint;
        std::vector<bool> started(nodes_.size());
        for (const StartItem& item : options.start) {
            const std::size_t index = item.node_of(blueprint);
            start_node(index, item.value());
            started[index] = true;
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (blueprint.has_producers(i) || started[i])
                continue;
            if (!blueprint.node(i).in().is_void)
                throw GraphError(fmt::format("agdf::Graph::run: node '{0}' takes {1}, but has neither an edge nor a start item. "
                                             "Expected: items from somewhere. Add an edge to it, or run with "
                                             ".start = {{agdf::start(node, item)}}.",
                                             nodes_[i]->name(), blueprint.node(i).in().name));
            if (options.start.empty()) {
                start_node(i, nullptr);
                started[i] = true;
            }
        }
        mark_sources(started);
    }

    /// Begins. From here on the run keeps itself alive.
    void begin(std::unique_ptr<Completion> completion)
    {
        core_->check_idle();
        completion_ = std::move(completion);
        began_ = std::chrono::steady_clock::now();
        auto& context = asio::query(lanes_.front()->executor(), asio::execution::context);
        pools_ = &asio::use_service<BlockingService>(context);
        for (const auto& lane : lanes_)
            pools_->add(lane->executor(), core_->pool());
        hooks_ = &asio::use_service<ShutdownService>(context);
        hooks_->add(*this);
        core_->run_began(shared_from_this());

        std::size_t count = 0;
        for (const auto& node : nodes_)
            count += node->worker_count();
        live_workers_.store(count + 1, std::memory_order_relaxed);  // one more, so that it cannot end in the middle of this
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (!core_->blueprint.has_producers(i))
                nodes_[i]->close_input();
        for (const auto& node : nodes_)
            for (std::size_t i = 0; i < node->worker_count(); ++i)
                spawn(*node, node->worker(i));
        asio::post(lanes_.front()->executor(), [self = shared_from_this()] { self->worker_ended(); });
    }

    void stop() override
    {
        if (advance(Phase::stopping))
            interrupt();
    }

    void cancel() override
    {
        if (advance(Phase::cancelled))
            interrupt();
    }

    void halt(NodeRun& node, const std::exception_ptr& error) override
    {
        {
            const std::lock_guard lock{mutex_};
            if (!advance(Phase::halted))
                return;
            first_error_ = error;
            first_error_node_ = node.name();
        }
        interrupt();
    }

    void note(NodeRun& node, const std::exception_ptr& error) override
    {
        const std::lock_guard lock{mutex_};
        has_errors_ = true;
        if (!first_error_) {
            first_error_ = error;
            first_error_node_ = node.name();
        }
    }

    void log(LogLevel level, std::string_view line) noexcept override
    {
        try {
            options().log(level, line);
        } catch (...) {  // a log that fails must not cost an item
        }
    }

    [[nodiscard]] std::vector<NodeStats> stats() const override
    {
        std::vector<NodeStats> all;
        all.reserve(nodes_.size());
        for (const auto& node : nodes_)
            all.push_back(node->stats());
        return all;
    }

private:
    void make_nodes(Sharing sharing)
    {
        const Blueprint& blueprint = core_->blueprint;
        std::size_t next = 0;
        const auto next_lane = [&]() -> Lane& { return *lanes_[next++ % lanes_.size()]; };
        for (std::size_t i = 0; i < blueprint.size(); ++i) {
            specs_.push_back(blueprint.shared_node(i));
            nodes_.push_back(specs_.back()->make_run(*this, sharing));
            const std::size_t first = next;
            nodes_.back()->make_workers(next_lane);
            for (std::size_t w = 0; w < nodes_.back()->worker_count(); ++w)
                workers_[(first + w) % lanes_.size()].push_back(&nodes_.back()->worker(w));
        }
        for (std::size_t i = 0; i < blueprint.size(); ++i) {
            for (const EdgeSpec& edge : blueprint.edges_of(i)) {
                specs_[i]->connect(*nodes_[i], *edge.maker, *nodes_[edge.to]);
                nodes_[i]->add_consumer(*nodes_[edge.to]);
                nodes_[edge.to]->add_producer();
            }
        }
    }

    void start_node(std::size_t index, StartValue* value)
    {
        const NodeSpec& spec = *specs_[index];
        if (!value) {
            if (!spec.in().is_void)
                throw GraphError(fmt::format("agdf::start('{}'): the node takes {}. Expected: an item for it. Call "
                                             "agdf::start(node, item).",
                                             spec.name(), spec.in().name));
            spec.add_start_unit(*nodes_[index]);
            return;
        }
        if (value->type().id != spec.in().id)
            throw GraphError(fmt::format("agdf::start('{}', item): the node takes {}, but the item is {}. Expected: the same type. "
                                         "Convert the item, or name the node by its handle, which allows conversions.",
                                         spec.name(), spec.in().is_void ? "nothing" : spec.in().name, value->type().name));
        value->add_to(*nodes_[index]);
    }

    /// A source is where items come into being in this run: a stop cancels it, while the others finish what they have.
    void mark_sources(const std::vector<bool>& started)
    {
        std::vector<bool> active = started;
        std::vector<bool> is_fed(nodes_.size());
        std::vector<std::size_t> stack;
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (started[i])
                stack.push_back(i);
        while (!stack.empty()) {
            const std::size_t node = stack.back();
            stack.pop_back();
            for (const EdgeSpec& edge : core_->blueprint.edges_of(node)) {
                is_fed[edge.to] = true;
                if (!active[edge.to]) {
                    active[edge.to] = true;
                    stack.push_back(edge.to);
                }
            }
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (started[i] && !is_fed[i] && !specs_[i]->sees_whole_stream())
                for (std::size_t w = 0; w < nodes_[i]->worker_count(); ++w)
                    nodes_[i]->worker(w).be_source();
    }

    void spawn(NodeRun& node, WorkerBase& worker)
    {
        worker.clock().start();
        auto on_end = [self = shared_from_this(), &node](const std::exception_ptr& error) {
            if (error) {  // nothing of a body comes here; memory may have run out
                node.fail(error);
                self->halt(node, error);
            }
            node.worker_ended();
            self->worker_ended();
        };
        asio::co_spawn(worker.lane().executor(), worker.work(),
                       asio::bind_cancellation_slot(worker.signal().slot(), std::move(on_end)));
    }

    /// Moves on to a later phase; false if the run is there already or further.
    bool advance(Phase phase) noexcept
    {
        Phase now = phase_.load(std::memory_order_relaxed);
        while (now < phase)
            if (phase_.compare_exchange_weak(now, phase))
                return true;
        return false;
    }

    /// Cancels what the phase says shall not go on, each worker on its own strand.
    void interrupt()
    {
        for (std::size_t i = 0; i < lanes_.size(); ++i)
            asio::post(lanes_[i]->executor(), [self = shared_from_this(), i] {
                for (WorkerBase* const worker : self->workers_[i])
                    if (worker->is_cut_short() && worker->clock().state() != WorkerClock::ended)
                        worker->signal().emit(asio::cancellation_type::terminal);
            });
    }

    void worker_ended()
    {
        if (live_workers_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            finish();
    }

    void finish()
    {
        hooks_->remove(*this);
        pools_->remove(core_->pool());
        RunReport report;
        report.elapsed = std::chrono::steady_clock::now() - began_;
        for (const auto& node : nodes_) {
            node->discard_input();
            report.add(node->stats(), node->exceptions());
        }
        {
            const std::lock_guard lock{mutex_};
            report.outcome = outcome();
            report.first_error = first_error_;
            report.first_error_node = first_error_node_;
        }
        const auto completion = std::move(completion_);
        core_->run_ended(report.nodes);
        completion->complete(std::move(report));
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
        return has_errors_ ? Outcome::completed_with_errors : Outcome::completed;
    }

    /// Destroys the workers that sleep in queues of ours; those in Asio's are destroyed by Asio.
    void context_is_going() noexcept override
    {
        const auto self = shared_from_this();
        advance(Phase::cancelled);
        for (const auto& lane : lanes_)
            lane->abandon();
        for (const auto& workers : workers_)
            for (WorkerBase* const worker : workers)
                worker->abandon();
        for (const auto& node : nodes_)
            node->abandon_waiters();
        try {
            core_->run_ended(stats());
        } catch (...) {  // only memory for the copy of the numbers can be missing
        }
        completion_.reset();
    }

    const std::shared_ptr<GraphCore> core_;
    std::vector<std::shared_ptr<const NodeSpec>> specs_;  // the bodies
    std::vector<std::shared_ptr<Lane>> lanes_;
    std::vector<std::unique_ptr<NodeRun>> nodes_;
    std::vector<std::vector<WorkerBase*>> workers_;  // by lane
    std::unique_ptr<Completion> completion_;
    ShutdownService* hooks_ = nullptr;
    BlockingService* pools_ = nullptr;
    std::chrono::steady_clock::time_point began_{};
    std::atomic<std::size_t> live_workers_{0};
    std::mutex mutex_;
    std::exception_ptr first_error_;
    std::string first_error_node_;
    bool has_errors_ = false;
};

}  // namespace agdf::detail
