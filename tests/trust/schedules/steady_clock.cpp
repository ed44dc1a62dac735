#include "steady_clock.hpp"

#include "random.hpp"

#include <utility>

namespace schedules {

namespace {

struct Clock {
    std::uint64_t looks = 0;
    std::uint64_t seed = 0;
    std::int64_t nanoseconds = 0;

    std::int64_t look() noexcept
    {
        constexpr std::int64_t moment = 100;
        constexpr std::int64_t turn = 450'000;  // longer than twice what a turn aims at
        constexpr std::int64_t slice = 600'000;
        const std::uint64_t chance = Random::mix(seed + ++looks) % 100;
        nanoseconds += chance < 90 ? moment : chance < 97 ? turn : slice;
        return nanoseconds;
    }
};

thread_local Clock steady;
thread_local void (*action_on_look)() = nullptr;

}  // namespace

void begin_steady_clock(std::uint64_t seed) noexcept
{
    constexpr std::int64_t an_hour = 3'600'000'000'000;
    steady = {0, Random::mix(seed), an_hour};
}

void on_next_look(void (*action)()) noexcept
{
    action_on_look = action;
}

std::chrono::system_clock::time_point real_now() noexcept
{
    return std::chrono::system_clock::now();
}

}  // namespace schedules

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept
{
    if (void (*const action)() = std::exchange(schedules::action_on_look, nullptr))
        action();
    return time_point{std::chrono::nanoseconds{schedules::steady.look()}};
}
