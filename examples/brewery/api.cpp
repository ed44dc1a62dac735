#include "api.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <system_error>

namespace brewery {
namespace {

using Json = nlohmann::ordered_json;

// The shortest text that gives the same double again; integers come out without a point.
std::string number_text(const Json& value)
{
    return value.is_number_float() ? fmt::format("{}", value.get<double>()) : value.dump();
}

Json coordinate(const std::string& text)
{
    Json number = Json::parse(text, nullptr, false);
    if (number.is_number() && number_text(number) == text)
        return number;
    return text;
}

// The start of an answer on one line, since answers that surprise are often whole HTML pages.
std::string excerpt(std::string_view body)
{
    constexpr std::size_t length = 60;
    std::string text;
    for (const char c : body.substr(0, length))
        text.push_back(static_cast<unsigned char>(c) < ' ' ? ' ' : c);
    if (body.size() <= length)
        return text;
    while (!text.empty() && (text.back() & 0x80) != 0)
        text.pop_back();  // half a UTF-8 letter
    return text + "...";
}

[[noreturn]] void fail(std::string_view problem, std::string_view expected, std::string_view body)
{
    throw std::runtime_error(fmt::format("{}. Expected: {}; got: {}", problem, expected, excerpt(body)));
}

Json parse(std::string_view body, std::string_view expected)
{
    Json json = Json::parse(body, nullptr, false);
    if (json.is_discarded())
        fail("the answer is not JSON", expected, body.empty() ? "nothing" : body);
    return json;
}

std::string text_of(const Json& value, std::string_view name)
{
    if (value.is_string())
        return value.get<std::string>();
    if (value.is_number())
        return number_text(value);
    if (value.is_null())
        return {};
    fail(fmt::format("the field '{}' does not fit into a cell", name), "a string, a number or null", value.dump());
}

}  // namespace

std::string to_json(const Brewery& row)
{
    Json json;
    for (const Column& column : columns) {
        const std::string& text = row.*column.field;
        Json& value = json[std::string(column.name)];
        if (text.empty())
            continue;
        const bool is_coordinate = column.name == "longitude" || column.name == "latitude";
        value = is_coordinate ? coordinate(text) : Json(text);
    }
    return json.dump();
}

std::vector<Brewery> parse_rows(std::string_view body)
{
    const Json json = parse(body, "an array of breweries");
    if (!json.is_array())
        fail("the answer is not an array", "an array of breweries", body);
    std::vector<Brewery> rows;
    rows.reserve(json.size());
    for (const Json& object : json) {
        if (!object.is_object()) {
            fail(fmt::format("row {} is not an object", rows.size() + 1), "a brewery", object.dump());
        }
        Brewery& row = rows.emplace_back();
        for (const Column& column : columns) {
            const auto found = object.find(column.name);
            if (found != object.end())
                row.*column.field = text_of(*found, column.name);
        }
        if (row.id.empty())
            fail(fmt::format("row {} has no id", rows.size()), "an id in every row", object.dump());
    }
    return rows;
}

std::size_t parse_total(std::string_view body)
{
    constexpr std::string_view expected = "an object with the number of rows as 'total'";
    const Json json = parse(body, expected);
    const std::string text = json.is_object() && json.contains("total") ? text_of(json["total"], "total") : "";
    std::uint32_t total = 0;  // more breweries than that is nonsense
    const auto result = std::from_chars(text.data(), text.data() + text.size(), total);
    if (text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size()) {
        fail("the answer does not say how many rows there are", expected, body);
    }
    return total;
}

std::string encode_query(std::string_view text)
{
    std::string encoded;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           std::string_view("-._~").find(c) != std::string_view::npos;
        encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return encoded;
}

}  // namespace brewery
