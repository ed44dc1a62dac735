#include "support.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace faults {
namespace {

struct Kinds {
    std::vector<const Tried*> all;
    ~Kinds()
    {
        std::size_t sum = 0;
        for (const Tried* const tried : all) {
            std::printf("%-24s %zu\n", tried->kind(), tried->count());
            sum += tried->count();
        }
        std::printf("%zu faults tried: the world outside\n", sum);
    }
};

Kinds& kinds()
{
    static Kinds instance;
    return instance;
}

}  // namespace

Tried::Tried(const char* kind) : kind_(kind) { kinds().all.push_back(this); }

Limit::Limit(__rlimit_resource resource, rlim_t limit) : resource_(resource)
{
    if (getrlimit(resource, &before_) != 0)
        throw std::runtime_error("the limit cannot be read");
    rlimit tight = before_;
    tight.rlim_cur = limit;
    if (setrlimit(resource, &tight) != 0)
        throw std::runtime_error("the limit cannot be set");
}

int lowest_descriptor()
{
    const int lowest = dup(0);
    close(lowest);
    return lowest;
}

double resident_megabytes()
{
    std::ifstream file{"/proc/self/statm"};
    double all = 0, resident = 0;
    file >> all >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

}  // namespace faults
