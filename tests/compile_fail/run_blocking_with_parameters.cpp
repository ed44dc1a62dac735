// expect: agdf::run_blocking(function): function cannot be called without arguments
#include <agdf/agdf.hpp>

auto call()
{
    return agdf::run_blocking([](int x) { return x; });
}
