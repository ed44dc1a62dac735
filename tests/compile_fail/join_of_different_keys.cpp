// expect: agdf::join<A, B>(key_of_a, key_of_b): the key functions return different types
// and no other error
#include <agdf/agdf.hpp>

auto body = agdf::join<int, long>([](const int& n) { return n; }, [](const long& n) { return n; });
