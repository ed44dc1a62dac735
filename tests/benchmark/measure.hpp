#pragma once

// Measures programs in turns, and says what came out as tables or as JSON.

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace benchmark {

/// Takes the time of one run of a program. A program may restart and stop it, so that it leaves out what is not meant, or
/// give a figure that is not a time.
class Meter {
public:
    void start();
    void stop();
    void set_figure(double figure) { figure_ = figure; }

    [[nodiscard]] double seconds() const { return seconds_; }
    [[nodiscard]] double cpu_seconds() const { return cpu_seconds_; }
    [[nodiscard]] const std::optional<double>& figure() const { return figure_; }
    [[nodiscard]] bool stopped() const { return stopped_; }

private:
    double begun_ = 0;
    double cpu_begun_ = 0;
    double seconds_ = 0;
    double cpu_seconds_ = 0;
    bool stopped_ = false;
    std::optional<double> figure_;
};

/// What a program adds to the peak of resident memory, in KiB, in a process of its own.
///
/// Errors: throws std::runtime_error if the program fails there, or if the sum is wrong.
double peak_memory_growth(const std::function<std::int64_t()>& program, std::int64_t expected);

struct Spread {
    double median = 0;
    double min = 0;
    double max = 0;
};
[[nodiscard]] Spread spread_of(std::vector<double> values);

struct Program {
    std::string system;
    std::function<std::int64_t(Meter&)> run;  ///< returns its sum
    std::int64_t expected = 0;                ///< the right one
    double per_second = 1;                    ///< what the seconds are multiplied by to make the figure
    std::vector<double> costs = {};           ///< a figure for each round
    std::vector<double> cpu_seconds = {};
};

/// What a system must reach.
struct Bar {
    enum class Kind { ratio_at_most, figure_at_most, figure_at_least, cpu_seconds_at_most };
    std::string system;
    Kind kind;
    double value;
    std::string other = {};  ///< the system that a ratio is to
};

struct Workload {
    std::string name;
    std::string title;
    std::string unit;
    std::vector<Program> programs = {};
    std::vector<std::string> compared_with = {};  ///< the systems to which ratios are shown
    std::string speed_up_over = {};          ///< if not empty, figures are speed-ups over this system
    std::vector<Bar> bars = {};

    [[nodiscard]] const Program* program(std::string_view system) const;
    /// A program's figure in each round, in the workload's unit.
    [[nodiscard]] std::vector<double> figures(const Program&) const;
};

/// A program came to a wrong sum.
class WrongSum : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Runs all programs of a workload in turns, one round to warm up and then so many that count.
///
/// Errors: throws WrongSum.
void measure(Workload&, int rounds);

/// The ratio of two systems, each round's on its own, so that what disturbs the machine for a while disturbs both.
[[nodiscard]] Spread ratio(const Program& of, const Program& to);

struct Verdict {
    std::string text;
    double bar = 0;
    double measured = 0;
    bool at_least = false;
    bool held = false;
};
/// How the workload's bars were met; those whose systems were not measured are left out.
[[nodiscard]] std::vector<Verdict> verdicts(const Workload&);

void print_table(const Workload&);
void print_verdicts(const std::vector<Workload>&);
void print_json(const std::vector<Workload>&, int rounds, std::int64_t items);

}  // namespace benchmark
