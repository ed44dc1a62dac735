// expect: agdf::testing::probe(body, items): the input type of the body cannot be read off it
#include <agdf/testing.hpp>

void look()
{
    (void)agdf::testing::probe([](auto x) { return x; }, {1, 2});
}
