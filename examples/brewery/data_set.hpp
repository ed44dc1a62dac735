#pragma once

#include "brewery.hpp"

#include <string>
#include <vector>

namespace brewery {

/// Reads a CSV in the Open Brewery DB's own columns, in any order. `state` and `street`, which the file does not
/// have and the API does, are filled with `state_province` and `address_1`.
///
/// Errors: throws std::runtime_error with the path, the line, what is wrong and what was expected.
std::vector<Brewery> load_data_set(const std::string& path);

/// Invents 9,000 rows of the same schema, the same ones every time: 6,000 of them in the United States, some with
/// quotes, commas, line breaks, letters beyond ASCII and missing values, as real rows have.
std::vector<Brewery> generate_data_set();

}  // namespace brewery
