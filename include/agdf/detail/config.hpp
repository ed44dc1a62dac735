#pragma once

// Floor 0: what the compiler must offer, said in one sentence each.

#if !defined(__cpp_impl_coroutine) || __cplusplus < 202002L
#error "agdf: C++20 coroutines are off. Expected: -std=c++20 or later (GCC 12+, Clang 16+). Set CMAKE_CXX_STANDARD to 20 or link agdf::agdf."
#endif

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 12
#error "agdf: this GCC is too old: it breaks down over the library's coroutines. Expected: GCC 12 or later, or Clang 16 or later. Choose another compiler with CMAKE_CXX_COMPILER or CXX."
#endif

#if !defined(__cpp_exceptions)
#error "agdf: exceptions are off. Expected: a build without -fno-exceptions, since a failing item is an exception. Remove the flag for this target."
#endif

#include <version>

/// Version of the library, as in its CMake project.
#define AGDF_VERSION_MAJOR 0
#define AGDF_VERSION_MINOR 1
#define AGDF_VERSION_PATCH 0

// Asio keeps coroutine frames in a free list, which hides a use after free from AddressSanitizer; whoever
// switches that off for Asio means ours as well.
#if defined(ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
#define AGDF_DISABLE_FRAME_RECYCLING 1
#endif

// Of what is compiled with hidden visibility each shared library has its own, but for what the standard library makes of it: so
// a thread would begin in the code of one and go on in that of another. What has a state of a thread or of a context, or is
// thrown, is one in a whole program.
#if defined(__GNUC__) || defined(__clang__)
#define AGDF_ONE_IN_PROGRAM [[gnu::visibility("default")]]
#define AGDF_NOINLINE [[gnu::noinline]]
#define AGDF_ALWAYS_INLINE [[gnu::always_inline]] inline
#define AGDF_FLATTENED [[gnu::noinline, gnu::flatten]]  // what a coroutine calls: in coroutines GCC inlines little
#else
#define AGDF_ONE_IN_PROGRAM
#define AGDF_NOINLINE
#define AGDF_ALWAYS_INLINE inline
#define AGDF_FLATTENED
#endif

// What is not a template has its definitions in impl/*.ipp. As a rule each header brings its own, and all of them are
// inline. With AGDF_SEPARATE_COMPILATION, which the CMake target agdf::compiled sets, programs read the declarations only,
// and impl/agdf.cpp is compiled once.
//
// A virtual function has AGDF_DECL in its class too. Else the first of them would be the class's key function, although it
// becomes inline later, and whoever includes the header would compile the vtable and all that it leads to, used or not.
#if defined(AGDF_SEPARATE_COMPILATION)
#define AGDF_DECL
#else
#define AGDF_DECL inline
#define AGDF_HEADER_ONLY 1
#endif

// Around coroutine templates: GCC (12 to 15) warns that the frame of one, which it counts as a type of the header, holds
// an item or a lambda of the user's .cpp file. That is what templates are for, so the warning is off in between.
#if defined(__GNUC__) && !defined(__clang__)
#define AGDF_COROUTINES_BEGIN _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wsubobject-linkage\"")
#define AGDF_COROUTINES_END _Pragma("GCC diagnostic pop")
#else
#define AGDF_COROUTINES_BEGIN
#define AGDF_COROUTINES_END
#endif

#include <cstddef>

namespace agdf::detail {

/// What processors move between each other at a time. std::hardware_destructive_interference_size is not used: GCC warns
/// that it may differ between translation units.
inline constexpr std::size_t cache_line = 64;

}  // namespace agdf::detail
