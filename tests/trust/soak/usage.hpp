#pragma once

// What the program takes from the system, read off /proc.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace soak {

struct Usage {
    std::size_t kib = 0;  // resident
    std::size_t descriptors = 0;
    std::size_t threads = 0;

    [[nodiscard]] static Usage now()
    {
        Usage usage;
        std::ifstream status{"/proc/self/status"};
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:"))
                usage.kib = std::stoul(line.substr(6));
            if (line.starts_with("Threads:"))
                usage.threads = std::stoul(line.substr(8));
        }
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
            ++usage.descriptors;
        return usage;
    }

    /// The most of each.
    void include(const Usage& other)
    {
        kib = std::max(kib, other.kib);
        descriptors = std::max(descriptors, other.descriptors);
        threads = std::max(threads, other.threads);
    }
};

}  // namespace soak
