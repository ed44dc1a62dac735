// What every test executable needs besides its tests.

// A Catch2 without its library Catch2WithMain is a version 2 that makes main() from this macro.
#if defined(AGDF_TESTS_NEED_MAIN)
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
#endif

// The sanitizers' options, here and not in ctest's environment, so that an executable run by hand has them too.
extern "C" {
const char* __asan_default_options();
const char* __asan_default_options() { return "detect_stack_use_after_return=1:check_initialization_order=1"; }
const char* __ubsan_default_options();
const char* __ubsan_default_options() { return "print_stacktrace=1"; }
const char* __tsan_default_options();
const char* __tsan_default_options() { return "second_deadlock_stack=1"; }
}
