// expect: agdf::reduce<T>(key, initial, fold): the fold does not fit
// and no other error
#include <agdf/agdf.hpp>

auto body = agdf::reduce<int>([](const int& n) { return n; }, 0, [](int total, int n) { total += n; });
