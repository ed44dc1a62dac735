// expect: agdf::Stream<T>: T cannot travel between nodes
#include <agdf/agdf.hpp>

agdf::Stream<int&> references();

void use()
{
    auto stream = references();
}
