// Asio, compiled once for agdf::compiled. A program that compiles Asio itself keeps its own if that comes first on the link line, as
// its own object files do: the linker then has no need of this one. A library with Asio in it has to come before agdf::compiled,
// or Asio may be defined twice.

// As for those who use it. Asio 1.22 looks for aligned_alloc in what the standard library has said before: without this it would
// free here with operator delete what it had from aligned_alloc there.
#include <agdf/detail/config.hpp>

#include <asio/impl/src.hpp>
