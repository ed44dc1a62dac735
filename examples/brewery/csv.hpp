#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace brewery {

/// Reads comma-separated records as RFC 4180 describes them: quoted fields may hold commas, line breaks and
/// doubled quotes; a record ends with CRLF or LF, the last one also with the end of the text. A leading UTF-8
/// byte order mark and empty lines are skipped.
///
/// Errors: throws std::runtime_error with the name of the file, the line, what is wrong and what to do.
class CsvReader {
public:
    /// @param text  The whole file; must outlive the reader.
    /// @param name  What the errors call it, for instance its path.
    CsvReader(std::string_view text, std::string name);

    /// Reads the next record into `fields`; false at the end.
    bool next(std::vector<std::string>& fields);

    /// Throws what is wrong with the record that was read last.
    [[noreturn]] void fail(std::string_view problem) const;

private:
    bool at_line_end() const;
    void skip_line_end();
    void read_plain(std::string& field);
    void read_quoted(std::string& field);

    std::string_view text_;  // what is still to be read
    std::string name_;
    std::size_t line_ = 1;
    std::size_t record_line_ = 1;
};

/// Appends one record and a line feed to `text`. Quotes a field when it holds a comma, a quote or a line break;
/// everything else, UTF-8 included, is copied as it is. (A line feed, as in the data set; readers take both.)
void append_csv(std::string& text, const std::vector<std::string_view>& fields);

}  // namespace brewery
