// Runs every scenario with every one of its allocations failing in turn: alone, and as the
// first of a lasting shortage.
//
// agdf_faults_memory [--short] [--verbose] [NAME...]
//     --short    of long scenarios every 7th allocation only, from another one on each time
//     NAME       only scenarios with this in their name

#include "trial.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace faults;

constexpr std::array names{"untouched", "survived", "failed", "ended by Asio", "not woken", "TERMINATED", "HUNG", "LEAKED", "BROKEN"};
constexpr std::size_t step_of_short = 7;
constexpr std::size_t small = 60;        // scenarios of so many allocations are always tried in full
constexpr std::size_t most = 100'000;    // of allocations of a scenario
constexpr std::size_t shown = 3;         // failures of a scenario that are shown with all they say

bool is_good(Verdict verdict) { return verdict <= Verdict::waking; }

struct Program {
    bool is_short = false;
    bool verbose = false;
    std::size_t offset = 0;
    std::map<Verdict, std::size_t> totals;
    std::size_t failures = 0;

    void try_all(const Scenario& scenario)
    {
        warm_up(scenario);
        warm_up(scenario);
        std::map<Verdict, std::size_t> counts;
        for (const bool lasts : {false, true}) {
            std::size_t ended = 0;
            for (std::size_t n = 1; n < most && ended < 3; ++n) {
                if (is_short && n > small && n % step_of_short != offset % step_of_short)
                    continue;
                const Trial trial = try_with(scenario, {.first = n, .lasts = lasts});
                if (trial.verdict == Verdict::untouched) {
                    ++ended;  // with several threads another run may need one more
                    continue;
                }
                ended = 0;
                note(scenario, n, lasts, trial, counts);
            }
        }
        std::printf("%-34s", scenario.name.c_str());
        for (const auto& [verdict, count] : counts) {
            std::printf(" %s %zu,", names[static_cast<std::size_t>(verdict)], count);
            totals[verdict] += count;
        }
        std::printf("\n");
        std::fflush(stdout);
    }

    void note(const Scenario& scenario, std::size_t n, bool lasts, const Trial& trial, std::map<Verdict, std::size_t>& counts)
    {
        const std::size_t count = ++counts[trial.verdict];
        const bool good = is_good(trial.verdict);
        failures += good ? 0 : 1;
        if (verbose || (!good && count <= shown))
            std::printf("%s: allocation %zu%s fails: %s: %s\n", scenario.name.c_str(), n, lasts ? " and the memory stays short" : "",
                        names[static_cast<std::size_t>(trial.verdict)], trial.text.c_str());
    }
};

}  // namespace

int main(int argc, char** argv)
{
    Program program;
    program.offset = std::random_device{}();
    std::vector<std::string_view> filters;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--short")
            program.is_short = true;
        else if (argument == "--verbose")
            program.verbose = true;
        else
            filters.push_back(argument);
    }
    const auto start = std::chrono::steady_clock::now();
    try {
        for (const Scenario& scenario : scenarios()) {
            const bool wanted = std::any_of(filters.begin(), filters.end(), [&](std::string_view name) { return scenario.name.find(name) != std::string::npos; });
            if (filters.empty() || wanted)
                program.try_all(scenario);
        }
    } catch (const std::exception& error) {
        std::printf("agdf_faults_memory: %s\n", error.what());
        return 2;
    }
    std::size_t tried = 0;
    for (const auto& [verdict, count] : program.totals) {
        std::printf("%zu %s, ", count, names[static_cast<std::size_t>(verdict)]);
        tried += count;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("in %.1f s\n%zu faults tried: allocations, %zu of them not survived as promised\n", seconds.count(), tried, program.failures);
    return program.failures == 0 ? 0 : 1;
}
