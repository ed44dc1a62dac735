// expect: agdf::join<A, B>(key_of_a, key_of_b): A and B are the same type
// and no other error
#include <agdf/agdf.hpp>

auto body = agdf::join<int, int>([](const int& n) { return n; }, [](const int& n) { return n; });
