// expect: agdf::batch_by_key<T>(key): the key function does not fit
// and no other error
#include <agdf/agdf.hpp>

auto body = agdf::batch_by_key<std::string>([](const std::string& text) { return std::string_view{text}; });
