// expect: agdf::run_blocking(function): function returns a type that can be neither moved nor copied
#include <agdf/agdf.hpp>

#include <mutex>

auto call()
{
    return agdf::run_blocking([] { return std::mutex{}; });
}
