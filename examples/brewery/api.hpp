#pragma once

#include "brewery.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace brewery {

/// What the API speaks, for both sides of the wire.
///
/// A row is a JSON object with the names of `columns`; null where nothing is known. Coordinates are JSON numbers in
/// today's API and were strings in earlier ones, so both are understood; `to_json` writes a number where its text
/// survives the way through a double, and a string where it would not ("7.10").
std::string to_json(const Brewery& row);

/// Reads a page of rows, and the answer of `/meta`, of which only the number of rows is of interest.
///
/// Errors: throw std::runtime_error with what is wrong, what was expected and the start of what came instead.
std::vector<Brewery> parse_rows(std::string_view body);
std::size_t parse_total(std::string_view body);

/// Encodes text for the query of a URL; everything but letters, digits and "-._~" becomes %XX.
std::string encode_query(std::string_view text);

/// The most rows that a page may have.
inline constexpr int max_per_page = 200;

}  // namespace brewery
