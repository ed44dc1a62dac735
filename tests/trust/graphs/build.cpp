#include "build.hpp"

#include <fmt/core.h>

#include <map>
#include <string>

namespace graphs {

namespace {

asio::awaitable<void> count_setup(std::shared_ptr<Station> station)
{
    co_await agdf::sleep_for(std::chrono::milliseconds(1));
    ++station->setups;
    --station->common().setups_to_come;
}

asio::awaitable<void> count_teardown(std::shared_ptr<Station> station)
{
    station->common().is_torn_down = true;
    ++station->teardowns;
    co_await agdf::sleep_for(std::chrono::milliseconds(1));
}

void add_hooks(agdf::NodeOptions& options, const std::shared_ptr<Station>& station)
{
    const Number setup = station->node().setup;
    if (setup == 0)
        return;
    if (setup == 2) {
        options.setup = [station] { return count_setup(station); };
        options.teardown = [station] { return count_teardown(station); };
        return;
    }
    options.setup = [station, fails = setup == 3] {
        if (fails)
            throw Fatal();
        ++station->setups;
        --station->common().setups_to_come;
    };
    options.teardown = [station] {
        station->common().is_torn_down = true;
        ++station->teardowns;
    };
}

/// Limits that several nodes share, by their group.
struct Shared {
    std::map<Number, agdf::Semaphore> semaphores;
    std::map<Number, std::shared_ptr<Gauge>> gauges;
    std::map<Number, agdf::RateLimiter> limiters;
};

[[nodiscard]] agdf::RateLimiter make_limiter(const NodePlan& node)
{
    return agdf::RateLimiter{agdf::RateLimit{.rate = static_cast<double>(node.rate), .per = std::chrono::seconds(1), .burst = node.burst}};
}

[[nodiscard]] agdf::NodeOptions options_of(const NodePlan& node, Shared& shared)
{
    agdf::NodeOptions options;
    options.workers = node.workers;
    options.queue_size = node.queue;
    options.overflow = static_cast<agdf::Overflow>(node.overflow);
    options.on_error = static_cast<agdf::OnError>(node.on_error);
    options.retry.attempts = node.attempts;
    options.retry.delay = std::chrono::milliseconds(node.delay);
    options.retry.jitter = agdf::Jitter::none;
    options.retry.max_held = node.held;
    if (node.when == 1)
        options.retry.when = [](const Flaky&) { return true; };
    options.timeout = std::chrono::milliseconds(node.timeout);
    if (node.rate > 0)
        options.rate_limit = node.rate_group == 0 ? make_limiter(node) : shared.limiters.try_emplace(node.rate_group, make_limiter(node)).first->second;
    if (node.limit > 0)
        options.limit = node.limit_group == 0 ? agdf::Semaphore{node.limit}
                                              : shared.semaphores.try_emplace(node.limit_group, agdf::Semaphore{node.limit}).first->second;
    options.ordered = node.ordered == 1;
    if (node.ordered == 2)
        options.ordered_by_key = [](const Item& item) { return order_key_of(item.value()); };
    if (node.weight > 0)
        options.queue_weight = {node.weight, [](const Item& item) { return static_cast<std::size_t>(weight_of(item.value())); }};
    return options;
}

[[nodiscard]] std::shared_ptr<Gauge> gauge_of(const NodePlan& node, Shared& shared)
{
    if (node.limit == 0 || node.facts().blocking)  // a call that was given up goes on without its permit
        return nullptr;
    if (node.limit_group == 0)
        return std::make_shared<Gauge>();
    return shared.gauges.try_emplace(node.limit_group, std::make_shared<Gauge>()).first->second;
}

}  // namespace

void Built::begin_anew(bool threads)
{
    Number setups = 0;
    for (const auto& station : stations) {
        station->begin_anew(threads);
        setups += station->node().setup > 0 ? 1 : 0;
    }
    common->setups_to_come = setups;
    common->is_torn_down = false;
    common->calls = 0;
}

void build(Built& built, const Plan& plan, asio::io_context& io)
{
    agdf::GraphOptions options;
    options.threads = plan.options.threads;
    options.on_error = static_cast<agdf::OnError>(plan.options.on_error);
    options.max_exceptions = plan.options.max_exceptions;
    options.log = [](agdf::LogLevel, std::string_view) {};
    options.blocking_threads = 2;
    built.graph.emplace(io, std::move(options));
    Shared shared;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const NodePlan& node = plan.nodes[i];
        const auto station = std::make_shared<Station>(built.common, node, fmt::format("n{}", i), gauge_of(node, shared));
        agdf::NodeOptions node_options = options_of(node, shared);
        add_hooks(node_options, station);
        built.stations.push_back(station);
        built.places.push_back(node.facts().whole ? add_whole_node(built, station, std::move(node_options))
                                                  : add_item_node(built, station, std::move(node_options)));
    }
    add_edges(built, plan);
}

agdf::StartItems starts_of(Built& built, const Plan& plan)
{
    agdf::StartItems starts;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const NodePlan& node = plan.nodes[i];
        for (Number n = 0; n < node.starts; ++n) {
            if (node.facts().takes == Takes::nothing)
                starts.push_back(agdf::start(built.node<void, void>(i)));
            else
                starts.push_back(agdf::start(built.node<Item, void>(i), Item{start_item_of(node, n)}));
        }
    }
    return starts;
}

}  // namespace graphs
