#pragma once

// Floor 5: what outlives a single run of a graph: its blueprint, the run that is under way, who watches.

#include <agdf/detail/blueprint.hpp>
#include <agdf/detail/run_control.hpp>
#include <agdf/detail/zip_check.hpp>
#include <agdf/report.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace agdf::detail {

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
    explicit GraphCore(GraphOptions options) : options_(std::move(options))
    {
        const auto fail = [](std::string_view what) { throw GraphError(fmt::format("agdf::Graph: {}", what)); };
        Blueprint::check_range(fail, "threads", options_.threads, 1, 1'024);
        Blueprint::check_range(fail, "blocking_threads", options_.blocking_threads, 1, 4'096);
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

    GraphCore(const GraphCore&) = delete;
    GraphCore& operator=(const GraphCore&) = delete;
    ~GraphCore() { pool_->stop(); }

    Blueprint blueprint;

    /// Logs, once for each, which zips cannot stay in step as the graph is now.
    void warn_of_zips()
    {
        std::erase_if(blueprint.zips(), [this](std::size_t zip) {
            const std::string warning = ZipCheck{blueprint}.warning_for(zip);
            if (!warning.empty())
                options_.log(LogLevel::warning, warning);
            return !warning.empty();
        });
    }

    /// The threads for the blocking calls of its nodes; they are kept from run to run.
    [[nodiscard]] const std::shared_ptr<BlockingPool>& pool() const noexcept { return pool_; }

    [[nodiscard]] const GraphOptions& options() const noexcept { return options_; }

    [[nodiscard]] std::shared_ptr<RunControl> current_run() const
    {
        const std::lock_guard lock{mutex_};
        return run_;
    }

    void check_idle() const
    {
        if (current_run())
            throw GraphError("agdf::Graph::run: the graph is running already. Expected: one run at a time. Wait for its end, or "
                             "make a second graph.");
    }

    void run_began(std::shared_ptr<RunControl> run)
    {
        {
            const std::lock_guard lock{mutex_};
            run_ = std::move(run);
        }
        for_each_observer([](RunObserver& observer) { observer.run_began(); });
    }

    void run_ended(std::vector<NodeStats> stats)
    {
        std::shared_ptr<RunControl> run;
        {
            const std::lock_guard lock{mutex_};
            run = std::exchange(run_, nullptr);
            last_stats_ = stats;
            has_run_ = true;
        }
        for_each_observer([&](RunObserver& observer) { observer.run_ended(stats); });
    }

    /// The same for a run about which nothing more can be said.
    void forget(const RunControl& run) noexcept
    {
        std::shared_ptr<RunControl> forgotten;
        const std::lock_guard lock{mutex_};
        if (run_.get() == &run)
            forgotten.swap(run_);
    }

    /// The numbers of the run under way, else of the last one, else zeros.
    [[nodiscard]] std::vector<NodeStats> stats() const
    {
        std::shared_ptr<RunControl> run;
        {
            const std::lock_guard lock{mutex_};
            if (!run_ && has_run_)
                return last_stats_;
            run = run_;
        }
        if (run)
            return run->stats();
        std::vector<NodeStats> zeros(blueprint.size());
        for (std::size_t i = 0; i < zeros.size(); ++i) {
            zeros[i].name = blueprint.node(i).name();
            zeros[i].queue_size = blueprint.node(i).options().queue_size;
            zeros[i].workers = blueprint.node(i).options().workers;
        }
        return zeros;
    }

    [[nodiscard]] bool has_run() const
    {
        const std::lock_guard lock{mutex_};
        return has_run_ || run_ != nullptr;
    }

    void add_observer(std::weak_ptr<RunObserver> observer)
    {
        const std::lock_guard lock{mutex_};
        std::erase_if(observers_, [](const auto& known) { return known.expired(); });
        observers_.push_back(std::move(observer));
    }

private:
    /// Without the lock, since an observer may run code of the user's, which may add another.
    template <class F>
    void for_each_observer(const F& call)
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

    GraphOptions options_;
    std::shared_ptr<BlockingPool> pool_;
    mutable std::mutex mutex_;
    std::shared_ptr<RunControl> run_;
    std::vector<NodeStats> last_stats_;
    bool has_run_ = false;
    std::vector<std::weak_ptr<RunObserver>> observers_;
};

}  // namespace agdf::detail
