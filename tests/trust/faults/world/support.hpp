#pragma once

// What the tests of faults from outside share.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <sys/resource.h>

#include <cstddef>

namespace faults {

/// Counts faults of one kind; the program prints them at its end.
class Tried {
public:
    explicit Tried(const char* kind);
    void operator()(std::size_t faults = 1) noexcept { count_ += faults; }

    [[nodiscard]] const char* kind() const noexcept { return kind_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    const char* kind_;
    std::size_t count_ = 0;
};

/// Lowers a limit of the process for as long as it lives.
class Limit {
public:
    Limit(__rlimit_resource resource, rlim_t limit);
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    ~Limit() { lift(); }
    void lift() noexcept { setrlimit(resource_, &before_); }

private:
    __rlimit_resource resource_;
    rlimit before_{};
};

/// The lowest descriptor that is free.
[[nodiscard]] int lowest_descriptor();

/// Megabytes of memory that the process has in use.
[[nodiscard]] double resident_megabytes();

}  // namespace faults
