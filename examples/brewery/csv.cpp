#include "csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace brewery {

CsvReader::CsvReader(std::string_view text, std::string name) : text_(text), name_(std::move(name))
{
    if (text_.starts_with("\xEF\xBB\xBF"))
        text_.remove_prefix(3);
}

void CsvReader::fail(std::string_view problem) const
{
    throw std::runtime_error(fmt::format("{}:{}: {}", name_, record_line_, problem));
}

bool CsvReader::at_line_end() const { return text_.empty() || text_.front() == '\n' || text_.starts_with("\r\n"); }

void CsvReader::skip_line_end()
{
    if (text_.empty())
        return;
    text_.remove_prefix(text_.front() == '\n' ? 1 : 2);
    ++line_;
}

void CsvReader::read_plain(std::string& field)
{
    while (!at_line_end() && text_.front() != ',') {
        const auto length = std::min(text_.find_first_of(",\"\r\n"), text_.size());
        field.append(text_.substr(0, length));
        text_.remove_prefix(length);
        if (text_.starts_with('"')) {
            fail("a quote inside an unquoted field. Expected: the whole field in quotes and this one doubled");
        }
        if (text_.starts_with('\r') && !at_line_end()) {
            fail(
                "a carriage return without a line feed. Expected: LF or CRLF at the end of a line; put the field in "
                "quotes if it is text");
        }
    }
}

void CsvReader::read_quoted(std::string& field)
{
    do {
        text_.remove_prefix(1);  // the opening quote, or the second one of a doubled quote
        const auto length = text_.find('"');
        if (length == std::string_view::npos)
            fail("a quoted field does not end. Expected: a closing quote");
        const auto part = text_.substr(0, length);
        line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
        field.append(part);
        text_.remove_prefix(length + 1);
        if (text_.starts_with('"'))
            field.push_back('"');
    } while (text_.starts_with('"'));
    if (!at_line_end() && text_.front() != ',') {
        fail(
            "text behind the closing quote of a field. Expected: a comma or the end of the line; double the quotes "
            "inside a field");
    }
}

bool CsvReader::next(std::vector<std::string>& fields)
{
    fields.clear();
    while (!text_.empty() && at_line_end())
        skip_line_end();
    if (text_.empty())
        return false;
    record_line_ = line_;
    for (;;) {
        std::string field;
        if (text_.starts_with('"')) {
            read_quoted(field);
        } else {
            read_plain(field);
        }
        fields.push_back(std::move(field));
        if (at_line_end())
            break;
        text_.remove_prefix(1);  // the comma
    }
    skip_line_end();
    return true;
}

void append_csv(std::string& text, const std::vector<std::string_view>& fields)
{
    bool first = true;
    for (const std::string_view field : fields) {
        if (!first)
            text.push_back(',');
        first = false;
        if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
            text.append(field);
            continue;
        }
        text.push_back('"');
        for (const char c : field) {
            if (c == '"')
                text.push_back('"');
            text.push_back(c);
        }
        text.push_back('"');
    }
    text.push_back('\n');
}

}  // namespace brewery
