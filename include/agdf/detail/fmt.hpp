#pragma once

// Floor 0: fmt::format. Which header has it depends on the version: in the newest ones <fmt/core.h> is the base alone.

#include <cstdlib>  // which fmt 11.1 needs and does not include

#include <fmt/core.h>
#if FMT_VERSION >= 110000
#include <fmt/format.h>
#endif
