#pragma once

// How a client behaves.

#include <agdf/http/headers.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace agdf::http {

/// Which version of HTTP a client asks for.
enum class HttpVersion {
    automatic,             ///< HTTP/2 where both sides can over TLS, else HTTP/1.1
    http1_1,               ///< HTTP/1.1 only
    http2_prior_knowledge  ///< HTTP/2 from the first byte, also without TLS, for servers known to speak it
};

/// What a client does, with designated initialisers; a request may differ in some of it.
///
/// Everything has a bound. Proxies are taken from the environment, as with curl.
///
///     agdf::http::Client client{io, {.timeout = std::chrono::seconds(5), .max_connections = 8}};
struct Options {
    /// For one request from its call to the last byte, including redirects and waiting for a connection; zero = none.
    std::chrono::milliseconds timeout{30'000};
    /// For looking up the name, connecting and the TLS handshake; zero = libcurl's default of five minutes.
    std::chrono::milliseconds connect_timeout{10'000};
    /// Bytes of a body after decompression; more ends as `ResponseTooLargeError`, as do more than 256 KiB of header.
    std::size_t max_response_bytes = 64 * 1024 * 1024;

    /// Follows redirects of GET, HEAD and POST; those of other methods, and all if false, are returned as they are.
    /// Fields of `headers` go to the new place too, except Authorization and Cookie if the host is another.
    bool follow_redirects = true;
    /// Redirects in a row; one more ends as a `TransportError` with CURLE_TOO_MANY_REDIRECTS.
    std::size_t max_redirects = 10;

    /// Connections that are open at once, idle ones included; further requests wait for one. A busy connection takes
    /// two file descriptors, an idle one takes one.
    std::size_t max_connections = 256;
    /// The same to one host; zero = as many as `max_connections`.
    std::size_t max_connections_per_host = 0;

    /// Sent as User-Agent; empty = none.
    std::string user_agent = "agdf";
    /// Sent with every request.
    Headers headers{};
    /// Asks for a compressed body, and decompresses it.
    bool accept_compressed = true;
    /// Which version of HTTP to ask for, as far as this libcurl can.
    HttpVersion http_version = HttpVersion::automatic;

    /// Checks the server's certificate and name. Without it everybody on the way can read and answer.
    bool verify_tls = true;
    /// A file of certificates to trust (PEM); empty = the system's.
    std::string ca_file{};

    /// Throws `StatusError` for a status of 400 or more; if false the response is returned, whatever its status.
    bool throw_on_status = true;
};

}  // namespace agdf::http
