// expect: agdf::reduce<T>(key, initial, fold): the initial value cannot be copied
// and no other error
#include <agdf/agdf.hpp>

#include <memory>

auto body = agdf::reduce<int>([](const int& n) { return n; }, std::make_unique<int>(0), [](std::unique_ptr<int>& total, int n) { *total += n; });
