// expect: agdf::run_blocking(function): function returns a reference
#include <agdf/agdf.hpp>

int total = 0;

auto call()
{
    return agdf::run_blocking([]() -> int& { return total; });
}
