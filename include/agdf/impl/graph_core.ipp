#pragma once

// Floor 5: what outlives a single run of a graph.

#include <agdf/detail/blocking_pool.hpp>
#include <agdf/detail/fmt.hpp>
#include <agdf/detail/graph_core.hpp>
#include <agdf/detail/zip_check.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace agdf::detail {

AGDF_DECL GraphCore::GraphCore(GraphOptions options) : options_(std::move(options))
{
    const Fail fail = [](const std::string& what) { throw GraphError(fmt::format("agdf::Graph: {}", what)); };
    check_range(fail, "threads", options_.threads, 1, 1'024);
    check_range(fail, "blocking_threads", options_.blocking_threads, 1, 4'096);
    if (options_.stall_after.is_negative())
        fail("the option .stall_after is negative. Expected: a duration, or zero for never. Set it in this range.");
    if (!options_.log)
        options_.log = [](LogLevel level, std::string_view line) {
            constexpr std::string_view names[] = {"debug", "info", "warning", "error"};
            fmt::print(stderr, "[{}] {}\n", names[static_cast<std::size_t>(level)], line);
        };
    pool_ = std::make_shared<BlockingPool>(options_.blocking_threads);
    blueprint.on_edge([this] {
        constexpr std::size_t most = 1'000;  // nodes; a larger graph is looked at once, when it runs
        if (blueprint.size() <= most)
            warn_of_zips();
    });
}

AGDF_DECL GraphCore::~GraphCore() { pool_->stop(); }

AGDF_DECL void GraphCore::log(LogLevel level, std::string_view line) const noexcept
{
    try {
        options_.log(level, line);
    } catch (...) {
    }
}

/// Logs, once for each, which zips cannot stay in step as the graph is now.
AGDF_DECL void GraphCore::warn_of_zips()
{
    std::erase_if(blueprint.zips(), [this](std::size_t zip) {
        const std::string warning = ZipCheck{blueprint}.warning_for(zip);
        if (!warning.empty())
            log(LogLevel::warning, warning);
        return !warning.empty();
    });
}

AGDF_DECL bool GraphCore::is_running() const
{
    const std::lock_guard lock{mutex_};
    return run_ != nullptr;
}

AGDF_DECL void GraphCore::check_idle() const
{
    if (is_running())
        throw GraphError("agdf::Graph::run: the graph is running already. Expected: one run at a time. Wait for its end (if run() "
                         "has ended with an exception of something else on the context, run the context on), or make a second graph.");
}

/// Without the lock, since an observer may run code of the user's, which may add another.
template <class F>
void GraphCore::for_each_observer(const F& call)
{
    std::vector<std::weak_ptr<RunObserver>> observers;
    {
        const std::lock_guard lock{mutex_};
        observers = observers_;
    }
    for (const auto& observer : observers)
        if (const auto alive = observer.lock())
            call(*alive);
}

AGDF_DECL void GraphCore::run_began(std::shared_ptr<RunControl> run)
{
    {
        const std::lock_guard lock{mutex_};
        run_ = std::move(run);
    }
    for_each_observer([](RunObserver& observer) { observer.run_began(); });
}

AGDF_DECL void GraphCore::run_ended(std::vector<NodeStats> stats)
{
    std::shared_ptr<RunControl> run;
    {
        std::unique_lock lock{mutex_};
        last_stats_ = stats;
        has_run_ = true;
        run = end_run(lock);
    }
    for_each_observer([&](RunObserver& observer) { observer.run_ended(stats); });
}

/// The numbers of the run under way, else of the last one, else what is known before the first.
AGDF_DECL std::vector<NodeStats> GraphCore::stats() const
{
    if (const Visit run{*this})
        return run->stats();
    {
        const std::lock_guard lock{mutex_};
        if (has_run_)
            return last_stats_;
    }
    return blueprint.stats();
}

AGDF_DECL bool GraphCore::has_run() const
{
    const std::lock_guard lock{mutex_};
    return has_run_ || run_ != nullptr;
}

AGDF_DECL void GraphCore::add_observer(std::weak_ptr<RunObserver> observer)
{
    const std::lock_guard lock{mutex_};
    std::erase_if(observers_, [](const auto& known) { return known.expired(); });
    observers_.push_back(std::move(observer));
}

AGDF_DECL std::shared_ptr<GraphCore> GraphCore::make(GraphOptions options)
{
    return std::make_shared<GraphCore>(std::move(options));
}

AGDF_DECL void GraphCore::warn_of_options(const NodeSpec& node) const
{
    if (node.options().timeout > node.options().timeout.zero() && !node.facts().can_be_ended)
        log(LogLevel::warning, fmt::format("agdf::Graph::add_node: node '{}': the option .timeout has no effect, since the "
                                           "body is a plain function, which nobody can end. Expected: a coroutine, "
                                           "or agdf::blocking(body). Make it one of these.",
                                           node.name()));
}

AGDF_DECL void GraphCore::stop()
{
    if (const Visit run{*this})
        run->stop();
}

AGDF_DECL void GraphCore::cancel()
{
    if (const Visit run{*this})
        run->cancel();
}

AGDF_DECL void GraphCore::pause()
{
    if (const Visit run{*this})
        run->pause();
}

AGDF_DECL void GraphCore::resume()
{
    if (const Visit run{*this})
        run->resume();
}

AGDF_DECL void check_own(std::string_view function, const Blueprint& graph, const Blueprint& from, const Blueprint& to)
{
    if (&from != &graph || &to != &graph)
        throw GraphError(fmt::format("agdf::Graph::{}: a node belongs to another graph. Expected: handles that this graph's "
                                     "add_node returned. Add the node to this graph.",
                                     function));
}

AGDF_DECL asio::any_io_executor any_executor_of(asio::io_context& context) { return context.get_executor(); }

}  // namespace agdf::detail
