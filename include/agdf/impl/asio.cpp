// Asio, compiled once for agdf::compiled. A program that compiles Asio itself keeps its own: the linker then has no need
// of this one.

#include <asio/impl/src.hpp>
