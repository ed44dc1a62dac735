// expect: agdf::dedupe<T>(key): the key function does not fit
#include <agdf/agdf.hpp>

struct Row {
    bool operator==(const Row&) const = default;
};

auto body = agdf::dedupe<Row>();
