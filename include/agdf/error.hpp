#pragma once

// Floor 1: the errors of the library, and how an error is told to a person.

#include <agdf/detail/config.hpp>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace agdf {

/// Says that a graph was built or started in a way that cannot work.
///
/// Errors: thrown by `Graph::add_node`, `add_edge`, `run`, `async_run` and `StatsLogger`, always before an item
///         flows, and by a Channel, Semaphore or RateLimiter that is made with a number that cannot be; a failing
///         node never throws it. Its text says where, what is wrong, what was expected and what to do.
class GraphError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Says that something took longer than it was allowed to.
///
/// Errors: thrown by `Channel::send_for` and `Channel::receive_for`; no item is lost or doubled then.
class TimeoutError : public std::runtime_error {
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
/// Thread-safety: called from every thread that runs the graph; with `threads = 1` never at the same time.
using Log = std::function<void(LogLevel, std::string_view)>;

/// Returns the text of an error: `what()` where it has one.
///
///     fmt::print("{}\n", agdf::describe(report.first_error));
[[nodiscard]] AGDF_DECL std::string describe(const std::exception_ptr& error);

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/error.ipp>
#endif
