#pragma once

// Where one schedule takes place: its contexts, their time, its chances, and what went wrong.

#include "item.hpp"
#include "shuffled_context.hpp"

#include <agdf/testing.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace schedules {

using Duration = std::chrono::steady_clock::duration;
using namespace std::chrono_literals;

/// What goes on beside the contexts, on threads of its own, which the world lets go on one at a time.
class Others {
public:
    /// Waits until they cannot go on by themselves.
    virtual void settle() = 0;
    /// Lets one of them go on; false if none can.
    virtual bool go_on(Random& random) = 0;

protected:
    ~Others() = default;
};

class World {
public:
    World(std::uint64_t seed, bool is_traced);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    // Chances of the scenario, apart from those of the order, so that a change of the one leaves the other as it is.
    Random random;

    [[nodiscard]] ShuffledContext& context(std::size_t index = 0) noexcept { return *places_[index].context; }
    [[nodiscard]] agdf::testing::VirtualTime& time(std::size_t index = 0) noexcept { return *places_[index].time; }
    [[nodiscard]] std::size_t contexts() const noexcept { return places_.size(); }
    [[nodiscard]] bool has_context(std::size_t index) const noexcept { return places_[index].context != nullptr; }
    void add_context();
    /// Destroys a context with all that waits there; what is left of its time goes before or after it.
    void destroy_context(std::size_t index);

    /// Lets something happen; false if nothing can.
    bool go_on();
    /// Lets, now and then, others run in the middle of a handler. Called by bodies: there no lock is held.
    void let_others_run();

    /// From now on there are others, or, for null, none.
    void set_others(Others* others) noexcept { others_ = others; }

    [[nodiscard]] std::size_t steps() const noexcept { return steps_; }

    /// Whether time moves on only when all are idle, so that its limits are exact.
    [[nodiscard]] bool is_punctual() const noexcept { return hurry_ == 0; }

    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args)
    {
        if (is_traced_)
            print(fmt::format(format, std::forward<Args>(args)...));
    }

    /// Remembers the first promise that was broken.
    template <class... Args>
    void expect(bool holds, fmt::format_string<Args...> format, Args&&... args)
    {
        if (holds)
            return;
        std::string text = fmt::format(format, std::forward<Args>(args)...);
        note("BROKEN: {}", text);
        if (broken_.empty())
            broken_ = std::move(text);
    }

    [[nodiscard]] const std::string& broken() const noexcept { return broken_; }

private:
    struct Place {
        std::unique_ptr<ShuffledContext> context;
        std::unique_ptr<agdf::testing::VirtualTime> time;
    };

    void print(const std::string& line) const;
    bool move_time();
    bool step();
    void settle()
    {
        if (others_)
            others_->settle();
    }
    bool let_another_go_on() { return others_ && others_->go_on(chances_); }

    Random chances_;  // of the order
    const Order order_;
    const int hurry_;  // how often, in percent, time moves on although something is ready
    const int nest_;   // the same for others that run in the middle of a handler
    const bool is_traced_;
    std::vector<Place> places_;
    Others* others_ = nullptr;
    std::size_t steps_ = 0;
    std::string broken_;
};

}  // namespace schedules
