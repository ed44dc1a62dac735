#include "search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace schedules {

namespace {

constexpr std::size_t most_steps = 200'000;
constexpr unsigned seconds_for_one = 30;

char current[512];

void say_current() noexcept
{
    constexpr char text[] = "\ncrashed or hung in: ";
    (void)!::write(STDOUT_FILENO, text, sizeof text - 1);
    (void)!::write(STDOUT_FILENO, current, std::strlen(current));
    (void)!::write(STDOUT_FILENO, "\n", 1);
}

void on_signal(int number)
{
    say_current();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void remember(const Schedule& schedule)
{
    const std::string command = command_of(schedule);
    const std::size_t size = std::min(command.size(), sizeof current - 1);
    std::memcpy(current, command.data(), size);
    current[size] = '\0';
    ::alarm(seconds_for_one);
}

/// Runs until the end, or until the step at which all is to be destroyed; true if it got there.
bool run(World& world, Scenario& scenario, const Schedule& schedule)
{
    while (!schedule.destroy_at || world.steps() < *schedule.destroy_at) {
        while (scenario.act(false)) {
        }
        scenario.check_step();
        if (!world.go_on() && !scenario.act(true))
            return false;
        if (world.steps() > most_steps) {
            world.expect(false, "after {} handlers there is still something to do", most_steps);
            return true;
        }
    }
    return true;
}

/// Destroys context and scenario in one of the orders that are allowed, and runs on in between where that is.
void destroy(World& world, Scenario& scenario)
{
    const auto destroy_contexts = [&] {
        for (std::size_t i = 0; i < world.contexts(); ++i) {
            scenario.let_go(i);
            world.destroy_context(i);
        }
    };
    if (world.random.percent(50)) {
        world.note("destroys the contexts first");
        destroy_contexts();
        (void)scenario.destroy();
        return;
    }
    world.note("destroys the contexts last");
    const bool may_run = scenario.destroy();
    for (int more = world.random.between(0, 20); may_run && more > 0 && world.go_on(); --more) {
    }
    destroy_contexts();
}

}  // namespace

std::vector<ScenarioEntry>& scenarios()
{
    static std::vector<ScenarioEntry> all;
    return all;
}

Finding explore(const Schedule& schedule)
{
    remember(schedule);
    Finding finding;
    Alive::forget();
    {
        World world{schedule.seed, schedule.is_traced};
        const std::unique_ptr<Scenario> scenario = schedule.scenario->make(world);
        try {
            scenario->begin();
            if (!run(world, *scenario, schedule)) {
                world.expect(scenario->is_over(), "nothing is ready, nothing is due, and yet not all has ended: it stands still");
                if (world.broken().empty())
                    scenario->check();
            }
        } catch (const std::exception& error) {
            world.expect(false, "an exception came out of a handler: {}", error.what());
        }
        finding.steps = world.steps();
        destroy(world, *scenario);
        finding.broken = world.broken();
    }
    if (finding.broken.empty() && Alive::count() != 0)
        finding.broken = fmt::format("{} objects are still alive after all was destroyed", Alive::count());
    ::alarm(0);
    return finding;
}

std::string command_of(const Schedule& schedule)
{
    std::string command = fmt::format("tests/trust/schedules/run --scenario {} --seed {}", schedule.scenario->name, schedule.seed);
    if (schedule.destroy_at)
        command += fmt::format(" --destroy-at {}", *schedule.destroy_at);
    return command;
}

void watch_for_crashes()
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_set_death_callback(say_current);
    std::signal(SIGALRM, on_signal);
#else
    for (const int number : {SIGALRM, SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS})
        std::signal(number, on_signal);
#endif
}

}  // namespace schedules
