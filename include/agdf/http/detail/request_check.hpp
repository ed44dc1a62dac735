#pragma once

// What is wrong with options and requests, found before anything is sent.

#include <agdf/http/detail/curl.hpp>
#include <agdf/http/options.hpp>
#include <agdf/http/request.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace agdf::http::detail {

[[nodiscard]] inline bool has_control_character(std::string_view text) noexcept
{
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; };
    return std::any_of(text.begin(), text.end(), is_control);
}

/// A word as HTTP knows it: the name of a method or of a header field.
[[nodiscard]] inline bool is_token(std::string_view text) noexcept
{
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [others](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               others.find(c) != std::string_view::npos;
    });
}

/// Why a request cannot be sent.
struct Problem {
    CURLcode code;
    std::string text;
};

// libcurl sends methods and fields as they are: a line break in one would smuggle in a second field or request.
[[nodiscard]] inline std::optional<Problem> find_problem(const Options& options, const Request& request)
{
    if (!is_token(request.method))
        return Problem{CURLE_BAD_FUNCTION_ARGUMENT, "the method is not a word such as GET"};
    if (request.url.empty() || has_control_character(request.url))
        return Problem{CURLE_URL_MALFORMAT, "the URL is empty or has a control character in it"};
    if (request.timeout && *request.timeout < std::chrono::milliseconds{0})
        return Problem{CURLE_BAD_FUNCTION_ARGUMENT, "the request's timeout is negative"};
    for (const Headers* const headers : {&options.headers, &request.headers}) {
        for (const Header& field : *headers) {
            if (!is_token(field.name))
                return Problem{CURLE_BAD_FUNCTION_ARGUMENT, "the name of a header field is not a word such as Accept"};
            if (has_control_character(field.value))
                return Problem{CURLE_BAD_FUNCTION_ARGUMENT,
                               fmt::format("the header field {} has a control character in its value", field.name)};
        }
    }
    return std::nullopt;
}

/// Errors: throws std::invalid_argument, naming the option.
inline void check(const Options& options)
{
    const auto require = [](bool good, std::string_view name, std::string_view given, std::string_view expected) {
        if (!good) {
            throw std::invalid_argument(fmt::format("agdf::http::Client: Options::{} is {}. Expected: {}. Correct it "
                                                    "where the client is made.",
                                                    name, given, expected));
        }
    };
    const auto require_time = [&require](std::chrono::milliseconds time, std::string_view name) {
        require(time >= std::chrono::milliseconds{0}, name, fmt::format("{} ms", time.count()), "zero or more");
    };
    require_time(options.timeout, "timeout");
    require_time(options.connect_timeout, "connect_timeout");
    require(options.max_connections > 0, "max_connections", "0", "at least 1");
    require(!has_control_character(options.user_agent), "user_agent", "a text with a line break or the like",
            "one line of text");
}

}  // namespace agdf::http::detail
