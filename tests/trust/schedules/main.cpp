// Explores schedules of the library. See `usage`.

#include "search.hpp"
#include "steady_clock.hpp"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace schedules;

constexpr std::string_view usage =
    "Explores schedules, and says with which command a broken one is seen again.\n"
    "  --list             the scenarios\n"
    "  --scenario NAME    only this one\n"
    "  --seeds N          so many seeds of each; the default is enough for 1,000,000 schedules in all\n"
    "  --first S          the first of them; the default is 0\n"
    "  --seconds N        so long, in place of a number of seeds\n"
    "  --destroy          for each seed, and not only for one in fifty, also destroy everything after 0, 1, 2, ... handlers\n"
    "  --seed S           this seed alone, with a trace\n"
    "  --destroy-at N     in that schedule, destroy everything after N handlers\n"
    "  --most N           give up after so many broken schedules; the default is 5\n";

struct Options {
    std::optional<std::string> scenario;
    std::optional<std::uint64_t> seeds;
    std::optional<std::uint64_t> seconds;
    std::optional<std::uint64_t> seed;
    std::optional<std::uint64_t> destroy_at;
    std::uint64_t first = 0;
    std::uint64_t most = 5;
    bool destroys = false;
    bool lists = false;
    bool helps = false;
};

std::uint64_t number_of(std::string_view name, std::string_view text)
{
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        throw std::invalid_argument(fmt::format("{} is '{}'. Expected: a number. Pass one, like {} 7.", name, text, name));
    return number;
}

Options read(const std::vector<std::string_view>& arguments)
{
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view name = arguments[i];
        const auto value = [&] {
            if (++i == arguments.size())
                throw std::invalid_argument(fmt::format("{} is the last word. Expected: its value after it. Add it.", name));
            return arguments[i];
        };
        if (name == "--list")
            options.lists = true;
        else if (name == "--help")
            options.helps = true;
        else if (name == "--destroy")
            options.destroys = true;
        else if (name == "--scenario")
            options.scenario = value();
        else if (name == "--seeds")
            options.seeds = number_of(name, value());
        else if (name == "--first")
            options.first = number_of(name, value());
        else if (name == "--seconds")
            options.seconds = number_of(name, value());
        else if (name == "--seed")
            options.seed = number_of(name, value());
        else if (name == "--destroy-at")
            options.destroy_at = number_of(name, value());
        else if (name == "--most")
            options.most = number_of(name, value());
        else
            throw std::invalid_argument(fmt::format("there is no option '{}'. Expected: one of these.\n{}", name, usage));
    }
    if (options.destroy_at && !options.seed)
        throw std::invalid_argument("--destroy-at stands alone. Expected: the schedule to destroy. Pass --seed as well.");
    return options;
}

std::vector<const ScenarioEntry*> chosen(const Options& options)
{
    std::map<std::string_view, const ScenarioEntry*> by_name;
    for (const ScenarioEntry& entry : scenarios())
        if (!options.scenario || entry.name == *options.scenario)
            by_name.emplace(entry.name, &entry);
    if (by_name.empty())
        throw std::invalid_argument(fmt::format("there is no scenario '{}'. Expected: one of those that --list names. Choose one of them.",
                                                *options.scenario));
    std::vector<const ScenarioEntry*> all;
    for (const auto& [name, entry] : by_name)
        all.push_back(entry);
    return all;
}

struct Count {
    std::uint64_t schedules = 0;
    std::uint64_t destroyed = 0;
    std::uint64_t handlers = 0;
    std::chrono::duration<double> time{};
};

/// Goes through seeds until there are enough, the time is over, or too much is broken.
class Search {
public:
    Search(const Options& options, std::vector<const ScenarioEntry*> all) : options_(options), all_(std::move(all)), counts_(all_.size()) {}

    int run()
    {
        constexpr std::uint64_t in_all = 1'000'000;
        constexpr std::uint64_t block = 50;
        const std::uint64_t seeds = options_.seeds.value_or((in_all + all_.size() - 1) / all_.size());
        for (std::uint64_t begin = 0; goes_on() && (options_.seconds || begin < seeds); begin += block)
            for (std::size_t i = 0; goes_on() && i < all_.size(); ++i)
                explore_block(i, begin, options_.seconds ? begin + block : std::min(begin + block, seeds));
        print();
        return broken_ == 0 ? 0 : 1;
    }

private:
    static constexpr std::uint64_t one_in = 50;  // seeds of which everything is destroyed at each step, unless all are

    [[nodiscard]] bool goes_on() const
    {
        return broken_ < options_.most && (!options_.seconds || real_now() - began_ < std::chrono::seconds(*options_.seconds));
    }

    void explore_block(std::size_t index, std::uint64_t begin, std::uint64_t end)
    {
        const auto began = real_now();
        for (std::uint64_t n = begin; n < end && goes_on(); ++n) {
            Schedule schedule{all_[index], options_.first + n, std::nullopt, false};
            const Finding whole = explore_one(schedule, counts_[index]);
            if (!options_.destroys && n % one_in != 0)
                continue;
            for (std::size_t at = 0; at <= whole.steps && goes_on(); ++at) {
                schedule.destroy_at = at;
                (void)explore_one(schedule, counts_[index]);
                ++counts_[index].destroyed;
            }
        }
        counts_[index].time += real_now() - began;
    }

    Finding explore_one(const Schedule& schedule, Count& count)
    {
        const Finding finding = explore(schedule);
        ++count.schedules;
        count.handlers += finding.steps;
        if (!finding.broken.empty()) {
            ++broken_;
            fmt::print("BROKEN: {}\n  {}\n", finding.broken, command_of(schedule));
            std::fflush(stdout);
        }
        return finding;
    }

    void print() const
    {
        Count sum;
        fmt::print("{:<24} {:>10} {:>10} {:>13} {:>9}\n", "scenario", "schedules", "destroyed", "handlers", "seconds");
        for (std::size_t i = 0; i < all_.size(); ++i) {
            print(all_[i]->name, counts_[i]);
            sum.schedules += counts_[i].schedules;
            sum.destroyed += counts_[i].destroyed;
            sum.handlers += counts_[i].handlers;
            sum.time += counts_[i].time;
        }
        print("all", sum);
        fmt::print("{} schedules explored, {} broken\n", sum.schedules, broken_);
    }

    static void print(std::string_view name, const Count& count)
    {
        fmt::print("{:<24} {:>10} {:>10} {:>13} {:>9.1f}\n", name, count.schedules, count.destroyed, count.handlers, count.time.count());
    }

    const Options& options_;
    const std::vector<const ScenarioEntry*> all_;
    std::vector<Count> counts_;
    std::uint64_t broken_ = 0;
    const std::chrono::system_clock::time_point began_ = real_now();
};

int replay(const Options& options, const ScenarioEntry& scenario)
{
    const Finding finding = explore({&scenario, *options.seed, options.destroy_at, true});
    fmt::print("{} handlers ran: {}\n", finding.steps, finding.broken.empty() ? "all promises held" : "BROKEN: " + finding.broken);
    return finding.broken.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv)
try {
    const Options options = read({argv + 1, argv + argc});
    if (options.helps) {
        fmt::print("{}", usage);
        return 0;
    }
    const auto all = chosen(options);
    if (options.lists) {
        for (const ScenarioEntry* const entry : all)
            fmt::print("{:<24} {}\n", entry->name, entry->about);
        return 0;
    }
    watch_for_crashes();
    if (!options.seed)
        return Search{options, all}.run();
    if (all.size() > 1)
        throw std::invalid_argument("--seed stands alone. Expected: one schedule. Pass --scenario as well.");
    return replay(options, *all.front());
} catch (const std::exception& error) {
    fmt::print(stderr, "agdf_schedules: {}\n", error.what());
    return 2;
}
