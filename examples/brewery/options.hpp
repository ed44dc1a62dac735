#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace brewery {

/// What the command line asks for.
struct Options {
    std::string url;      ///< of the collection; empty = the local server
    std::string data;     ///< a CSV for the local server; empty = generated rows
    std::string country;  ///< empty = all
    std::string out = "breweries.csv";
    int per_page = 200;
    int concurrency = 8;
    double rate = 0;  ///< requests per second at most; 0 = no limit
    std::chrono::milliseconds timeout{30'000};
    int attempts = 5;
    std::chrono::milliseconds latency{0};
    double error_rate = 0;
    double stall_rate = 0;
};

/// Reads the command line; prints the help and returns nothing if that was asked for.
///
/// Errors: throws std::runtime_error with one line that names the option, its value and what was expected.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace brewery
