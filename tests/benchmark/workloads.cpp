#include "workloads.hpp"

#include "systems.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace benchmark {

namespace {

using Kind = Bar::Kind;
using Run = Int (*)(const Setup&);
using Systems = std::vector<std::pair<const char*, Run>>;

constexpr const char* agdf_name = "agdf";
constexpr const char* limit_name = "limit";
constexpr const char* tuned_name = "asio tuned";
constexpr const char* naive_name = "asio naive";

Program program(std::string system, Run run, const Setup& setup, Int expected, double per_second)
{
    return {std::move(system), [run, setup](Meter&) { return run(setup); }, expected, per_second};
}

std::vector<Program> programs(const Systems& systems, const Setup& setup, Int expected, double per_second)
{
    std::vector<Program> result;
    for (const auto& [system, run] : systems)
        result.push_back(program(system, run, setup, expected, per_second));
    return result;
}

/// The systems in which every workload is written, and oneTBB's where it is found.
std::vector<Program> programs(Run limit, Run agdf, Run tuned, Run naive, const Systems& others, const Setup& setup, Int expected,
                              double per_second)
{
    Systems systems{{limit_name, limit}, {agdf_name, agdf}, {tuned_name, tuned}, {naive_name, naive}};
    systems.insert(systems.end(), others.begin(), others.end());
    return programs(systems, setup, expected, per_second);
}

double ns_for_each(Int items) { return 1e9 / static_cast<double>(items); }

const std::vector<std::string> yardsticks{limit_name, tuned_name, naive_name};

#ifdef AGDF_BENCHMARK_TBB
const Systems tbb_w1{{"tbb graph, lightweight", tbb_graph::w1_lightweight}, {"tbb graph, limited", tbb_graph::w1_limited},
                     {"tbb pipeline", tbb_pipeline::w1}};
const Systems tbb_w2{{"tbb graph, lightweight", tbb_graph::w2}};
const Systems tbb_w3{{"tbb graph", tbb_graph::w3}};
const Systems tbb_w4{{"tbb graph", tbb_graph::w4}, {"tbb pipeline", tbb_pipeline::w4}};
const Systems tbb_w5{{"tbb graph, lightweight, shared", tbb_graph::w5}, {"tbb pipeline", tbb_pipeline::w5}};
const Systems tbb_w6{{"tbb graph, lightweight", tbb_graph::w6}};
const Systems tbb_w7{{"tbb graph", tbb_graph::w7}};
#else
const Systems tbb_w1, tbb_w2, tbb_w3, tbb_w4, tbb_w5, tbb_w6, tbb_w7;
#endif

Workload w1(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items};
    return {.name = "W1",
            .title = "source -> f1 -> f2 -> f3 -> sum, 1 thread",
            .unit = "ns per item",
            .programs = programs(limit::w1, with_agdf::w1, asio_tuned::w1, asio_naive::w1, tbb_w1, setup, sum_of_chain(setup.items),
                                 ns_for_each(setup.items)),
            .compared_with = yardsticks,
            .bars = {{agdf_name, Kind::ratio_at_most, 3, limit_name},
                     {agdf_name, Kind::ratio_at_most, 0.25, tuned_name},
                     {agdf_name, Kind::ratio_at_most, 0.01, naive_name}}};
}

/// W1 with other bodies or queues in agdf, beside plain W1 in the system to which it is compared.
Workload variant_of_w1(const char* name, const char* title, const Sizes& sizes, Run agdf, std::size_t queue_size, const char* other,
                       Run other_run, double bar)
{
    const Setup setup{.items = sizes.items};
    const Int expected = sum_of_chain(setup.items);
    const double per_second = ns_for_each(setup.items);
    const Setup small{.items = sizes.items, .queue_size = queue_size};
    return {.name = name,
            .title = title,
            .unit = "ns per item",
            .programs = {program(agdf_name, agdf, small, expected, per_second), program(other, other_run, setup, expected, per_second)},
            .compared_with = {other},
            .bars = {{agdf_name, Kind::ratio_at_most, bar, other}}};
}

Workload w1_threads(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items, .threads = 2};
    return {.name = "W1:threads",
            .title = "W1 on 2 threads",
            .unit = "ns per item",
            .programs = programs(limit::w1_two_threads, with_agdf::w1, asio_tuned::w1_two_threads, asio_naive::w1_two_threads, tbb_w1,
                                 setup, sum_of_chain(setup.items), ns_for_each(setup.items)),
            .compared_with = yardsticks,
            .bars = {{agdf_name, Kind::ratio_at_most, 0.3, tuned_name}}};
}

Workload w2(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items};
    return {.name = "W2",
            .title = "source -> both f1 and f2 -> one sum",
            .unit = "ns per item",
            .programs = programs(limit::w2, with_agdf::w2, asio_tuned::w2, asio_naive::w2, tbb_w2, setup, sum_of_branches(setup.items),
                                 ns_for_each(setup.items)),
            .compared_with = yardsticks,
            .bars = {{agdf_name, Kind::ratio_at_most, 0.4, tuned_name}}};
}

Workload w3(const Sizes&)
{
    const Setup setup{.items = 20'000};
    const double rounds = static_cast<double>(setup.items) / static_cast<double>(timers);
    const double ideal = rounds * std::chrono::duration<double>(timer_delay).count();
    return {.name = "W3",
            .title = "20,000 items, each awaits a timer of 10 ms, 1,000 at once",
            .unit = "wall / ideal",
            .programs = programs(limit::w3, with_agdf::w3, asio_tuned::w3, asio_naive::w3, tbb_w3, setup,
                                 sum_of(setup.items, f1), 1 / ideal),
            .compared_with = yardsticks,
            .bars = {{agdf_name, Kind::figure_at_most, 1.02}, {agdf_name, Kind::cpu_seconds_at_most, 0.04}}};
}

Workload w4(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items, .threads = 2};
    Workload workload{.name = "W4",
                      .title = "about 1 us of arithmetic for each item, 2 workers on 2 threads",
                      .unit = "speed-up",
                      .programs = programs(limit::w4, with_agdf::w4, asio_tuned::w4, asio_naive::w4, tbb_w4, setup,
                                           limit::w4_serial(setup), ns_for_each(setup.items)),
                      .compared_with = yardsticks,
                      .speed_up_over = "serial loop",
                      .bars = {{agdf_name, Kind::figure_at_least, 1.8}}};
    workload.programs.insert(workload.programs.begin(), program(workload.speed_up_over, limit::w4_serial, setup,
                                                                workload.programs[0].expected, ns_for_each(setup.items)));
    return workload;
}

Workload w5(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items};
    const Int expected = sum_of_chain(setup.items);
    Workload workload{.name = "W5",
                      .title = "W1 with pointers to 256 bytes, which cannot be copied",
                      .unit = "ns per item",
                      .programs = programs(limit::w5, with_agdf::w5, asio_tuned::w5, asio_naive::w5, tbb_w5, setup, expected,
                                           ns_for_each(setup.items)),
                      .compared_with = yardsticks,
                      .bars = {{agdf_name, Kind::ratio_at_most, 0.8, tuned_name}}};
    workload.programs.insert(workload.programs.begin() + 1,
                             program("limit, depth first", limit::w5_depth_first, setup, expected, ns_for_each(setup.items)));
    return workload;
}

Workload w6(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items};
    const Int outputs = setup.items / outputs_per_input * outputs_per_input;
    return {.name = "W6",
            .title = "each item becomes 100 in one node -> sum",
            .unit = "ns per output",
            .programs = programs(limit::w6, with_agdf::w6, asio_tuned::w6, asio_naive::w6, tbb_w6, setup,
                                 sum_of(outputs, [](Int x) { return x; }), ns_for_each(outputs)),
            .compared_with = yardsticks,
            .bars = {{agdf_name, Kind::ratio_at_most, 0.4, tuned_name}}};
}

Workload w7(const Sizes&)
{
    const Setup setup{.items = 2'000};
    const double rounds = static_cast<double>(setup.items) / static_cast<double>(blocking_calls);
    const double ideal = rounds * std::chrono::duration<double>(blocking_time).count();
    return {.name = "W7",
            .title = "2,000 calls that block for 1 ms, 64 at once",
            .unit = "wall / ideal",
            .programs = programs(limit::w7, with_agdf::w7, asio_tuned::w7, asio_naive::w7, tbb_w7, setup,
                                 sum_of(setup.items, f1), 1 / ideal),
            .compared_with = yardsticks,
            .bars = {{agdf_name, Kind::figure_at_most, 1.15}}};
}

Workload growth_of_items(const Sizes& sizes)
{
    Workload workload{.name = "growth:items", .title = "W1 of more and more items", .unit = "ns per item", .compared_with = {"10^5"}};
    Int items = 10'000;
    for (const char* name : {"10^4", "10^5", "10^6", "10^7", "10^8"}) {
        if (items <= 10'000'000 || sizes.huge)
            workload.programs.push_back(program(name, with_agdf::w1, {.items = items}, sum_of_chain(items), ns_for_each(items)));
        items *= 10;
    }
    return workload;
}

Workload growth_of_workers(const Sizes& sizes)
{
    Workload workload{.name = "growth:workers",
                      .title = "W1 with more workers in the second node, of which few have work; without set-up",
                      .unit = "ns per item",
                      .compared_with = {"1 workers"}};
    const Int expected = sum_of_chain(sizes.items);
    for (const std::size_t workers : {1u, 100u, 10'000u}) {
        auto run = [items = sizes.items, workers](Meter& meter) { return with_agdf::many_workers(items, workers, meter); };
        workload.programs.push_back({std::to_string(workers) + " workers", std::move(run), expected, ns_for_each(sizes.items)});
    }
    return workload;
}

Workload growth_of_chains(const Sizes& sizes)
{
    Workload workload{.name = "growth:chain",
                      .title = "chains of more and more nodes, without set-up",
                      .unit = "ns / item / hop",
                      .compared_with = {"2 nodes"}};
    for (const std::size_t nodes : {2u, 10u, 100u, 1'000u}) {
        const auto hops = static_cast<Int>(nodes) - 1;
        const Int items = std::max<Int>(sizes.items * 4 / hops, 10'000);
        workload.programs.push_back({std::to_string(nodes) + " nodes",
                                     [items, nodes](Meter& meter) { return with_agdf::chain(items, nodes - 1, meter); },
                                     sum_of(items, [hops](Int x) { return x + hops - 1; }), ns_for_each(items * hops)});
    }
    return workload;
}

Workload growth_of_queues(const Sizes& sizes)
{
    Workload workload{.name = "growth:queues", .title = "W1 with other queues", .unit = "ns per item", .compared_with = {"queues of 1024"}};
    const Int expected = sum_of_chain(sizes.items);
    for (const std::size_t size : {1u, 8u, 64u, 1'024u, 1'000'000u})
        workload.programs.push_back(program("queues of " + std::to_string(size), with_agdf::w1, {.items = sizes.items, .queue_size = size},
                                            expected, ns_for_each(sizes.items)));
    return workload;
}

Workload growth_by_stats(const Sizes& sizes)
{
    const Setup setup{.items = sizes.items * 10};
    return {.name = "growth:stats",
            .title = "W1 while another thread calls stats() each millisecond, or only wakes",
            .unit = "ns per item",
            .programs = programs({{"unwatched", with_agdf::w1_unwatched}, {"watched", with_agdf::w1_watched}}, setup, sum_of_chain(setup.items),
                                 ns_for_each(setup.items)),
            .compared_with = {"unwatched"},
            .bars = {{"watched", Kind::ratio_at_most, 1.01, "unwatched"}}};
}

Program peak_of(std::string system, std::function<Int()> run, Int expected)
{
    auto measured = [run = std::move(run), expected](Meter& meter) {
        meter.set_figure(peak_memory_growth(run, expected));
        return expected;
    };
    return {std::move(system), std::move(measured), expected};
}

Workload peak_memory(const Sizes& sizes)
{
    Workload workload{.name = "memory:peak", .title = "growth of peak resident memory in W1", .unit = "KiB"};
    const Systems systems{{limit_name, limit::w1}, {agdf_name, with_agdf::w1}, {tuned_name, asio_tuned::w1}, {naive_name, asio_naive::w1}};
    for (const auto& [system, run] : systems) {
        auto once = [program = run, setup = Setup{.items = sizes.items}] { return program(setup); };
        workload.programs.push_back(peak_of(system, std::move(once), sum_of_chain(sizes.items)));
    }
    workload.programs.push_back(peak_of("agdf, 10 times the items", [items = sizes.items * 10] { return with_agdf::w1({.items = items}); },
                                        sum_of_chain(sizes.items * 10)));
    return workload;
}

Workload memory_far_ahead(const Sizes&)
{
    Workload workload{.name = "memory:ahead",
                      .title = "growth of peak resident memory with heavy items and a producer far ahead",
                      .unit = "KiB"};
    for (const Int items : {10'000, 100'000})
        workload.programs.push_back(peak_of("agdf, " + std::to_string(items) + " items",
                                            [items] { return with_agdf::producer_ahead(items); }, sum_of(items, [](Int x) { return x; })));
    return workload;
}

Workload memory_at_rest(const Sizes&)
{
    Workload workload{.name = "memory:idle", .title = "one more worker, one more edge, at rest", .unit = "bytes"};
    const auto add = [&workload](const char* name, double (*bytes)()) {
        auto measured = [bytes](Meter& meter) {
            meter.set_figure(bytes());
            return 0;
        };
        workload.programs.push_back({name, measured});
    };
    add("worker", with_agdf::bytes_of_an_idle_worker);
    add("edge", with_agdf::bytes_of_an_idle_edge);
    workload.bars = {{"worker", Kind::figure_at_most, 2'048}};
    return workload;
}

Workload large_graphs(const Sizes&)
{
    constexpr Int nodes = 10'000;
    constexpr Int edges = 10 * nodes - 55;  // the last ten have fewer
    return {.name = "growth:graph",
            .title = "large graphs",
            .unit = "seconds",
            .programs = {{"chain of 10,000, run", [](Meter&) { return with_agdf::long_chain(nodes); }, nodes - 2},
                         {"100,000 edges, built", [](Meter&) { return with_agdf::build_edges(nodes); }, edges}},
            .compared_with = {},
            .bars = {{"100,000 edges, built", Kind::figure_at_most, 1}}};
}

}  // namespace

std::vector<WorkloadMaker> all_workloads()
{
    return {{"W1", w1},
            {"W1:stream",
             [](const Sizes& sizes) {
                 return variant_of_w1("W1:stream", "W1 with Stream bodies, beside plain W1", sizes, with_agdf::w1_stream, 1'024, tuned_name,
                                      asio_tuned::w1, 0.8);
             }},
            {"W1:awaitable",
             [](const Sizes& sizes) {
                 return variant_of_w1("W1:awaitable", "W1 with awaitable bodies, beside plain W1", sizes, with_agdf::w1_awaitable, 1'024,
                                      tuned_name, asio_tuned::w1, 1.5);
             }},
            {"W1:queue8",
             [](const Sizes& sizes) {
                 return variant_of_w1("W1:queue8", "W1 with queues of 8, beside queues of 1,024", sizes, with_agdf::w1, 8, naive_name,
                                      asio_naive::w1, 1.0 / 20);
             }},
            {"W1:queue1",
             [](const Sizes& sizes) {
                 return variant_of_w1("W1:queue1", "W1 with queues of 1, beside queues of 1,024", sizes, with_agdf::w1, 1, naive_name,
                                      asio_naive::w1, 1.0 / 5);
             }},
            {"W1:threads", w1_threads},
            {"W2", w2},
            {"W3", w3},
            {"W4", w4},
            {"W5", w5},
            {"W6", w6},
            {"W7", w7},
            {"memory:peak", peak_memory},
            {"memory:ahead", memory_far_ahead},
            {"memory:idle", memory_at_rest},
            {"growth:items", growth_of_items},
            {"growth:workers", growth_of_workers},
            {"growth:chain", growth_of_chains},
            {"growth:queues", growth_of_queues},
            {"growth:stats", growth_by_stats},
            {"growth:graph", large_graphs}};
}

}  // namespace benchmark
