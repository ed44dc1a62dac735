// expect: agdf::join<A, B>(key_of_a, key_of_b): a key function does not fit
// and no other error
#include <agdf/agdf.hpp>

auto body = agdf::join<int, long>([](const int& n) { return n; }, [](const std::string& text) { return text; });
