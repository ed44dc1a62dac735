// expect: agdf::dedupe<T>(key): the key function does not fit
// and no other error
#include <agdf/agdf.hpp>

#include <memory>

auto body = agdf::dedupe<std::unique_ptr<int>>();
