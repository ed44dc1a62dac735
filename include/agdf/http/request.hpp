#pragma once

// What is asked.

#include <agdf/http/headers.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace agdf::http {

/// One request: its method, where it goes, its header fields and its body.
///
/// The client adds no `Content-Type`: a body says itself what it is. A field that is also in `Options::headers`
/// replaces that one.
///
/// Errors: a method, URL or field with a character that is not allowed there ends as a `TransportError` with
///         CURLE_BAD_FUNCTION_ARGUMENT or CURLE_URL_MALFORMAT, and nothing is sent.
///
///     agdf::http::Request request{"POST", "https://example.com/orders"};
///     request.headers.set("Content-Type", "application/json");
///     request.body = R"({"item": 7})";
///     const agdf::http::Response response = co_await client.request(std::move(request));
struct Request {
    // Constructors, since GCC 12 destroys a temporary aggregate in a co_await expression twice.
    Request() = default;
    explicit Request(std::string target) : url(std::move(target)) {}
    Request(std::string verb, std::string target) : method(std::move(verb)), url(std::move(target)) {}

    std::string method = "GET";
    std::string url;
    Headers headers;
    std::string body;

    /// In the place of `Options::timeout`; zero = none.
    std::optional<std::chrono::milliseconds> timeout;
    /// In the place of `Options::max_response_bytes`.
    std::optional<std::size_t> max_response_bytes;
    /// In the place of `Options::throw_on_status`.
    std::optional<bool> throw_on_status;
};

}  // namespace agdf::http
