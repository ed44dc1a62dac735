// A plan on real threads, which others stop, cancel, pause and destroy. When they do it is a matter of how many bodies
// have been called, never of time.

#include "check.hpp"
#include "virtual_run.hpp"

#include <agdf/testing.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace graphs {

namespace {

/// How the context is run.
enum class Way : Number {
    run,       ///< Graph::run starts the threads
    async,     ///< the threads are ours, and run the context
    leave,     ///< the same, but the context is stopped and destroyed in the middle
    count
};

class ThreadRun {
public:
    ThreadRun(const Plan& plan, std::size_t threads, Number seed)
        : plan_(plan), forecast_(foretell(plan)), threads_(threads), seed_(seed), way_(static_cast<Way>(mix(seed, 1) % static_cast<Number>(Way::count)))
    {
        plan_.options.threads = threads;
        // Time goes on while a thread computes, so nobody can tell which attempt takes too long.
        is_exact_ = std::none_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& node) { return node.timeout > 0; });
        for (const ActionPlan& action : plan.actions) {
            if (action.is() == ActionKind::destroy_context) {
                way_ = Way::leave;
            } else if (action.is() == ActionKind::destroy_graph) {
                destroys_graph_ = true;
                way_ = way_ == Way::run ? Way::async : way_;
            }
        }
        if (way_ == Way::leave && plan.actions.empty())
            way_ = Way::async;
    }

    [[nodiscard]] std::vector<std::string> run()
    {
        Item::begin_anew();
        std::vector<std::string> complaints;
        {
            auto io = std::make_unique<asio::io_context>();
            std::optional<agdf::testing::VirtualTime> time;
            if (mix(seed_, 2) % 4 != 0 || waits_long())
                time.emplace(*io);
            Built built;
            try {
                build(built, plan_, *io);
                calls_expected_ = calls_foretold();
                // The first run is left alone, so that it can be compared; of the second one others take care.
                one_run(built, *io, false);
                if (!plan_.actions.empty())
                    one_run(built, *io, true);
            } catch (const std::exception& error) {
                built.common->complaints.add(fmt::format("an exception: {}", error.what()));
            }
            if (mix(seed_, 3) % 2 == 0)
                built.graph.reset();
            if (!time)
                io.reset();
            else if (mix(seed_, 4) % 2 == 0)
                io.reset();
            built.graph.reset();
            complaints = built.common->complaints.take();
            time.reset();
        }
        Item::wait_for_last();
        if (Item::alive() != 0)
            complaints.push_back(fmt::format("{} items are alive after the graph and the context have gone", Item::alive()));
        return complaints;
    }

private:
    /// Real time is for plans that do not wait.
    [[nodiscard]] bool waits_long() const
    {
        return std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [](const NodePlan& node) {
            const bool times_out = (node.is() == Shape::whole || node.is() == Shape::whole_sink) && node.salt % 4 == 0;
            return node.sleep > 0 || node.delay > 0 || node.rate > 0 || node.piece_delay > 0 || node.asks > 0 || times_out;
        });
    }

    [[nodiscard]] Number calls_foretold() const
    {
        Number calls = 1;
        for (const NodeForecast& node : forecast_.nodes)
            calls += node.seen.values.size();
        return calls;
    }

    void one_run(Built& built, asio::io_context& io, bool disturbed)
    {
        for (const auto& station : built.stations)  // calls that block finish alone, and would be counted in this run
            while (station->gauge.now() != 0)
                std::this_thread::yield();
        built.begin_anew(true);
        has_ended_ = false;
        was_stopped_ = false;
        std::optional<agdf::RunReport> report;
        std::vector<std::thread> others;
        if (way_ == Way::run) {
            if (disturbed)
                others = start_actors(built, io);
            report.emplace(built.graph->run({.start = starts_of(built, plan_)}));
            has_ended_ = true;
        } else {
            if (io.stopped())
                io.restart();
            auto work = asio::make_work_guard(io);
            std::vector<std::thread> runners;
            const auto start_threads = [&] {
                if (disturbed)
                    others = start_actors(built, io);
                for (std::size_t i = 0; i < threads_; ++i)
                    runners.emplace_back([&] { io.run(); });
            };
            const bool threads_first = mix(seed_, 5) % 2 == 0 && !destroys_graph_;
            if (threads_first)
                start_threads();
            built.graph->async_run({.start = starts_of(built, plan_)}, [&](agdf::RunReport mine) {
                report.emplace(std::move(mine));
                has_ended_ = true;
                work.reset();
            });
            if (!threads_first)
                start_threads();
            for (std::thread& runner : runners)
                runner.join();
            has_ended_ = true;
        }
        for (std::thread& other : others)
            other.join();
        if (!report) {
            if (!disturbed || way_ != Way::leave)
                built.common->complaints.add("the context has ended, but the run has no report");
            return;
        }
        check(plan_, forecast_, built, *report, {.first = !disturbed, .stopped_by_us = was_stopped_, .exact = is_exact_, .virtual_time = false});
    }

    /// Threads that do something to the run once so many bodies have been called. A pause is ended by the thread that made
    /// it; the others go their way meanwhile.
    [[nodiscard]] std::vector<std::thread> start_actors(Built& built, asio::io_context& io)
    {
        std::vector<std::thread> actors;
        std::size_t number = 0;
        for (const ActionPlan& action : plan_.actions) {
            if (action.is() == ActionKind::resume || (destroys_graph_ && (action.is() != ActionKind::destroy_graph || !actors.empty())))
                continue;  // whoever destroys the graph has to see to it that nobody uses it
            const Number most_yields = mix(seed_, 10 + number++) % 200;
            actors.emplace_back([this, &built, &io, action, most_yields] {
                const Number after = calls_expected_ * action.permille / 1'000;
                while (!has_ended_ && built.common->calls.load(std::memory_order_relaxed) < after)
                    std::this_thread::yield();
                for (Number i = 0; i < most_yields; ++i)
                    std::this_thread::yield();
                act(built, io, action.is(), most_yields);
            });
        }
        return actors;
    }

    void act(Built& built, asio::io_context& io, ActionKind kind, Number yields)
    {
        switch (kind) {
        case ActionKind::stop:
            was_stopped_ = true;
            built.graph->stop();
            break;
        case ActionKind::cancel:
            was_stopped_ = true;
            built.graph->cancel();
            break;
        case ActionKind::pause:
            built.graph->pause();
            for (Number i = 0; i < yields; ++i) {
                check_stats(plan_, built, built.graph->stats());
                std::this_thread::yield();
            }
            if (was_stopped_)  // which ends the pause; this one is only for a run that had not begun yet
                built.graph->stop();
            else
                built.graph->resume();
            break;
        case ActionKind::destroy_graph:
            was_stopped_ = true;
            built.graph.reset();
            break;
        case ActionKind::destroy_context:
            was_stopped_ = true;
            io.stop();
            break;
        default:
            for (Number i = 0; i < 20; ++i)
                check_stats(plan_, built, built.graph->stats());
        }
    }

    Plan plan_;
    const Forecast forecast_;
    const std::size_t threads_;
    const Number seed_;
    Way way_;
    bool is_exact_ = true;
    bool destroys_graph_ = false;
    Number calls_expected_ = 1;
    std::atomic<bool> has_ended_{false};
    std::atomic<bool> was_stopped_{false};
};

}  // namespace

std::vector<std::string> run_on_threads(const Plan& plan, std::size_t threads, Number seed) { return ThreadRun{plan, threads, seed}.run(); }

}  // namespace graphs
