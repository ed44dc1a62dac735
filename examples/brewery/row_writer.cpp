#include "row_writer.hpp"

#include "csv.hpp"

#include <string_view>

namespace brewery {
namespace {

std::string header()
{
    std::vector<std::string_view> names;
    for (const Column& column : columns)
        names.push_back(column.name);
    std::string text;
    append_csv(text, names);
    return text;
}

void append_row(std::string& text, const Brewery& row)
{
    std::vector<std::string_view> fields;
    for (const Column& column : columns)
        fields.push_back(row.*column.field);
    append_csv(text, fields);
}

}  // namespace

RowWriter::RowWriter(const std::string& path)
{
    file_.emplace(path);
    file_->write(header());
}

void RowWriter::write(const std::vector<Brewery>& rows)
{
    const std::lock_guard lock(mutex_);
    if (!file_)
        return;  // closed while this call waited: the run was cancelled
    std::string text;
    for (const Brewery& row : rows) {
        if (ids_.insert(row.id).second) {
            append_row(text, row);
        } else {
            ++duplicates_;
        }
    }
    file_->write(text);
}

void RowWriter::publish()
{
    const std::lock_guard lock(mutex_);
    file_->publish();
    file_.reset();
}

void RowWriter::close() noexcept
{
    const std::lock_guard lock(mutex_);
    file_.reset();
}

std::size_t RowWriter::written() const
{
    const std::lock_guard lock(mutex_);
    return ids_.size();
}

std::size_t RowWriter::duplicates() const
{
    const std::lock_guard lock(mutex_);
    return duplicates_;
}

}  // namespace brewery
