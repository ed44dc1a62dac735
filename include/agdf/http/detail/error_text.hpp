#pragma once

// How the errors of the client are told to a person, and what a server says about trying again.

#include <agdf/http/detail/curl.hpp>
#include <agdf/http/response.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace agdf::http::detail {

/// A server's wish beyond this is cut, so that nobody's clock overflows when adding it.
inline constexpr std::chrono::seconds longest_retry_after = std::chrono::hours{24 * 365};

/// Reads Retry-After in both of its forms; a date is compared with the server's own clock where it tells it.
[[nodiscard]] inline std::optional<std::chrono::seconds> parse_retry_after(const Headers& headers, std::time_t now)
{
    const std::optional<std::string> text = headers.get("Retry-After");
    if (!text || text->empty())
        return std::nullopt;

    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (std::all_of(text->begin(), text->end(), is_digit)) {
        std::chrono::seconds::rep seconds = 0;
        const auto parsed = std::from_chars(text->data(), text->data() + text->size(), seconds);
        if (parsed.ec != std::errc{} || seconds > longest_retry_after.count())
            return longest_retry_after;
        return std::chrono::seconds{seconds};
    }

    const std::time_t date = curl_getdate(text->c_str(), nullptr);
    if (date == -1)
        return std::nullopt;
    const std::time_t server_now = curl_getdate(headers.get("Date").value_or("").c_str(), nullptr);
    const std::chrono::seconds wait{date - (server_now == -1 ? now : server_now)};
    return std::clamp(wait, std::chrono::seconds{0}, longest_retry_after);
}

/// Returns the start of a body on one line, for a person to read.
[[nodiscard]] inline std::string excerpt(std::string_view body)
{
    constexpr std::size_t longest = 200;
    std::size_t length = std::min(body.size(), longest);
    if (length < body.size()) {
        while (length > 0 && (static_cast<unsigned char>(body[length]) & 0xC0U) == 0x80U)
            --length;  // never half a UTF-8 character
    }
    std::string shown{body.substr(0, length)};
    for (char& c : shown) {
        if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F)
            c = ' ';  // a line break would forge a line of the log
    }
    return length < body.size() ? shown + "..." : shown;
}

[[nodiscard]] inline std::string status_text(std::string_view method, const Response& response,
                                             std::optional<std::chrono::seconds> retry_after)
{
    std::string text = fmt::format("agdf::http::Client: {} {} was answered with status {}", method,
                                   without_credentials(response.url), response.status);
    if (!response.body.empty())
        text += fmt::format(" and '{}'", excerpt(response.body));
    text += ". Expected: a status below 400. ";
    text += retry_after ? fmt::format("Try again after {} s, as the server asks.", retry_after->count())
                        : "Correct the request, try again later, or set throw_on_status = false to get the answer.";
    return text;
}

/// What to do about an error of libcurl.
[[nodiscard]] inline std::string_view advice(CURLcode code) noexcept
{
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT: return "Raise the timeout in http::Options, or try again later";
        case CURLE_COULDNT_RESOLVE_HOST: return "Check the host's name and the network";
        case CURLE_COULDNT_CONNECT: return "Check the address, and that the server runs";
        case CURLE_TOO_MANY_REDIRECTS: return "Check the URL, or raise Options::max_redirects";
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL: return "Give a whole URL that starts with http:// or https://";
        case CURLE_BAD_FUNCTION_ARGUMENT: return "Correct the request";
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE: return "Check the server's certificate, or trust it with Options::ca_file";
        default: return "Try again, or check the server and the network";
    }
}

[[nodiscard]] inline std::string transport_text(std::string_view method, std::string_view url, CURLcode code,
                                                std::string_view text)
{
    return fmt::format("agdf::http::Client: {} {} failed: {} (libcurl error {}). Expected: a complete answer. {}.",
                       method, without_credentials(url), text, static_cast<int>(code), advice(code));
}

}  // namespace agdf::http::detail
