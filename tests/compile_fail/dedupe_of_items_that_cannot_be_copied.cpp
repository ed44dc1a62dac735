// expect: agdf::dedupe<T>(key): the key function does not fit
#include <agdf/agdf.hpp>

#include <memory>

auto body = agdf::dedupe<std::unique_ptr<int>>();
