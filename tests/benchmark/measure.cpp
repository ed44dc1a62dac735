#include "measure.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <utility>

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

namespace benchmark {

namespace {

double seconds_of(clockid_t clock)
{
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The highest that resident memory has been, in KiB.
double peak_memory()
{
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:"))
            return std::strtod(line.c_str() + 6, nullptr);
    throw std::runtime_error("/proc/self/status has no line VmHWM. Expected: Linux. Leave out this measurement with --filter.");
}

/// What the new process does: writes how much the peak has grown, and ends.
[[noreturn]] void measure_growth(const std::function<std::int64_t()>& program, std::int64_t expected, int answer)
{
    int status = 1;
    try {
        malloc_trim(0);                                // what earlier programs left would hide what this one needs
        std::ofstream{"/proc/self/clear_refs"} << 5;   // the peak begins at what is resident now
        const double before = peak_memory();
        const bool right = program() == expected;
        const double growth = right ? peak_memory() - before : std::nan("");
        status = write(answer, &growth, sizeof growth) == sizeof growth ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "agdf_benchmark: {}\n", error.what());
    }
    _exit(status);
}

std::string text_of(double value)
{
    if (value == 0 || std::abs(value) >= 100)
        return fmt::format("{:.0f}", value);
    return fmt::format("{:.{}f}", value, std::abs(value) >= 10 ? 1 : std::abs(value) >= 1 ? 3 : 4);
}

std::string quoted(std::string_view text)
{
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + '"';
}

std::string json_of(const Spread& spread)
{
    return fmt::format(R"({{"median": {:.6g}, "min": {:.6g}, "max": {:.6g}}})", spread.median, spread.min, spread.max);
}

std::string json_of(const Workload& workload, const Program& program)
{
    std::string ratios;
    for (const std::string& other : workload.compared_with)
        if (const Program* to = workload.program(other))
            ratios += fmt::format("{}{}: {}", ratios.empty() ? "" : ", ", quoted(other), json_of(ratio(program, *to)));
    return fmt::format(R"({{"system": {}, "figure": {}, "cpu_seconds": {}, "ratio_to": {{{}}}}})", quoted(program.system),
                       json_of(spread_of(workload.figures(program))), json_of(spread_of(program.cpu_seconds)), ratios);
}

}  // namespace

void Meter::start()
{
    stopped_ = false;
    cpu_begun_ = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    begun_ = seconds_of(CLOCK_MONOTONIC);
}

void Meter::stop()
{
    seconds_ = seconds_of(CLOCK_MONOTONIC) - begun_;
    cpu_seconds_ = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_begun_;
    stopped_ = true;
}

double peak_memory_growth(const std::function<std::int64_t()>& program, std::int64_t expected)
{
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0)
        throw std::runtime_error("there is no pipe to another process: errno " + std::to_string(errno));
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0)
        throw std::runtime_error("there is no process to measure memory in: errno " + std::to_string(errno));
    if (child == 0)
        measure_growth(program, expected, ends[1]);
    close(ends[1]);
    double growth = 0;
    const bool answered = read(ends[0], &growth, sizeof growth) == sizeof growth;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!answered || status != 0)
        throw std::runtime_error("the process that memory was measured in failed");
    if (std::isnan(growth))
        throw WrongSum("the process that memory was measured in came to a wrong sum. The program loses, doubles or changes items.");
    return growth;
}

Spread spread_of(std::vector<double> values)
{
    if (values.empty())
        return {};
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {median, values.front(), values.back()};
}

const Program* Workload::program(std::string_view system) const
{
    const auto found = std::find_if(programs.begin(), programs.end(), [&](const Program& p) { return p.system == system; });
    return found == programs.end() ? nullptr : &*found;
}

std::vector<double> Workload::figures(const Program& of) const
{
    const Program* const base = program(speed_up_over);
    if (!base)
        return of.costs;
    std::vector<double> speed_ups;
    for (std::size_t i = 0; i < of.costs.size(); ++i)
        speed_ups.push_back(base->costs[i] / of.costs[i]);
    return speed_ups;
}

namespace {

/// Runs a program; what it throws is told with its name.
std::int64_t run_once(const Workload& workload, const Program& program, Meter& meter)
try {
    meter.start();
    const std::int64_t sum = program.run(meter);
    if (!meter.stopped())
        meter.stop();
    return sum;
} catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("{}: {}: {}", workload.name, program.system, error.what()));
}

}  // namespace

void measure(Workload& workload, int rounds)
{
    // A program that is over after two milliseconds is run several times in its turn: just after another one, or after a sleep,
    // a processor needs that long to be at its speed.
    constexpr double least_seconds = 0.025;
    for (int round = 0; round <= rounds; ++round) {
        for (Program& program : workload.programs) {
            double cost = 0;
            double seconds = 0;
            double cpu_seconds = 0;
            int runs = 0;
            for (bool again = true; again; ++runs) {
                Meter meter;
                const std::int64_t sum = run_once(workload, program, meter);
                if (sum != program.expected)
                    throw WrongSum(fmt::format("{}: {}: the sum is {}. Expected: {}. The program loses, doubles or changes items.",
                                               workload.name, program.system, sum, program.expected));
                seconds += meter.seconds();
                cost += meter.figure().value_or(meter.seconds()) * program.per_second;
                cpu_seconds += meter.cpu_seconds();
                again = seconds < least_seconds && !meter.figure();
            }
            if (round > 0) {  // the first one warms up
                program.costs.push_back(cost / runs);
                program.cpu_seconds.push_back(cpu_seconds / runs);
            }
        }
    }
}

Spread ratio(const Program& of, const Program& to)
{
    std::vector<double> ratios;
    for (std::size_t i = 0; i < of.costs.size(); ++i)
        ratios.push_back(of.costs[i] / to.costs[i]);
    return spread_of(std::move(ratios));
}

std::vector<Verdict> verdicts(const Workload& workload)
{
    std::vector<Verdict> result;
    for (const Bar& bar : workload.bars) {
        const Program* const program = workload.program(bar.system);
        const Program* const other = workload.program(bar.other);
        const bool is_ratio = bar.kind == Bar::Kind::ratio_at_most;
        if (!program || (is_ratio && !other))
            continue;
        Verdict verdict{.text = {}, .bar = bar.value, .at_least = bar.kind == Bar::Kind::figure_at_least};
        if (is_ratio) {
            verdict.text = fmt::format("{}: {} / {}", workload.name, bar.system, bar.other);
            verdict.measured = ratio(*program, *other).median;
        } else if (bar.kind == Bar::Kind::cpu_seconds_at_most) {
            verdict.text = fmt::format("{}: {}, CPU seconds", workload.name, bar.system);
            verdict.measured = spread_of(program->cpu_seconds).median;
        } else {
            verdict.text = fmt::format("{}: {}, {}", workload.name, bar.system, workload.unit);
            verdict.measured = spread_of(workload.figures(*program)).median;
        }
        verdict.held = verdict.at_least ? verdict.measured >= verdict.bar : verdict.measured <= verdict.bar;
        result.push_back(std::move(verdict));
    }
    return result;
}

void print_table(const Workload& workload)
{
    fmt::print("\n{}: {}\n{:<34}{:>16}{:>10}{:>10}{:>9}", workload.name, workload.title, "", workload.unit, "min", "max", "CPU s");
    for (const std::string& other : workload.compared_with)
        if (workload.program(other))
            fmt::print("{:>18}", "/ " + other);
    fmt::print("\n");
    for (const Program& program : workload.programs) {
        const Spread figure = spread_of(workload.figures(program));
        fmt::print("{:<34}{:>16}{:>10}{:>10}{:>9.3f}", program.system, text_of(figure.median), text_of(figure.min), text_of(figure.max),
                   spread_of(program.cpu_seconds).median);
        for (const std::string& other : workload.compared_with)
            if (const Program* to = workload.program(other))
                fmt::print("{:>18}", text_of(ratio(program, *to).median));
        fmt::print("\n");
    }
    std::fflush(stdout);
}

void print_verdicts(const std::vector<Workload>& workloads)
{
    bool headed = false;
    for (const Workload& workload : workloads) {
        for (const Verdict& verdict : verdicts(workload)) {
            if (!std::exchange(headed, true))
                fmt::print("\n{:<52}{:>18}{:>12}\n", "The bars", "bar", "measured");
            fmt::print("{:<52}{:>18}{:>12}  {}\n", verdict.text, (verdict.at_least ? "at least " : "at most ") + text_of(verdict.bar),
                       text_of(verdict.measured), verdict.held ? "held" : "MISSED");
        }
    }
}

void print_json(const std::vector<Workload>& workloads, int rounds, std::int64_t items)
{
    fmt::print("{{\"rounds\": {}, \"items\": {}, \"workloads\": [", rounds, items);
    std::string bars;
    for (std::size_t i = 0; i < workloads.size(); ++i) {
        const Workload& workload = workloads[i];
        fmt::print("{}\n  {{\"name\": {}, \"title\": {}, \"unit\": {}, \"systems\": [", i == 0 ? "" : ",", quoted(workload.name),
                   quoted(workload.title), quoted(workload.unit));
        for (std::size_t j = 0; j < workload.programs.size(); ++j)
            fmt::print("{}\n    {}", j == 0 ? "" : ",", json_of(workload, workload.programs[j]));
        fmt::print("]}}");
        for (const Verdict& verdict : verdicts(workload))
            bars += fmt::format("{}\n  {{\"text\": {}, \"bar\": {:.6g}, \"at_least\": {}, \"measured\": {:.6g}, \"held\": {}}}",
                                bars.empty() ? "" : ",", quoted(verdict.text), verdict.bar, verdict.at_least, verdict.measured,
                                verdict.held);
    }
    fmt::print("],\n\"bars\": [{}]}}\n", bars);
}

}  // namespace benchmark
