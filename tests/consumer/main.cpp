// A program of somebody else, in two translation units that include everything.
#include <agdf/agdf.hpp>

int count_to(int limit);

int main() { return count_to(100) == 100 ? 0 : 1; }
