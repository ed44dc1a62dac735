// Asio, compiled once for agdf::compiled. A program that compiles Asio itself keeps its own: the linker then has no need
// of this one.

// As for those who use it. Asio 1.22 looks for aligned_alloc in what the standard library has said before: without this it would
// free here with operator delete what it had from aligned_alloc there.
#include <agdf/detail/config.hpp>

#include <asio/impl/src.hpp>
