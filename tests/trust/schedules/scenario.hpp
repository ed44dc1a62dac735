#pragma once

// A scenario: what is to be explored, and what must hold after it.

#include "world.hpp"

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schedules {

class Scenario {
public:
    explicit Scenario(World& world) : world_(world) {}
    Scenario(const Scenario&) = delete;
    Scenario& operator=(const Scenario&) = delete;
    virtual ~Scenario() = default;

    /// Builds what there is to build and begins; nothing runs yet.
    virtual void begin() = 0;
    /// Whether all that was begun has ended.
    [[nodiscard]] virtual bool is_over() const = 0;
    /// Whether what must hold at the end does.
    virtual void check() = 0;
    /// The same at each step.
    virtual void check_step() {}
    /// Lets go of executors of a context that is about to go.
    virtual void let_go(std::size_t /*context*/) {}
    /// Destroys the library's objects, wherever they are; whether the context may be run afterwards.
    virtual bool destroy() = 0;

    /// Does what was planned for this step, or, if nothing else can happen, what was planned for the next.
    bool act(bool is_idle)
    {
        if (plans_.empty() || (plans_.back().step > world_.steps() && !is_idle))
            return false;
        const Plan plan = std::move(plans_.back());
        plans_.pop_back();
        world_.note("now {}", plan.name);
        plan.action();
        return true;
    }

protected:
    /// Plans something for one of the next steps, between two handlers.
    void plan(int latest, std::string name, std::function<void()> action)
    {
        plan_at(world_.steps() + static_cast<std::size_t>(world_.random.between(0, latest)), std::move(name), std::move(action));
    }

    /// Plans it for when nothing else can happen any more.
    void plan_at_a_stand(std::string name, std::function<void()> action)
    {
        plan_at(std::numeric_limits<std::size_t>::max(), std::move(name), std::move(action));
    }

    /// Plans it for a handler of its own, which may run in the middle of another: for what is safe from any thread.
    void plan_anywhere(int latest, std::string name, std::function<void()> action)
    {
        plan(latest, "post: " + name, [this, name, action = std::move(action)] {
            asio::post(world_.context(), [this, name, action] {
                world_.note("now {}", name);
                action();
            });
        });
    }

    World& world_;

private:
    struct Plan {
        std::size_t step;
        std::string name;
        std::function<void()> action;
    };

    void plan_at(std::size_t step, std::string name, std::function<void()> action)
    {
        auto place = plans_.begin();
        while (place != plans_.end() && place->step > step)
            ++place;
        plans_.insert(place, Plan{step, std::move(name), std::move(action)});
    }

    std::vector<Plan> plans_;  // the next one last
};

struct ScenarioEntry {
    std::string_view name;
    std::string_view about;
    std::unique_ptr<Scenario> (*make)(World& world);
};

/// All scenarios, each entered by its own file.
[[nodiscard]] std::vector<ScenarioEntry>& scenarios();

template <class Of>
struct Enter {
    Enter(std::string_view name, std::string_view about)
    {
        scenarios().push_back({name, about, [](World& world) -> std::unique_ptr<Scenario> { return std::make_unique<Of>(world); }});
    }
};

}  // namespace schedules
