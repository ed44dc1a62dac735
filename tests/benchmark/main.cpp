// agdf beside what else one may use, and beside the limit: the systems of a workload take turns in rounds of one process,
// every sum is checked, and what counts are the ratios, since a single absolute time on a shared machine proves nothing.

#include "measure.hpp"
#include "workloads.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace benchmark;

constexpr std::string_view usage = R"(Usage: agdf_benchmark [option]...
  --filter TEXT   only the workload of this name, or, if there is none, those whose names contain TEXT
  --system TEXT   only the systems whose names contain TEXT
  --rounds N      rounds that count, after one that warms up; 5 if not given
  --items N       items of W1, W2, W4, W5 and W6, and of what is derived from them; 300000 if not given
  --huge          growth up to 10^8 items
  --json          one JSON object instead of tables
  --check         exit code 3 if a bar is missed
  --list          the names of the workloads
  --help          this text
Exit code: 0 if every sum was right, 1 if not, 2 if the options are wrong.
)";

class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Options {
    std::string filter;
    std::string system;
    int rounds = 5;
    Sizes sizes;
    bool json = false;
    bool check = false;
    bool list = false;
    bool help = false;
};

Int number(std::string_view option, std::string_view text, Int least, Int most)
{
    Int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        throw UsageError(fmt::format("{} is '{}'. Expected: a number from {} to {}.", option, text, least, most));
    return value;
}

Options parse(const std::vector<std::string_view>& arguments)
{
    Options options;
    for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
        const std::string_view option = *argument;
        const auto value = [&] {
            if (++argument == arguments.end())
                throw UsageError(fmt::format("{} is the last argument. Expected: its value after it.", option));
            return *argument;
        };
        if (option == "--filter")
            options.filter = value();
        else if (option == "--system")
            options.system = value();
        else if (option == "--rounds")
            options.rounds = static_cast<int>(number(option, value(), 1, 1'000));
        else if (option == "--items")
            options.sizes.items = number(option, value(), 100, 100'000'000);
        else if (option == "--huge")
            options.sizes.huge = true;
        else if (option == "--json")
            options.json = true;
        else if (option == "--check")
            options.check = true;
        else if (option == "--list")
            options.list = true;
        else if (option == "--help")
            options.help = true;
        else
            throw UsageError(fmt::format("there is no option '{}'. Expected: one of those that --help lists.", option));
    }
    return options;
}

std::vector<WorkloadMaker> choose(std::vector<WorkloadMaker> workloads, const std::string& filter)
{
    const auto is_exact = [&](const WorkloadMaker& w) { return w.name == filter; };
    const bool exact = std::any_of(workloads.begin(), workloads.end(), is_exact);
    std::string names;
    for (const WorkloadMaker& workload : workloads)
        names += (names.empty() ? "" : ", ") + workload.name;
    std::erase_if(workloads, [&](const WorkloadMaker& w) { return exact ? !is_exact(w) : w.name.find(filter) == std::string::npos; });
    if (workloads.empty())
        throw UsageError(fmt::format("no workload's name contains '{}'. Expected: a part of one of {}.", filter, names));
    return workloads;
}

int run(const Options& options)
{
    if (options.help) {
        fmt::print("{}", usage);
        return 0;
    }
    const std::vector<WorkloadMaker> makers = choose(all_workloads(), options.filter);
    if (options.list) {
        for (const WorkloadMaker& maker : makers)
            fmt::print("{}\n", maker.name);
        return 0;
    }
    if (!options.json)
        fmt::print("Medians of {} rounds in which the systems take turns, {} items. A ratio is the median of the rounds' ratios of cost.\n",
                   options.rounds, options.sizes.items);
    std::vector<Workload> measured;
    for (const WorkloadMaker& maker : makers) {
        Workload workload = maker.make(options.sizes);
        std::erase_if(workload.programs, [&](const Program& p) {
            return p.system.find(options.system) == std::string::npos && p.system != workload.speed_up_over;
        });
        if (workload.programs.empty())
            continue;
        measure(workload, options.rounds);
        if (!options.json)
            print_table(workload);
        measured.push_back(std::move(workload));
    }
    if (measured.empty())
        throw UsageError(fmt::format("no system's name contains '{}'. Expected: a part of a name in the tables.", options.system));
    if (options.json)
        print_json(measured, options.rounds, options.sizes.items);
    else
        print_verdicts(measured);
    const auto holds = [](const Workload& workload) {
        const auto all = verdicts(workload);
        return std::all_of(all.begin(), all.end(), [](const Verdict& verdict) { return verdict.held; });
    };
    return options.check && !std::all_of(measured.begin(), measured.end(), holds) ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return run(parse({argv + 1, argv + argc}));
    } catch (const UsageError& error) {
        fmt::print(stderr, "agdf_benchmark: {}\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "agdf_benchmark: {}\n", error.what());
        return 1;
    }
}
