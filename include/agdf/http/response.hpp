#pragma once

// What is answered.

#include <agdf/http/headers.hpp>

#include <chrono>
#include <string>

namespace agdf::http {

/// One answer, complete: the last one, after all redirects, with its body decompressed.
struct Response {
    Response() = default;  // not an aggregate: see Request

    /// The status code, such as 200.
    int status = 0;
    /// The header fields of this answer, trailers at their end.
    Headers headers;
    /// The body as it is after decompression.
    std::string body;
    /// Where the answer came from after all redirects, without user name and password.
    std::string url;
    /// From the start of the transfer to its last byte, redirects included.
    std::chrono::microseconds elapsed{};
};

}  // namespace agdf::http
