// expect: agdf::from_range(range): a std::initializer_list does not own its elements
#include <agdf/agdf.hpp>

auto body = agdf::from_range(std::initializer_list<int>{1, 2, 3});
