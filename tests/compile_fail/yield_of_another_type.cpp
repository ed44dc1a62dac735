// expect: agdf::Stream<T>: what is yielded is not a T
#define WITH_THE_MISTAKE
#include "../../examples/mismatched_arguments.cpp"
