#pragma once

// Floor 3: how a run ended.

#include <agdf/detail/asio.hpp>
#include <agdf/error.hpp>
#include <agdf/stats.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace agdf {

/// How a run ended; a later one of these wins over an earlier one.
enum class Outcome {
    completed,              ///< nothing failed; what was dropped or left unread is in the numbers
    completed_with_errors,  ///< some items failed, and the run went on
    stopped,                ///< `stop` was called; what had been yielded was carried to the end
    cancelled,              ///< `cancel` was called, or the context was stopped; what was under way was discarded
    halted                  ///< an item failed at a node that halts
};

/// Returns the name of an outcome, as it is written in the code.
[[nodiscard]] constexpr std::string_view to_string(Outcome outcome) noexcept
{
    switch (outcome) {
    case Outcome::completed:
        return "completed";
    case Outcome::completed_with_errors:
        return "completed_with_errors";
    case Outcome::stopped:
        return "stopped";
    case Outcome::cancelled:
        return "cancelled";
    case Outcome::halted:
        return "halted";
    }
    return "unknown";
}

/// What a run did, node by node.
///
///     const agdf::RunReport report = graph.run();
///     for (const agdf::NodeStats& node : report.nodes)
///         fmt::print("{}: {} in, {} out, {} failed\n", node.name, node.in, node.out, node.err);
///     return report.exit_code();
class [[nodiscard]] RunReport {
public:
    RunReport();
    RunReport(const RunReport&);
    RunReport(RunReport&&) noexcept;
    RunReport& operator=(const RunReport&);
    RunReport& operator=(RunReport&&) noexcept;
    ~RunReport();

    Outcome outcome = Outcome::completed;
    std::chrono::nanoseconds elapsed{};
    std::vector<NodeStats> nodes;         ///< in the order in which the nodes were added
    std::exception_ptr first_error;       ///< the halting error, else the first one; null if none
    std::string first_error_node;         ///< the node it happened in
    int signal = 0;                       ///< the signal that stopped or cancelled the run; 0 if none did

    /// Returns the statistics of one node.
    ///
    /// Errors: throws GraphError if there is no such node.
    [[nodiscard]] const NodeStats& node(std::string_view name) const { return nodes[index_of("node", name)]; }

    /// Returns the exceptions kept of one node, oldest first; at most `GraphOptions::max_exceptions`, the newest.
    ///
    /// Errors: throws GraphError if there is no such node.
    [[nodiscard]] const std::vector<std::exception_ptr>& exceptions(std::string_view name) const
    {
        return exceptions_[index_of("exceptions", name)];
    }

    /// Throws `first_error` if an item failed, and asio::system_error(operation_aborted) if the run was cancelled.
    void throw_if_failed() const;

    /// Returns what `main` should: 0 only if the run completed without errors, and 128 + n if the signal n cut it short, as
    /// shells expect it.
    [[nodiscard]] int exit_code() const noexcept
    {
        if (signal != 0 && (outcome == Outcome::stopped || outcome == Outcome::cancelled))
            return 128 + signal;
        return outcome == Outcome::completed ? 0 : 1;
    }

    /// Adds a node; for the library.
    void add(NodeStats stats, std::vector<std::exception_ptr> exceptions);

private:
    [[nodiscard]] std::size_t index_of(const char* function, std::string_view name) const;

    std::vector<std::vector<std::exception_ptr>> exceptions_;
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/report.ipp>
#endif
