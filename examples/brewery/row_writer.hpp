#pragma once

#include "brewery.hpp"
#include "output_file.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace brewery {

/// Writes rows to a CSV file, each id once.
///
/// Errors:         all functions throw std::system_error with the path if the file cannot be written.
/// Thread-safety:  safe. The node that writes runs in the blocking pool, and if the graph is cancelled its last call
///                 may still be under way when the run has ended.
class RowWriter {
public:
    explicit RowWriter(const std::string& path);

    /// Appends rows; one whose id came before is counted, not written.
    void write(const std::vector<Brewery>& rows);

    /// Gives the file its name; nothing can be written after that.
    void publish();

    /// Removes the file unless it was published, as soon as a call that is under way is through.
    void close() noexcept;

    std::size_t written() const;
    std::size_t duplicates() const;

private:
    mutable std::mutex mutex_;
    std::optional<OutputFile> file_;
    std::unordered_set<std::string> ids_;  // of the rows written
    std::size_t duplicates_ = 0;
};

}  // namespace brewery
