#pragma once

// One thing that a program does, tried with every one of its allocations failing in turn.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace faults {

/// What a scenario throws if a promise is broken. It is no std::exception, so that nobody takes it for a fault.
struct Broken {
    std::string what;
};

inline void expect(bool good, const char* what)
{
    if (!good)
        throw Broken{what};
}

struct Scenario {
    std::string name;
    std::function<void()> run;
};

/// All of the program; each file adds its own.
[[nodiscard]] inline std::vector<Scenario>& scenarios()
{
    static std::vector<Scenario> all;
    return all;
}

struct Add {
    Add(const char* name, std::function<void()> run) { scenarios().push_back({name, std::move(run)}); }
};

}  // namespace faults
