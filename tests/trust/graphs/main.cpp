// Random graphs: each is run, and what it does is compared with what the contract says.

#include "oracle.hpp"
#include "shrink.hpp"
#include "virtual_run.hpp"

#include <fmt/core.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace graphs {

namespace {

struct Settings {
    Number graphs = 100'000;
    Number seconds = 0;   ///< instead of a number of graphs
    Number seed = 1;
    Number step = 1;      ///< from one seed to the next, for several processes at once
    Number threads = 0;   ///< 0: in virtual time
    std::string plan;     ///< a file with one plan, to be run instead
    Number scale = 1;
    bool keep_going = false;
};

[[nodiscard]] Settings read_arguments(int count, char** values)
{
    Settings settings;
    for (int i = 1; i < count; ++i) {
        const std::string name = values[i];
        if (name == "--keep-going") {
            settings.keep_going = true;
            continue;
        }
        if (i + 1 == count)
            throw std::runtime_error(fmt::format("'{}' has no value. Expected: {} VALUE. Add it.", name, name));
        const std::string value = values[++i];
        if (name == "--plan") {
            settings.plan = value;
            continue;
        }
        Number* const number = name == "--graphs" ? &settings.graphs : name == "--seconds" ? &settings.seconds : name == "--seed" ? &settings.seed
                               : name == "--step" ? &settings.step
                               : name == "--threads" ? &settings.threads : name == "--scale" ? &settings.scale : nullptr;
        if (!number)
            throw std::runtime_error(fmt::format("'{}' is not an option. Expected: --graphs N, --seconds N, --seed S, --step N, --threads N, --scale N, --plan FILE "
                                                 "or --keep-going. Choose one.", name));
        if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos)
            throw std::runtime_error(fmt::format("{} is '{}'. Expected: a number. Correct it.", name, value));
        *number = std::stoull(value);
    }
    return settings;
}

/// What the child that runs the graphs has done so far; its parent reads it when it has ended.
struct Progress {
    std::atomic<Number> seed{0};
    std::atomic<Number> graphs{0};
    std::atomic<Number> nodes{0};
    std::atomic<Number> items{0};
    std::atomic<Number> failing_edges{0};  ///< graphs with some
    std::atomic<Number> largest{0};
};

[[nodiscard]] std::vector<std::string> run_plan(const Plan& plan, const Settings& settings, Number seed)
{
    return settings.threads == 0 ? run_in_virtual_time(plan) : run_on_threads(plan, settings.threads, seed);
}

/// One after the other, until one is wrong.
[[nodiscard]] std::vector<std::string> run_graphs(const Settings& settings, Progress& progress, std::chrono::steady_clock::time_point end)
{
    while (settings.seconds > 0 ? std::chrono::steady_clock::now() < end : progress.graphs < settings.graphs) {
        alarm(120);  // nobody hangs for ever
        const Plan plan = generate(progress.seed, settings.scale, settings.threads > 0);
        auto complaints = run_plan(plan, settings, progress.seed);
        ++progress.graphs;
        progress.nodes += plan.nodes.size();
        progress.items += foretell(plan).items;
        if (std::any_of(plan.edges.begin(), plan.edges.end(), [](const EdgePlan& edge) { return edge.fail > 0; }))
            ++progress.failing_edges;
        if (plan.nodes.size() > progress.largest)
            progress.largest = plan.nodes.size();
        if (!complaints.empty())
            return complaints;
        progress.seed += settings.step;
    }
    alarm(0);
    return {};
}

[[nodiscard]] Symptom symptom_of_plan(const Plan& plan, const Settings& settings, bool quiet)
{
    // Threads do not do the same each time.
    const int times = settings.threads == 0 ? 1 : quiet ? 30 : 300;
    const auto run = [&] {
        std::vector<std::string> complaints;
        for (int i = 0; i < times && complaints.empty(); ++i)
            complaints = run_plan(plan, settings, static_cast<Number>(i));
        return complaints;
    };
    return symptom_in_child(run, 60, quiet);
}

void report_failure(const Settings& settings, Number seed)
{
    const std::string threads = settings.threads > 0 ? fmt::format(" --threads {}", settings.threads) : "";
    const std::string scale = settings.scale != 1 ? fmt::format(" --scale {}", settings.scale) : "";
    fmt::print("\nseed {} failed; again with: tests/trust/graphs/run{}{} --seed {} --graphs 1\nMaking it smaller ...\n", seed, threads, scale, seed);
    std::fflush(stdout);
    const Shrunk shrunk = shrink(generate(seed, settings.scale, settings.threads > 0),
                                 [&](const Plan& plan) { return symptom_of_plan(plan, settings, true); });
    const std::string file = fmt::format("failed-{}.plan", seed);
    std::ofstream{file} << print(shrunk.plan);
    fmt::print("The smallest graph of {} that fails like it:\n\n{}\n", shrunk.tries, print(shrunk.plan));
    const Symptom symptom = symptom_of_plan(shrunk.plan, settings, false);
    fmt::print("{}\nAgain with: tests/trust/graphs/run{} --plan {}/{}\n", symptom.empty() ? "It does not fail every time." : symptom, threads,
               std::getenv("PWD") ? std::getenv("PWD") : ".", file);
    std::fflush(stdout);
}

int run_file(const Settings& settings)
{
    std::ifstream file{settings.plan};
    if (!file)
        throw std::runtime_error(fmt::format("the file '{}' cannot be read. Expected: a plan, as a failure prints it. Correct its name.", settings.plan));
    std::ostringstream text;
    text << file.rdbuf();
    const Plan plan = parse(text.str());
    fmt::print("{}", print(plan));
    const Symptom symptom = symptom_of_plan(plan, settings, false);
    fmt::print("{}\n", symptom.empty() ? "It is right." : symptom);
    return symptom.empty() ? 0 : 1;
}

int run_all(const Settings& settings)
{
    void* const memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::runtime_error("there is no memory to share with a child process. Expected: a page. Free some.");
    auto& progress = *new (memory) Progress;
    progress.seed = settings.seed;
    const auto began = std::chrono::steady_clock::now();
    const auto end = began + std::chrono::seconds(settings.seconds);
    Number failures = 0;
    for (;;) {
        const Symptom symptom = symptom_in_child([&] { return run_graphs(settings, progress, end); }, 0, false);
        if (symptom.empty())
            break;
        ++failures;
        fmt::print("{}\n", symptom);
        report_failure(settings, progress.seed);
        if (!settings.keep_going || failures == 20)
            break;
        progress.seed += settings.step;
    }
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    fmt::print("{} graphs, {} of them with failing edges, seeds {} to {}, of {:.1f} nodes on average and {} at most, {} items in all: "
               "{:.1f} s, {:.0f} graphs a second, {}\n",
               progress.graphs.load(), progress.failing_edges.load(), settings.seed, progress.seed.load() - (failures == 0 ? settings.step : 0),
               static_cast<double>(progress.nodes) / static_cast<double>(std::max<Number>(progress.graphs, 1)), progress.largest.load(), progress.items.load(),
               took, static_cast<double>(progress.graphs) / took, failures == 0 ? "all right" : "WRONG");
    return failures == 0 ? 0 : 1;
}

}  // namespace

}  // namespace graphs

int main(int count, char** values)
try {
    const graphs::Settings settings = graphs::read_arguments(count, values);
    return settings.plan.empty() ? graphs::run_all(settings) : graphs::run_file(settings);
} catch (const std::exception& error) {
    fmt::print(stderr, "tests/trust/graphs: {}\n", error.what());
    return 2;
}
