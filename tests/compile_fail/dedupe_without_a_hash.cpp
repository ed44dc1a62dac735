// expect: agdf::dedupe<T>(key): the key function does not fit
// and no other error
#include <agdf/agdf.hpp>

struct Row {
    bool operator==(const Row&) const = default;
};

auto body = agdf::dedupe<Row>();
