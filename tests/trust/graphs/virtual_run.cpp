#include "virtual_run.hpp"

#include "check.hpp"

#include <agdf/testing.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

namespace graphs {

namespace {

constexpr std::size_t most_steps = 3'000'000;

class VirtualRun {
public:
    explicit VirtualRun(const Plan& plan) : plan_(plan), forecast_(foretell(plan))
    {
        blocks_ = std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& node) { return node.facts().blocking; });
    }

    [[nodiscard]] std::vector<std::string> run()
    {
        Item::begin_anew();
        {
            auto io = std::make_unique<asio::io_context>();
            std::optional<agdf::testing::VirtualTime> time{std::in_place, *io};
            Built built;
            try {
                build(built, plan_, *io);
                run_all(built, io);
            } catch (const std::exception& error) {
                built.common->complaints.add(fmt::format("an exception: {}", error.what()));
            }
            if (built.graph && io && Item::alive() != alive_at_rest_ && !blocks_ && !has_stalled_)
                built.common->complaints.add(fmt::format("{} items are left over after the run", Item::alive() - alive_at_rest_));
            built.graph.reset();
            io.reset();
            complaints_ = built.common->complaints.take();
        }
        if (blocks_)
            Item::wait_for_last();
        if (Item::alive() != 0)
            complaints_.push_back(fmt::format("{} items are alive after the graph and the context have gone", Item::alive()));
        return complaints_;
    }

private:
    void run_all(Built& built, std::unique_ptr<asio::io_context>& io)
    {
        alive_at_rest_ = Item::alive();
        built.begin_anew(false);
        const auto first = drive(built, io, {});
        if (!first)
            return;
        check(plan_, forecast_, built, *first, {});
        const std::size_t steps = steps_;
        std::vector<std::pair<std::size_t, ActionKind>> actions;
        for (const ActionPlan& action : plan_.actions)
            actions.emplace_back(steps * action.permille / 1'000, action.is());
        std::stable_sort(actions.begin(), actions.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        built.begin_anew(false);
        if (actions.empty() && plan_.options.whole_run > 0 && plan_.options.threads == 1) {
            const agdf::RunReport report = built.graph->run({.start = starts_of(built, plan_)});
            check(plan_, forecast_, built, report, {.first = false});
            for (steps_ = 0; step(*io); ++steps_) {
            }  // what is still posted keeps the run, and what its workers remember
        } else if (!actions.empty()) {
            const auto second = drive(built, io, actions);
            const bool exact = !was_paused_ || !has_time_outs();
            if (second)
                check(plan_, forecast_, built, *second, {.first = false, .stopped_by_us = was_stopped_, .exact = exact, .virtual_time = !was_paused_});
        }
    }

    /// The time of a source goes on while it is paused.
    [[nodiscard]] bool has_time_outs() const
    {
        return std::any_of(plan_.nodes.begin(), plan_.nodes.end(), [](const NodePlan& node) { return node.timeout > 0; });
    }

    /// Empty if there is no report, as it must be, or because the run stands still.
    std::optional<agdf::RunReport> drive(Built& built, std::unique_ptr<asio::io_context>& io, const std::vector<std::pair<std::size_t, ActionKind>>& actions)
    {
        const auto report = std::make_shared<std::optional<agdf::RunReport>>();
        built.graph->async_run({.start = starts_of(built, plan_)}, [report](agdf::RunReport mine) { report->emplace(std::move(mine)); });
        auto next = actions.begin();
        for (steps_ = 0; !*report; ++steps_) {
            for (; next != actions.end() && next->first <= steps_; ++next)
                if (!act(built, io, next->second))
                    return std::nullopt;
            if (step(*io))
                continue;
            if (is_paused_ && next != actions.end()) {
                steps_ = next->first - 1;
                continue;
            }
            if (is_paused_) {
                built.graph->resume();
                is_paused_ = false;
                continue;
            }
            complain_of_stall(built);
            return std::nullopt;
        }
        std::size_t more = 0;
        while (step(*io) && more < 10'000)
            ++more;
        if (more == 10'000)
            built.common->complaints.add("something goes on and on after the run has ended");
        return std::move(*report);
    }

    /// Runs a handler; false if there is none, and none will come.
    [[nodiscard]] bool step(asio::io_context& io)
    {
        if (steps_ > most_steps)
            return false;
        if (io.stopped())
            io.restart();
        // A call that blocks may still be under way. While all stand still it is not worth a long wait: its result comes later.
        const std::chrono::milliseconds patience{is_paused_ ? 20 : 2'000};
        return io.poll_one() > 0 || (blocks_ && io.run_one_for(patience) > 0);
    }

    void complain_of_stall(Built& built)
    {
        has_stalled_ = true;
        std::string text = steps_ > most_steps ? "the run does not end" : "the run stands still";
        for (const agdf::NodeStats& node : built.graph ? built.graph->stats() : std::vector<agdf::NodeStats>{})
            text += fmt::format("\n    {}: in={}, out={}, err={}, queued={}, active={}", node.name, node.in, node.out, node.err, node.queued, node.active);
        built.common->complaints.add(text);
    }

    /// False if the context has gone.
    [[nodiscard]] bool act(Built& built, std::unique_ptr<asio::io_context>& io, ActionKind kind)
    {
        if (!built.graph && kind != ActionKind::destroy_context)
            return true;
        switch (kind) {
        case ActionKind::stop:
            was_stopped_ = true;
            is_paused_ = false;
            built.graph->stop();
            break;
        case ActionKind::cancel:
            was_stopped_ = true;
            is_paused_ = false;
            built.graph->cancel();
            break;
        case ActionKind::pause:
            was_paused_ = is_paused_ = true;
            built.graph->pause();
            break;
        case ActionKind::resume:
            is_paused_ = false;
            built.graph->resume();
            break;
        case ActionKind::stats:
            check_stats(plan_, built, built.graph->stats());
            break;
        case ActionKind::destroy_graph:
            was_stopped_ = true;
            is_paused_ = false;
            built.graph.reset();
            break;
        default:
            io.reset();
            return false;
        }
        return true;
    }

    const Plan& plan_;
    const Forecast forecast_;
    std::vector<std::string> complaints_;
    std::int64_t alive_at_rest_ = 0;
    std::size_t steps_ = 0;
    bool blocks_ = false;
    bool is_paused_ = false;
    bool was_paused_ = false;
    bool was_stopped_ = false;
    bool has_stalled_ = false;
};

}  // namespace

std::vector<std::string> run_in_virtual_time(const Plan& plan) { return VirtualRun{plan}.run(); }

}  // namespace graphs
