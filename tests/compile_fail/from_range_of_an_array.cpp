// expect: agdf::from_range(range): the range has no begin() and end() of its own
// and no other error
#include <agdf/agdf.hpp>

const int elements[] = {1, 2, 3};
auto body = agdf::from_range(elements);
