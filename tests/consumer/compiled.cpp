// A program that uses each part of agdf that agdf::compiled has compiled: what were missing there would not link.
#include <agdf/agdf.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

int count_to(int limit);

namespace {

asio::awaitable<int> twice(int n)
{
    co_await agdf::sleep_for(1us);
    if (n == 3)
        throw std::runtime_error("3 is not wanted");
    co_return 2 * n;
}

agdf::Stream<int> one_by_one(agdf::Receiver<int> numbers)
{
    while (auto n = co_await numbers.next())
        co_yield *n;
}

/// Whether all nodes did what they should, and everybody who watched saw it.
bool runs_with_every_option()
{
    asio::io_context io;
    std::vector<std::string> lines;
    agdf::GraphOptions options{.threads = 2, .log = [](agdf::LogLevel, std::string_view) {}, .stall_after = 1h};
    agdf::Graph graph{io, options};
    int letters = 0;
    int sum = 0;
    auto numbers = graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3, 4}));
    auto doubled = graph.add_node("doubled", twice,
                                  {.workers = 2,
                                   .retry = {.attempts = 2, .delay = 1us, .when = [](const std::runtime_error&) { return true; }},
                                   .timeout = 1h,
                                   .rate_limit = agdf::RateLimit{.rate = 1'000'000, .burst = 10},
                                   .ordered = true,
                                   .limit = agdf::Semaphore{2},
                                   .queue_weight = {100, [](const int&) { return std::size_t{1}; }}});
    auto kept = graph.add_node("kept", one_by_one);
    graph.add_node("added", agdf::blocking([&sum](int n) { sum += n; }), {.setup = [] {}, .teardown = [] {}});
    auto rejected = graph.add_node("rejected", [&letters](agdf::Failed<int>) { ++letters; });
    numbers >> doubled >> kept;
    graph.add_edge("kept", "added");
    graph.add_error_edge(doubled, rejected);
    const agdf::StatsLogger logger{graph, {.interval = 1h, .sink = [&lines](std::string_view line) { lines.emplace_back(line); }}};
    const agdf::RunReport report = graph.run({.start = {agdf::start(numbers), agdf::start("added", 100)}, .stop_on_signals = true});
    const bool drawn = !agdf::to_mermaid(graph).empty() && !agdf::to_dot(graph).empty();
    return report.outcome == agdf::Outcome::completed_with_errors && sum == 114 && letters == 1 && lines.size() == 5 && drawn &&
           report.node("doubled").retried == 1 && agdf::describe(report.first_error) == "3 is not wanted";
}

}  // namespace

int main() { return count_to(100) == 100 && runs_with_every_option() ? 0 : 1; }
