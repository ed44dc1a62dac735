#pragma once

// Floor 1: the errors of the library, and how an error is told to a person.

#include <agdf/detail/config.hpp>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agdf {

/// Says that something was built, started or asked for in a way that cannot work.
///
/// Errors: thrown by what builds and starts a graph before an item flows, by a Channel, Semaphore, RateLimiter or ready-made
///         body that is made with options that cannot be, and by a RunReport that is asked for a node which was not there.
///         Its text says where, what is wrong, what was expected and what to do.
class AGDF_ONE_IN_PROGRAM GraphError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Says that something took longer than it was allowed to.
///
/// Errors: thrown by `Channel::send_for`, which destroys its item then, and by `Channel::receive_for`, which has taken none. It
///         is also the error of an attempt that has outlasted `NodeOptions::timeout`.
class AGDF_ONE_IN_PROGRAM TimeoutError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// How much a log line matters.
enum class LogLevel {
    debug,    ///< of use to whoever works on the library
    info,     ///< statistics and the course of a run
    warning,  ///< something was left behind or looks wrong
    error     ///< an item failed, or the run did
};

/// Receives the log lines of a graph, without a newline at their end.
///
/// Thread-safety: called from every thread that runs the graph, maybe at the same time.
using Log = std::function<void(LogLevel, std::string_view)>;

/// Returns the text of an error: `what()` where it has one.
///
///     fmt::print("{}\n", agdf::describe(report.first_error));
[[nodiscard]] AGDF_DECL std::string describe(const std::exception_ptr& error);

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/error.ipp>
#endif
