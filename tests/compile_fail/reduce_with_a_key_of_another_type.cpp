// expect: agdf::reduce<T>(key, initial, fold): the key function does not fit
// and no other error
#include <agdf/agdf.hpp>

auto body = agdf::reduce<std::string>([](int n) { return n; }, 0, [](int& count, const std::string&) { ++count; });
