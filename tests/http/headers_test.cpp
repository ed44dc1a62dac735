#include "support/catch.hpp"

#include <agdf/http/headers.hpp>

#include <string>
#include <vector>

using agdf::http::Header;
using agdf::http::Headers;

TEST_CASE("a header field is found whatever the case of its name", "[http][headers]")
{
    const Headers headers{{"Content-Type", "text/csv"}};
    CHECK(headers.get("content-type") == "text/csv");
    CHECK(headers.get("CONTENT-TYPE") == "text/csv");
    CHECK(headers.contains("cONTENT-tYPE"));
    CHECK(!headers.contains("Content-Typ"));
    CHECK(!headers.get("Content"));
}

TEST_CASE("repeated header fields are all kept in their order", "[http][headers]")
{
    Headers headers;
    headers.add("Set-Cookie", "a=1");
    headers.add("X", "y");
    headers.add("set-cookie", "b=2");
    CHECK(headers.size() == 3);
    CHECK(headers.get("Set-Cookie") == "a=1");
    CHECK(headers.get_all("SET-COOKIE") == std::vector<std::string>{"a=1", "b=2"});
    CHECK(headers.get_all("none").empty());
}

TEST_CASE("setting a header field replaces all of the same name", "[http][headers]")
{
    Headers headers{{"A", "1"}, {"a", "2"}, {"B", "3"}};
    headers.set("A", "4");
    CHECK(headers.get_all("a") == std::vector<std::string>{"4"});
    CHECK(headers.size() == 2);
    headers.remove("b");
    std::string all;
    for (const Header& field : headers)
        all += field.name + "=" + field.value;
    CHECK(all == "A=4");
    headers.clear();
    CHECK(headers.empty());
}
