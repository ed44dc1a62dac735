#include "brewery/csv.hpp"
#include "brewery/data_set.hpp"
#include "support/catch.hpp"
#include "temporary_folder.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using Catch::Matchers::ContainsSubstring;
using Records = std::vector<std::vector<std::string>>;

namespace {

Records read_all(std::string_view text)
{
    brewery::CsvReader reader(text, "list.csv");
    Records records;
    std::vector<std::string> record;
    while (reader.next(record))
        records.push_back(record);
    return records;
}

const std::string header =
    "id,name,brewery_type,address_1,address_2,address_3,city,state_province,postal_code,country,phone,website_url,"
    "longitude,latitude\n";

}  // namespace

TEST_CASE("a CSV record ends with LF, CRLF or the end of the file", "[brewery][csv]")
{
    CHECK(read_all("a,b\nc,d\r\ne,f") == Records{{"a", "b"}, {"c", "d"}, {"e", "f"}});
    CHECK(read_all("").empty());
    CHECK(read_all("\r\n\n").empty());
    CHECK(read_all("a,\n,b\n,") == Records{{"a", ""}, {"", "b"}, {"", ""}});
}

TEST_CASE("a quoted CSV field may hold commas, quotes and line breaks", "[brewery][csv]")
{
    CHECK(read_all("\"a,b\",\"say \"\"yes\"\"\",\"two\r\nlines\"\n\"\",x") ==
          Records{{"a,b", "say \"yes\"", "two\r\nlines"}, {"", "x"}});
    CHECK(read_all("\"\"\"\"") == Records{{"\""}});
}

TEST_CASE("a byte order mark before CSV is skipped", "[brewery][csv]")
{
    CHECK(read_all("\xEF\xBB\xBF\"id\",name") == Records{{"id", "name"}});
}

TEST_CASE("broken CSV is refused with the file, the line and the way out", "[brewery][csv]")
{
    CHECK_THROWS_WITH(read_all("a,b\n\"x\ny\",\"never closed"),
                      "list.csv:2: a quoted field does not end. Expected: a closing quote");
    CHECK_THROWS_WITH(read_all("a\nb\n\"x\" y\n"), ContainsSubstring("list.csv:3: text behind the closing quote"));
    CHECK_THROWS_WITH(read_all("a\nb \"x\"\n"), ContainsSubstring("list.csv:2: a quote inside an unquoted field"));
    CHECK_THROWS_WITH(read_all("a\rb\r"), ContainsSubstring("list.csv:1: a carriage return without a line feed"));
    CHECK_THROWS_WITH(read_all("\"a\nb\"\nx\"\n"), ContainsSubstring("list.csv:3:"));
}

TEST_CASE("what is written as CSV is read back as it was", "[brewery][csv]")
{
    const Records records{{"", "plain", "a,b"}, {"\"", "ends\r\n", "\n"}, {"’t Ölhytta", "부산 맥주", " spaces "}};
    std::string text;
    for (const auto& record : records)
        brewery::append_csv(text, {record.begin(), record.end()});
    CHECK(read_all(text) == records);
    CHECK(text.substr(0, text.find('\n')) == ",plain,\"a,b\"");
}

TEST_CASE("a data set is read by the names of its columns", "[brewery][csv]")
{
    const TemporaryFolder folder;
    const std::string row = "1,One,micro,Street 1,,,Kronach,Bayern,96317,Germany,+49,,11.3,50.20\r\n";
    const auto rows = brewery::load_data_set(folder.file("data.csv", header + row));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].name == "One");
    CHECK(rows[0].longitude == "11.3");
    CHECK(rows[0].latitude == "50.20");
    CHECK(rows[0].state == "Bayern");
    CHECK(rows[0].street == "Street 1");
}

TEST_CASE("a data set that is not one is refused", "[brewery][csv]")
{
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(brewery::load_data_set(folder.path("none.csv")), ContainsSubstring("No such file"));
    CHECK_THROWS_WITH(brewery::load_data_set(folder.path()), ContainsSubstring("directory"));
    CHECK_THROWS_WITH(brewery::load_data_set(folder.file("empty.csv", "")), ContainsSubstring("the file is empty"));
    CHECK_THROWS_WITH(brewery::load_data_set(folder.file("other.csv", "id,name\n1,One\n")),
                      ContainsSubstring("other.csv:1: there is no column 'brewery_type'"));
    CHECK_THROWS_WITH(brewery::load_data_set(folder.file("short.csv", header + "1,One,micro\n")),
                      ContainsSubstring("short.csv:2: a row of 3 fields. Expected: 14"));
}

TEST_CASE("the generated rows are 9,000 different ones, the same every time", "[brewery][csv]")
{
    const auto rows = brewery::generate_data_set();
    CHECK(rows == brewery::generate_data_set());
    std::set<std::string> ids;
    for (const auto& row : rows)
        ids.insert(row.id);
    CHECK(rows.size() == 9'000);
    CHECK(ids.size() == 9'000);
    const auto is_american = [](const brewery::Brewery& row) { return row.country == "United States"; };
    CHECK(std::count_if(rows.begin(), rows.end(), is_american) == 6'000);
    CHECK(rows[0].id == "e220a839-7b1d-4daf-86e7-9e6aa1b965f4");
}
