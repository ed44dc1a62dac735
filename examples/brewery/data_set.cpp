#include "data_set.hpp"

#include "csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>

namespace brewery {
namespace {

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string read_file(const std::string& path)
{
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
    std::string text;
    std::array<char, 65'536> part;
    while (file) {
        const std::size_t length = std::fread(part.data(), 1, part.size(), file.get());
        text.append(part.data(), length);
        if (length < part.size())
            break;
    }
    if (!file || std::ferror(file.get())) {
        throw std::system_error(errno, std::generic_category(), fmt::format("cannot read '{}'", path));
    }
    return text;
}

// The file has no columns for the API's older names of two fields.
std::string_view name_in_file(std::string_view column)
{
    if (column == "state")
        return "state_province";
    if (column == "street")
        return "address_1";
    return column;
}

}  // namespace

std::vector<Brewery> load_data_set(const std::string& path)
{
    const std::string text = read_file(path);
    CsvReader reader(text, path);
    std::vector<std::string> header;
    if (!reader.next(header))
        reader.fail("the file is empty. Expected: the columns of the Open Brewery DB");

    std::vector<std::size_t> places;  // of each column of the API in the file
    for (const Column& column : columns) {
        auto found = std::find(header.begin(), header.end(), column.name);
        if (found == header.end())
            found = std::find(header.begin(), header.end(), name_in_file(column.name));
        if (found == header.end()) {
            reader.fail(fmt::format("there is no column '{}'. Expected: those of the Open Brewery DB; found: '{}'",
                                    column.name, fmt::join(header, "', '")));
        }
        places.push_back(static_cast<std::size_t>(found - header.begin()));
    }

    std::vector<Brewery> rows;
    std::vector<std::string> record;
    while (reader.next(record)) {
        if (record.size() != header.size()) {
            reader.fail(
                fmt::format("a row of {} fields. Expected: {}, as in the header", record.size(), header.size()));
        }
        Brewery& row = rows.emplace_back();
        for (std::size_t i = 0; i < columns.size(); ++i)
            row.*columns[i].field = record[places[i]];
    }
    return rows;
}

}  // namespace brewery
