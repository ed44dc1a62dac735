// What holds for every run, whatever became of it.

#include "check.hpp"
#include "script.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace graphs {

void check_balance(const Plan& plan, std::size_t index, const NodeForecast& forecast, Built& built, const agdf::RunReport& report,
                   bool was_cut);
void check_run(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions);

namespace {

[[nodiscard]] bool has_mapped_edge(const Plan& plan, std::size_t index)
{
    return std::any_of(plan.edges.begin(), plan.edges.end(), [&](const EdgePlan& edge) {
        return edge.from == index && edge.is() != EdgeKind::error && plan.nodes[edge.to].facts().takes == Takes::item;
    });
}

/// Whether something may fail where that halts, also if attempts are cut short.
[[nodiscard]] bool can_halt(const Plan& plan)
{
    const auto has_failing_edge = [&](std::size_t index) {
        return std::any_of(plan.edges.begin(), plan.edges.end(), [&](const EdgePlan& edge) { return edge.from == index && edge.fail > 0; });
    };
    return std::any_of(plan.nodes.begin(), plan.nodes.end(), [&](const NodePlan& node) {
        const bool fails = node.fail > 0 || node.flaky > 0 || node.timeout > 0 || node.attempts > 1 || node.is() == Shape::zip;
        return halts(plan, node) && (fails || has_failing_edge(static_cast<std::size_t>(&node - plan.nodes.data())));
    });
}

void check_outcome(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions)
{
    const auto complain = [&](std::string_view expected) {
        built.common->complaints.add(fmt::format("the outcome is {}. Expected: {}", to_string(report.outcome), expected));
    };
    const bool ours = report.outcome == agdf::Outcome::stopped || report.outcome == agdf::Outcome::cancelled;
    if (ours && !conditions.stopped_by_us)
        complain("another, since nobody stopped it");
    if (ours)
        return;
    if (report.outcome == agdf::Outcome::halted) {
        if (!forecast.setup_fails && (conditions.exact && !conditions.stopped_by_us ? !forecast.may_halt : !can_halt(plan)))
            complain("another, since nothing fails that halts");
        return;
    }
    if (forecast.setup_fails)
        complain("halted, since a setup fails");
    else if (conditions.exact && forecast.must_halt)
        complain("halted, since an item fails where that halts");
}

/// The numbers of the report that say the same must agree.
void check_errors(const Plan& plan, Built& built, const agdf::RunReport& report)
{
    const auto complain = [&](const std::string& text) { built.common->complaints.add(text); };
    Number errors = 0;
    Number failed_teardowns = 0;
    const bool cut = report.outcome == agdf::Outcome::cancelled || report.outcome == agdf::Outcome::halted;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const agdf::NodeStats& stats = report.nodes[built.places[i].index];
        const Number failed_setup = plan.nodes[i].setup == 3 && built.stations[i]->setups == 0 ? 1 : 0;
        const Number kept = report.exceptions(stats.name).size();
        const Number expected = std::min<Number>(stats.err + failed_setup, plan.options.max_exceptions);
        // Only the first setup that fails is called; a teardown that is cancelled at its await has failed.
        const bool may_fail_in_teardown = cut && plan.nodes[i].setup == 2 && kept == std::min<Number>(stats.err + 1, plan.options.max_exceptions);
        failed_teardowns += may_fail_in_teardown ? 1 : 0;
        if (kept != expected && !may_fail_in_teardown && !(failed_setup == 1 && kept == std::min<Number>(stats.err, plan.options.max_exceptions)))
            complain(fmt::format("node '{}': {} exceptions are kept. Expected: {}", stats.name, kept, expected));
        errors += stats.err;
    }
    const bool failed = errors > 0 || report.outcome == agdf::Outcome::halted;
    if (failed != (report.first_error != nullptr) && (failed || failed_teardowns == 0))
        complain(fmt::format("there is {} first error, but {} items failed", report.first_error ? "a" : "no", errors));
    if (errors > 0 && report.outcome == agdf::Outcome::completed)
        complain(fmt::format("the outcome is completed, but {} items failed", errors));
    if (errors == 0 && report.outcome == agdf::Outcome::completed_with_errors)
        complain("the outcome is completed_with_errors, but nothing failed");
    if ((report.exit_code() == 0) != (report.outcome == agdf::Outcome::completed))
        complain(fmt::format("the exit code is {}, but the outcome is {}", report.exit_code(), to_string(report.outcome)));
}

/// Everything that was to be sent over plain edges came, be the run cut short or not.
void check_edges(const Plan& plan, Built& built, const agdf::RunReport& report)
{
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        for (Number port = 0; port < (plan.nodes[i].facts().two ? 2U : 1U); ++port) {
            Number sent = 0;
            bool is_known = true;
            for (const EdgePlan& edge : plan.edges) {
                if (edge.to != i || edge.port != port)
                    continue;
                const bool takes_all = edge.is() == EdgeKind::plain || edge.is() == EdgeKind::named || edge.is() == EdgeKind::map;
                is_known = is_known && takes_all && edge.fail == 0;
                sent += report.nodes[built.places[edge.from].index].out;
            }
            const agdf::NodeStats& input = report.nodes[port == 0 ? built.places[i].index : built.places[i].second];
            if (is_known && input.in != sent)
                built.stations[i]->complain(fmt::format("{} items were sent to '{}', but its in is {}", sent, input.name, input.in));
        }
}

/// Each item of a balance goes to one of its nodes.
void check_groups(const Plan& plan, Built& built, const agdf::RunReport& report)
{
    for (const EdgePlan& first : plan.edges) {
        if (!first.is_grouped() || first.fail > 0)
            continue;
        Number received = 0;
        bool is_alone = true;
        for (const EdgePlan& edge : plan.edges) {
            if (!edge.is_of_group(first))
                continue;
            received += report.nodes[edge.port == 0 ? built.places[edge.to].index : built.places[edge.to].second].in;
            for (const EdgePlan& other : plan.edges)
                is_alone = is_alone && (&other == &edge || other.to != edge.to || other.port != edge.port);
        }
        const Number sent = report.nodes[built.places[first.from].index].out;
        if (is_alone && received != sent)
            built.stations[first.from]->complain(fmt::format("its group got {} items. Expected: {}", received, sent));
    }
}

/// A drain carries everything to the end.
void check_drain(const Plan& plan, Built& built, const agdf::RunReport& report)
{
    if (report.outcome != agdf::Outcome::stopped)
        return;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const NodePlan& node = plan.nodes[i];
        const agdf::NodeStats& stats = report.nodes[built.places[i].index];
        if (node.starts == 0 && node.take == 0 && !node.facts().two && stats.undelivered != 0)
            built.stations[i]->complain(fmt::format("{} items were not delivered although the run was drained", stats.undelivered));
    }
}

/// Time passes only while somebody waits for it.
void check_time(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions)
{
    using Ms = std::chrono::duration<double, std::milli>;
    double most = 1;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const NodePlan& node = plan.nodes[i];
        const NodeForecast& expected = forecast.nodes[i];
        if (!expected.is_exact || !expected.arrivals[0].known || !expected.arrivals[1].known)
            return;
        const double attempts = static_cast<double>(built.stations[i]->seen.count());
        if (node.rate > 0 && node.rate_group == 0 && conditions.first) {
            const double least = (attempts - static_cast<double>(node.burst)) * 1'000 / static_cast<double>(node.rate);
            if (Ms(report.elapsed).count() < least - 0.01)
                built.stations[i]->complain(fmt::format("{} attempts took {} ms. Expected: {} or more, by its rate", attempts, Ms(report.elapsed).count(), least));
        }
        for (const Number value : expected.seen.values)
            for (Number output = 0; output <= script_of(node, value).outputs; ++output)
                most += static_cast<double>(sleep_before(node, value, output));
        const double delays = node.asks > 0 ? 3 : 0;
        most += static_cast<double>(expected.retried) * (8 * static_cast<double>(node.delay) + delays) + 2;
        most += node.rate > 0 ? (attempts + 1) * 1'000 / static_cast<double>(node.rate) : 0;
        most += static_cast<double>(node.piece_delay) * static_cast<double>(expected.arrivals[0].values.size() + node.starts + 1);
    }
    if (Ms(report.elapsed).count() > most)
        built.common->complaints.add(fmt::format("the run took {} ms. Expected: at most {}, all waits one after the other", Ms(report.elapsed).count(), most));
}

}  // namespace

void check_stats(const Plan& plan, Built& built, const std::vector<agdf::NodeStats>& stats)
{
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        for (const std::size_t place : {built.places[i].index, built.places[i].second}) {
            const agdf::NodeStats& node = stats[place];
            const Number queued = node.queued > plan.nodes[i].starts ? node.queued - plan.nodes[i].starts : 0;
            if (queued > node.queue_size || node.queue_peak > node.queue_size)
                built.stations[i]->complain(fmt::format("{} items are queued, {} were at most. Expected: at most {}", node.queued, node.queue_peak, node.queue_size));
            const Number weight = place == built.places[i].index ? plan.nodes[i].weight : 0;
            if (weight > 0 && node.queue_peak > weight)  // each item weighs 1 at least, and one that is too heavy waits alone
                built.stations[i]->complain(fmt::format("{} items were queued, of a weight of {} at most", node.queue_peak, weight));
            if (node.active > node.workers)
                built.stations[i]->complain(fmt::format("{} workers are active. Expected: at most {}", node.active, node.workers));
        }
}

void check_balance(const Plan& plan, std::size_t index, const NodeForecast& forecast, Built& built, const agdf::RunReport& report,
                   bool was_cut)
{
    Station& station = *built.stations[index];
    const NodePlan& node = plan.nodes[index];
    const ShapeFacts& facts = node.facts();
    const agdf::NodeStats& stats = report.nodes[built.places[index].index];
    Number in = stats.in;
    Number gone = station.finished + stats.err + stats.undelivered + stats.dropped;
    // What an edge throws is counted beside an item whose body finishes all the same; a stream of an item does not.
    const bool ends_stream = facts.streams && !facts.whole && !forecast.is_source;
    const bool depends = facts.streams && node.attempts > 1;  // one that is kept back finishes first
    const Number beside = ends_stream || depends ? 0 : station.edge_errors.load();
    const Number perhaps_beside = depends ? station.edge_errors.load() : 0;
    gone -= std::min(gone, beside);
    if (facts.two) {
        const agdf::NodeStats& second = report.nodes[built.places[index].second];
        in += second.in;
        gone += second.undelivered + second.dropped;
    }
    if (stats.queued > 0 || stats.active > 0)
        station.complain(fmt::format("{} items are queued and {} workers active after the end", stats.queued, stats.active));
    const bool batches = node.is() == Shape::batch || node.is() == Shape::window;
    if (node.is() == Shape::zip || (batches && !has_mapped_edge(plan, index)))
        return;
    if (facts.takes == Takes::nothing && was_cut && node.starts > 0)
        return;
    const bool fed = std::any_of(plan.edges.begin(), plan.edges.end(), [&](const EdgePlan& edge) { return edge.to == index; });
    const bool has_starts = std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& other) { return other.starts > 0; });
    in += node.starts;
    if (facts.takes == Takes::nothing && !fed && !has_starts) {
        if (was_cut)
            return;
        in = 1;
    }
    bool is_right = in <= gone && gone <= in + perhaps_beside;
    if (facts.blocking && node.timeout > 0)
        is_right = in <= gone;  // a call that was given up finishes alone
    else if (was_cut && (node.attempts > 1 || node.ordered > 0 || facts.blocking || node.is() == Shape::reduce || node.is() == Shape::dedupe))
        is_right = in <= gone;  // a body may have ended whose outputs were lost
    else if (was_cut && facts.whole && !facts.piece)
        is_right = in >= gone && in - gone <= node.workers;  // the library does not know what such a body has in its hands
    if (!is_right)
        station.complain(fmt::format("{} items came, of which {} were finished, {} failed, {} were not delivered and {} dropped", in, station.finished.load(),
                                     stats.err, stats.undelivered, stats.dropped));
}

void check_run(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions)
{
    check_outcome(plan, forecast, built, report, conditions);
    check_errors(plan, built, report);
    check_edges(plan, built, report);
    check_groups(plan, built, report);
    check_drain(plan, built, report);
    const bool cut = report.outcome != agdf::Outcome::completed && report.outcome != agdf::Outcome::completed_with_errors;
    if (conditions.exact && !cut && conditions.virtual_time)
        check_time(plan, forecast, built, report, conditions);
    // A source that stands still in a pause has given its permit to others, and looks as if it were under way.
    const bool is_paused = std::any_of(plan.actions.begin(), plan.actions.end(), [](const ActionPlan& action) { return action.is() == ActionKind::pause; });
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        Station& station = *built.stations[i];
        const NodePlan& node = plan.nodes[i];
        const bool may_go_on = node.facts().blocking && (cut || node.timeout > 0);
        if (station.setups != station.teardowns)
            station.complain(fmt::format("{} setups and {} teardowns", station.setups.load(), station.teardowns.load()));
        if (!may_go_on && station.gauge.now() != 0)
            station.complain(fmt::format("{} bodies are still there after the end", station.gauge.now()));
        if (!may_go_on && station.gauge.most() > node.workers)
            station.complain(fmt::format("{} bodies were under way at once. Expected: at most {}", station.gauge.most(), node.workers));
        if (station.limit() && !is_paused && station.limit()->most() > node.limit)
            station.complain(fmt::format("{} attempts were under way at once. Expected: at most {}", station.limit()->most(), node.limit));
        if (forecast.setup_fails && station.seen.count() > 0)
            station.complain("it saw items although a setup failed");
        if (node.per_worker > 0 && !cut && station.makes != node.workers)
            station.complain(fmt::format("{} bodies were made. Expected: {}", station.makes.load(), node.workers));
    }
}

}  // namespace graphs
