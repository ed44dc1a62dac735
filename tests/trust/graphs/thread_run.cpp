#include "virtual_run.hpp"
namespace graphs {
std::vector<std::string> run_on_threads(const Plan&, std::size_t, Number) { return {}; }
}
