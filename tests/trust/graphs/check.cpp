#include "check.hpp"

#include "script.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>

namespace graphs {

void check_balance(const Plan& plan, std::size_t index, const NodeForecast& forecast, Built& built, const agdf::RunReport& report,
                   bool was_cut);
void check_run(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions);

namespace {

[[nodiscard]] bool was_cut(const agdf::RunReport& report)
{
    return report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled || report.outcome == agdf::Outcome::stopped;
}

/// Compares numbers of one node with what was foretold.
class Comparison {
public:
    Comparison(Station& station, const NodeForecast& forecast) : station_(station), forecast_(forecast) {}

    void equal(std::string_view what, Number is, Number expected)
    {
        if (is != expected)
            station_.complain(fmt::format("{} is {}. Expected: {}", what, is, expected));
    }
    void at_most(std::string_view what, Number is, Number most)
    {
        if (is > most)
            station_.complain(fmt::format("{} is {}. Expected: at most {}", what, is, most));
    }
    void compare(std::string_view what, Number is, Number expected, bool exact)
    {
        exact ? equal(what, is, expected) : at_most(what, is, expected);
    }

    void flow(std::string_view what, const Tally& is, const Flow& expected, bool exact)
    {
        if (!expected.known)
            return;
        if (!exact)
            return part_of(what, is, expected);
        equal(fmt::format("the number of items that {}", what), is.count(), expected.values.size());
        Number sum = 0;
        for (const Number value : expected.values)
            sum += mix(value);
        if (is.count() == expected.values.size() && is.sum() != sum)
            station_.complain(fmt::format("other items {} than expected", what));
        else if (is.is_in_order() && expected.ordered && is.sequence() != expected.values)
            station_.complain(fmt::format("the items that {} came in another order than promised", what));
        if (is.is_in_order() && !expected.keys.empty())
            order_by_key(what, is, expected);
    }

private:
    void part_of(std::string_view what, const Tally& is, const Flow& expected)
    {
        at_most(fmt::format("the number of items that {}", what), is.count(), expected.values.size());
        if (!is.is_in_order())
            return;
        std::vector<Number> all = expected.values;
        std::vector<Number> some = is.sequence();
        std::sort(all.begin(), all.end());
        std::sort(some.begin(), some.end());
        if (!std::includes(all.begin(), all.end(), some.begin(), some.end()))
            station_.complain(fmt::format("items {} that cannot have been there", what));
    }

    void order_by_key(std::string_view what, const Tally& is, const Flow& expected)
    {
        std::map<Number, Number> key_of_value;
        std::map<Number, std::vector<Number>> sequences[2];
        for (std::size_t i = 0; i < expected.values.size(); ++i) {
            key_of_value[expected.values[i]] = expected.keys[i];
            sequences[0][expected.keys[i]].push_back(expected.values[i]);
        }
        for (const Number value : is.sequence())
            sequences[1][key_of_value[value]].push_back(value);
        if (sequences[0] != sequences[1])
            station_.complain(fmt::format("items of one key that {} have overtaken each other", what));
    }

    Station& station_;
    const NodeForecast& forecast_;
};

void check_node(const Plan& plan, std::size_t index, const NodeForecast& expected, Built& built, const agdf::RunReport& report, bool exactly)
{
    Station& station = *built.stations[index];
    const NodePlan& node = plan.nodes[index];
    const Place place = built.places[index];
    const agdf::NodeStats& stats = report.nodes[place.index];
    Comparison comparison{station, expected};
    const bool input_shrinks = exactly || (expected.arrivals[0].shrinks && expected.arrivals[1].shrinks);
    const std::size_t ports = node.facts().two ? 2 : 1;
    for (std::size_t port = 0; port < ports; ++port) {
        const agdf::NodeStats& input = report.nodes[port == 0 ? place.index : place.second];
        const Flow& arrivals = expected.arrivals[port];
        if (arrivals.known && input_shrinks)
            comparison.compare(port == 0 ? "in" : "in of the second input", input.in, arrivals.values.size(), exactly && arrivals.exact);
        if (!expected.may_drop[port] && arrivals.shrinks)
            comparison.equal(port == 0 ? "dropped" : "dropped of the second input", input.dropped, 0);
        if (exactly && expected.is_exact && expected.arrivals[0].known && expected.arrivals[1].known)
            comparison.equal(port == 0 ? "undelivered" : "undelivered of the second input", input.undelivered, expected.undelivered[port]);
    }
    const bool input_known = expected.arrivals[0].known && expected.arrivals[1].known;
    // An item whose attempts are cut short fails although it might have succeeded.
    if (input_known && (exactly || (input_shrinks && node.attempts == 1 && !node.facts().two))) {
        const bool knows_outputs = expected.outputs.known && expected.outputs.exact;
        const bool knows_errors = exactly && expected.is_exact && (expected.more_err == 0 || knows_outputs);
        comparison.compare("err", stats.err, expected.err + (knows_errors ? 0 : expected.more_err), knows_errors);
        comparison.compare("retried", stats.retried, expected.retried, exactly && expected.is_exact);
    }
    if (node.facts().yields == Yields::nothing)
        comparison.equal("out", stats.out, 0);
    else if (expected.outputs.known && (exactly || (input_shrinks && expected.outputs.shrinks)))
    {
        const bool is_exact = exactly && expected.outputs.exact;
        comparison.compare("out", stats.out, expected.outputs.values.size() - (is_exact ? expected.uncounted : 0), is_exact);
    }
    if (exactly || (input_shrinks && expected.seen.shrinks))
        comparison.flow("its bodies saw", station.seen, expected.seen, exactly && expected.seen.exact);
    const bool notes = node.facts().piece && std::any_of(plan.edges.begin(), plan.edges.end(), [&](const EdgePlan& edge) {
        return edge.from == index && plan.nodes[edge.to].facts().takes == Takes::item;
    });
    if (exactly && notes && expected.is_exact)
        comparison.flow("it gathered", station.contents, expected.contents, expected.contents.exact);
}

}  // namespace

void check(const Plan& plan, const Forecast& forecast, Built& built, const agdf::RunReport& report, const Conditions& conditions)
{
    const bool cut = was_cut(report);
    const bool exactly = conditions.exact && !cut;
    check_stats(plan, built, report.nodes);
    check_run(plan, forecast, built, report, conditions);
    if (!forecast.setup_fails && (conditions.exact || cut))
        for (std::size_t i = 0; i < plan.nodes.size(); ++i)
            if (conditions.exact)
                check_node(plan, i, forecast.nodes[i], built, report, exactly);
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        check_balance(plan, i, forecast.nodes[i], built, report, cut);
}

}  // namespace graphs
