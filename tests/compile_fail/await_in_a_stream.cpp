// expect: agdf::Stream: this cannot be awaited in a Stream
#include <agdf/agdf.hpp>

agdf::Stream<int> numbers()
{
    co_await 42;
    co_yield 1;
}
