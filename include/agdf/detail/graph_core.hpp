#pragma once

// Floor 5: what outlives a single run of a graph: its blueprint, the run that is under way, who watches.

#include <agdf/detail/blueprint.hpp>
#include <agdf/detail/run_control.hpp>
#include <agdf/report.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf::detail {

class BlockingPool;

/// Somebody who wants to know when a run begins and ends.
class RunObserver {
public:
    virtual void run_began() = 0;
    virtual void run_ended(const std::vector<NodeStats>& stats) = 0;

protected:
    ~RunObserver() = default;
};

/// Thread-safety: `blueprint` and `options` are not touched while others look; all else is safe.
class GraphCore {
public:
    /// Errors: throws GraphError if an option is out of range.
    [[nodiscard]] static std::shared_ptr<GraphCore> make(GraphOptions options);

    explicit GraphCore(GraphOptions options);
    GraphCore(const GraphCore&) = delete;
    GraphCore& operator=(const GraphCore&) = delete;
    ~GraphCore();

    Blueprint blueprint;

    /// A log that throws must not leave a node or an edge half added.
    void log(LogLevel level, std::string_view line) const noexcept;

    /// Logs, once for each, which zips cannot stay in step as the graph is now.
    void warn_of_zips();
    /// Logs which options of a node have no effect.
    void warn_of_options(const NodeSpec& node) const;

    /// The threads for the blocking calls of its nodes.
    [[nodiscard]] const std::shared_ptr<BlockingPool>& pool() const noexcept { return pool_; }

    [[nodiscard]] const GraphOptions& options() const noexcept { return options_; }

    /// The run that is under way, if there is one, as somebody on any thread looks at it or does something to it. The run's end
    /// waits until that is over, a moment: whoever let go last would otherwise destroy the run, perhaps after its context.
    class Visit {
    public:
        explicit Visit(const GraphCore& core) : core_(core)
        {
            const std::lock_guard lock{core_.mutex_};
            run_ = core_.run_;
            if (run_)
                ++core_.visits_;
        }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit()
        {
            if (!run_)
                return;
            const std::lock_guard lock{core_.mutex_};
            run_.reset();  // while whoever ends the run has it as well
            if (--core_.visits_ == 0)
                core_.no_visits_.notify_all();
        }

        [[nodiscard]] explicit operator bool() const noexcept { return run_ != nullptr; }
        [[nodiscard]] RunControl* operator->() const noexcept { return run_.get(); }

    private:
        const GraphCore& core_;
        std::shared_ptr<RunControl> run_;
    };

    [[nodiscard]] Visit visit() const { return Visit{*this}; }
    [[nodiscard]] bool is_running() const;
    void check_idle() const;

    // On the run that is under way, if there is one.
    void stop();
    void cancel();
    void pause();
    void resume();

    void run_began(std::shared_ptr<RunControl> run);
    void run_ended(std::vector<NodeStats> stats);

    /// The same for a run about which nothing more can be said.
    void forget(const RunControl& run) noexcept
    {
        std::shared_ptr<RunControl> forgotten;
        std::unique_lock lock{mutex_};
        if (run_.get() == &run)
            forgotten = end_run(lock);
    }

    /// The numbers of the run under way, else of the last one, else zeros.
    [[nodiscard]] std::vector<NodeStats> stats() const;
    [[nodiscard]] bool has_run() const;

    void add_observer(std::weak_ptr<RunObserver> observer);

private:
    /// From here on nobody has the run but those who end it.
    [[nodiscard]] std::shared_ptr<RunControl> end_run(std::unique_lock<std::mutex>& lock) noexcept
    {
        auto run = std::exchange(run_, nullptr);
        no_visits_.wait(lock, [this] { return visits_ == 0; });
        return run;
    }

    template <class F>
    void for_each_observer(const F& call);

    GraphOptions options_;
    std::shared_ptr<BlockingPool> pool_;
    mutable std::mutex mutex_;
    std::shared_ptr<RunControl> run_;
    mutable std::size_t visits_ = 0;
    mutable std::condition_variable no_visits_;
    std::vector<NodeStats> last_stats_;
    bool has_run_ = false;
    std::vector<std::weak_ptr<RunObserver>> observers_;
};

/// Errors: throws GraphError if one of the nodes belongs to another graph.
AGDF_DECL void check_own(std::string_view function, const Blueprint& graph, const Blueprint& from, const Blueprint& to);

[[nodiscard]] AGDF_DECL asio::any_io_executor any_executor_of(asio::io_context& context);
template <class Executor, class Context>
[[nodiscard]] Executor executor_of(Context& context)
{
    if constexpr (std::is_same_v<Executor, asio::any_io_executor> && std::is_same_v<Context, asio::io_context>)
        return any_executor_of(context);
    else
        return context.get_executor();
}

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/graph_core.ipp>
#endif
