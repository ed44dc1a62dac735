// expect: agdf::testing::faulty(body, faults): the input type of the body cannot be read off it
#include <agdf/testing.hpp>

void wrap()
{
    (void)agdf::testing::faulty([](auto x) { return x; }, {});
}
