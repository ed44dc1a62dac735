#pragma once

// Floor 3: how a run ended.

#include <agdf/report.hpp>

#include <utility>

namespace agdf {

AGDF_DECL RunReport::RunReport() = default;
AGDF_DECL RunReport::RunReport(const RunReport&) = default;
AGDF_DECL RunReport::RunReport(RunReport&&) noexcept = default;
AGDF_DECL RunReport& RunReport::operator=(const RunReport&) = default;
AGDF_DECL RunReport& RunReport::operator=(RunReport&&) noexcept = default;
AGDF_DECL RunReport::~RunReport() = default;

AGDF_DECL void RunReport::throw_if_failed() const
{
    if (first_error)
        std::rethrow_exception(first_error);
    if (outcome == Outcome::cancelled)
        throw asio::system_error(asio::error::operation_aborted, "agdf::RunReport: the run was cancelled");
}

AGDF_DECL void RunReport::add(NodeStats stats, std::vector<std::exception_ptr> exceptions)
{
    nodes.push_back(std::move(stats));
    exceptions_.push_back(std::move(exceptions));
}

AGDF_DECL std::size_t RunReport::index_of(const char* function, std::string_view name) const
{
    std::string names;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (nodes[i].name == name)
            return i;
        names += (i == 0 ? "'" : ", '") + nodes[i].name + "'";
    }
    throw GraphError("agdf::RunReport::" + std::string{function} + ": node '" + std::string{name} +
                     "' was not in the graph. Expected: " + (names.empty() ? "a node, but there was none" : "one of " + names) +
                     ". Use the name given to add_node.");
}

}  // namespace agdf
