#include "brewery/api.hpp"
#include "brewery/data_set.hpp"
#include "brewery/local_server.hpp"
#include "support/catch.hpp"

#include <httplib.h>

#include <string>
#include <vector>

using namespace brewery;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Asks a local server as a browser would.
class Visitor {
public:
    explicit Visitor(const LocalServer& server)
        : client_("127.0.0.1", std::stoi(server.url().substr(std::string("http://127.0.0.1:").size())))
    {
    }

    httplib::Result get(const std::string& parameters) { return client_.Get(("/v1/breweries" + parameters).c_str()); }

    /// The first bytes of an answer, after which nobody listens.
    std::string get_begin(const std::string& parameters)
    {
        std::string begin;
        client_.Get(("/v1/breweries" + parameters).c_str(), [&](const char* data, std::size_t length) {
            begin.assign(data, length);
            return false;
        });
        return begin;
    }

private:
    httplib::Client client_;
};

Brewery example()
{
    Brewery row;
    row.id = "7";
    row.name = "The \"Hoppy\" Goat";
    row.country = "South Africa";
    row.longitude = "-97.46818222";
    row.latitude = "7.10";
    return row;
}

}  // namespace

TEST_CASE("a brewery goes through JSON and back as it is", "[brewery][api]")
{
    const Brewery row = example();
    const std::string json = to_json(row);
    CHECK(parse_rows("[" + json + "]") == std::vector<Brewery>{row});
    CHECK_THAT(json, ContainsSubstring("\"longitude\":-97.46818222"));  // a number where that loses nothing
    CHECK_THAT(json, ContainsSubstring("\"latitude\":\"7.10\""));
    CHECK_THAT(json, ContainsSubstring("\"city\":null"));
    std::string all = "[";
    const auto rows = generate_data_set();
    for (const Brewery& each : rows)
        all += (all.size() > 1 ? "," : "") + to_json(each);
    CHECK(parse_rows(all + "]") == rows);
}

TEST_CASE("coordinates may be numbers, strings or null", "[brewery][api]")
{
    const auto rows =
        parse_rows(R"([{"id":"1","longitude":-10,"latitude":"50.20"},{"id":2,"latitude":null,"more":[]}])");
    CHECK(rows[0].longitude == "-10");
    CHECK(rows[0].latitude == "50.20");
    CHECK(rows[1].id == "2");
    CHECK(rows[1].latitude.empty());
}

TEST_CASE("an answer that is not a page of breweries is refused", "[brewery][api]")
{
    CHECK_THROWS_WITH(parse_rows("<html>\n<body>"),
                      "the answer is not JSON. Expected: an array of breweries; got: <html> <body>");
    CHECK_THROWS_WITH(parse_rows(""), ContainsSubstring("got: nothing"));
    CHECK_THROWS_WITH(parse_rows("{\"message\":\"no\"}"), ContainsSubstring("the answer is not an array"));
    CHECK_THROWS_WITH(parse_rows("[{\"id\":\"1\"},7]"), ContainsSubstring("row 2 is not an object"));
    CHECK_THROWS_WITH(parse_rows("[{\"id\":\"1\"},{\"name\":\"x\"}]"), ContainsSubstring("row 2 has no id"));
    CHECK_THROWS_WITH(parse_rows("[{\"id\":null}]"), ContainsSubstring("row 1 has no id"));
    CHECK_THROWS_WITH(parse_rows("[{\"id\":\"1\",\"city\":[2]}]"), ContainsSubstring("the field 'city'"));
    CHECK_THROWS_WITH(parse_rows(std::string(1'000, 'x')), ContainsSubstring("xxx..."));
}

TEST_CASE("the number of rows may be a string or a number", "[brewery][api]")
{
    CHECK(parse_total(R"({"total":"8224","page":"1","per_page":"50"})") == 8'224);
    CHECK(parse_total(R"({"total":8224})") == 8'224);
    for (const char* bad : {"{}", "[]", "7", R"({"total":-1})", R"({"total":"many"})", R"({"total":null})",
                            R"({"total":1.5})", R"({"total":99999999999})"}) {
        CHECK_THROWS_WITH(parse_total(bad), ContainsSubstring("does not say how many rows"));
    }
}

TEST_CASE("the local server filters and pages as the API does", "[brewery][local_server]")
{
    const auto rows = generate_data_set();
    const LocalServer server(rows, {});
    Visitor visitor(server);
    CHECK(visitor.get("/meta?by_country=united_STATES&per_page=7")->body ==
          R"({"total":"6000","page":"1","per_page":"7"})");
    CHECK(visitor.get("/meta?by_state=north%20carolina")->body == R"({"total":"1000","page":"1","per_page":"50"})");
    CHECK(visitor.get("/meta?by_country=Atlantis")->body == R"({"total":"0","page":"1","per_page":"50"})");
    CHECK(parse_rows(visitor.get("?page=2")->body) == std::vector<Brewery>(rows.begin() + 50, rows.begin() + 100));
    CHECK(parse_rows(visitor.get("?per_page=999")->body).size() == 200);
    CHECK(parse_rows(visitor.get("?page=46&per_page=200")->body).empty());
    CHECK(parse_rows(visitor.get("?page=18446744073709551615&per_page=200")->body).empty());
    for (const Brewery& row : parse_rows(visitor.get("?by_type=NANO&by_country=belgium")->body)) {
        CHECK(row.brewery_type == "nano");
        CHECK(row.country == "Belgium");
    }
    for (const char* nonsense : {"?page=0", "?page=-1", "?per_page=x", "?per_page="}) {
        CHECK(visitor.get(nonsense)->status == 400);
    }
}

TEST_CASE("the local server fails the same pages in every run, and not for ever", "[brewery][local_server]")
{
    LocalServerOptions options;
    options.error_rate = 0.05;
    std::vector<std::vector<int>> failed(2);
    for (auto& pages : failed) {
        const LocalServer server(generate_data_set(), options);
        Visitor visitor(server);
        for (int page = 1; page <= 42; ++page) {
            const std::string parameters = "?page=" + std::to_string(page);
            if (visitor.get(parameters)->status == 200)
                continue;
            pages.push_back(page);
            CHECK(visitor.get(parameters)->status == 200);
        }
        CHECK(visitor.get("/meta")->status == 200);
    }
    CHECK(!failed[0].empty());
    CHECK(failed[0] == failed[1]);
}

TEST_CASE("the local server begins answers that do not end, until nobody listens", "[brewery][local_server]")
{
    LocalServerOptions options;
    options.stall_rate = 1;
    options.connections = 1;
    const LocalServer server(generate_data_set(), options);
    for (int i = 0; i < 10; ++i)  // more than it has threads
        CHECK(Visitor(server).get_begin("?page=1") == " ");
    CHECK(Visitor(server).get("/meta")->status == 200);
}
