#include "world.hpp"

#include "steady_clock.hpp"

#include <agdf/retry.hpp>

#include <fmt/core.h>

#include <cstdio>

namespace schedules {

namespace {

Order order_of(std::uint64_t seed)
{
    return static_cast<Order>(Random::mix(seed + 1) % 4);
}

/// One of three, of which none is the first.
int chance_of(std::uint64_t number, int some, int often)
{
    return number % 3 == 0 ? 0 : number % 3 == 1 ? some : often;
}

}  // namespace

World::World(std::uint64_t seed, bool is_traced)
    : random(Random::mix(seed)),
      chances_(Random::mix(seed) + 1),
      order_(order_of(seed)),
      hurry_(chance_of(Random::mix(seed + 2), 2, 15)),
      nest_(chance_of(Random::mix(seed + 3), 10, 40)),
      is_traced_(is_traced)
{
    begin_steady_clock(seed);
    agdf::detail::random_state() = Random::mix(seed + 4);
    add_context();
    note("order {}, hurry {} %, nested {} %", static_cast<int>(order_), hurry_, nest_);
}

World::~World()
{
    for (std::size_t i = 0; i < places_.size(); ++i)
        destroy_context(i);
}

void World::add_context()
{
    auto context = std::make_unique<ShuffledContext>(chances_, order_);
    auto time = std::make_unique<agdf::testing::VirtualTime>(*context);
    places_.push_back({std::move(context), std::move(time)});
}

void World::destroy_context(std::size_t index)
{
    Place& place = places_[index];
    if (chances_.percent(50))
        place.time.reset();
    place.context.reset();
    place.time.reset();
}

bool World::go_on()
{
    if (hurry_ > 0 && chances_.percent(hurry_) && move_time())
        note("time moves on, too early");
    constexpr int others_go = 20;  // percent
    if ((others_ && chances_.percent(others_go) && let_another_go_on()) || step() || let_another_go_on()) {
        ++steps_;
        return true;
    }
    return move_time();
}

void World::let_others_run()
{
    constexpr std::size_t deepest = 3;
    constexpr int others_go = 30;  // percent
    settle();
    while (nest_ > 0 && chances_.percent(nest_)) {
        std::size_t depth = 0;
        for (const Place& place : places_)
            depth += place.context ? place.context->depth() : 0;
        if (others_ && chances_.percent(others_go))
            (void)let_another_go_on();
        if (depth >= deepest || !step())
            return;
    }
}

bool World::step()
{
    settle();
    const std::size_t first = places_.size() > 1 ? chances_.below(places_.size()) : 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const Place& place = places_[(first + i) % places_.size()];
        if (place.context && place.context->step()) {
            settle();
            return true;
        }
    }
    return false;
}

bool World::move_time()
{
    const std::size_t first = places_.size() > 1 ? chances_.below(places_.size()) : 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const Place& place = places_[(first + i) % places_.size()];
        if (place.time && place.time->advance_to_next())
            return true;
    }
    return false;
}

void World::print(const std::string& line) const
{
    fmt::print("{:5} {:>9} {}\n", steps_, places_.empty() || !places_[0].time ? "-" : fmt::format("{} us", std::chrono::duration_cast<std::chrono::microseconds>(places_[0].time->elapsed()).count()), line);
    std::fflush(stdout);
}

}  // namespace schedules
