#pragma once

#include "options.hpp"

#include <cstdio>

namespace brewery {

/// Does what the options ask for and tells about it: the course of the run on `out`, what failed on `err`.
///
/// @return  The exit code: 0 only if the file is complete, 128 + its number after a signal, else 1.
///
/// Errors: throws if there is nothing to start from, such as data that cannot be read or a path that cannot be
///         written.
int run(const Options& options, std::FILE* out, std::FILE* err);

}  // namespace brewery
