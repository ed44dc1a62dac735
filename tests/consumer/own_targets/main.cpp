#include <agdf/detail/config.hpp>

#if !defined(OWN_ASIO) || !defined(OWN_FMT)
#error "agdf::agdf does not link the asio::asio and fmt::fmt of the project. Expected: those, since they were there before it."
#endif

int main() { return 0; }
