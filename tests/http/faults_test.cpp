#include "support/catch.hpp"

#include "http/support.hpp"

#include <sys/resource.h>
#include <unistd.h>

using namespace http_test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a refused connection is a TransportError", "[http][faults]")
{
    std::string url;
    {
        const RawServer server{silence};
        url = server.with("user:secret@", "/");
    }
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::TransportError>(io, client.get(url));
    CHECK(error.code() == CURLE_COULDNT_CONNECT);
    CHECK_THAT(error.what(), ContainsSubstring("http://127.0.0.1:") && ContainsSubstring("that the server runs") &&
                                 !ContainsSubstring("secret"));
}

TEST_CASE("a name that does not exist is a TransportError", "[http][faults]")
{
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::TransportError>(io, client.get("http://user:secret@no.such.host.invalid/"));
    CHECK(error.code() == CURLE_COULDNT_RESOLVE_HOST);
    CHECK_THAT(error.what(), ContainsSubstring("no.such.host.invalid") && !ContainsSubstring("secret"));
}

TEST_CASE("half a body is a TransportError and not a short response", "[http][faults]")
{
    const RawServer server{once(GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf"))};
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::TransportError>(io, client.get(server.url()));
    CHECK((error.code() == CURLE_PARTIAL_FILE || error.code() == CURLE_RECV_ERROR));
}

TEST_CASE("half a header is a TransportError and not an empty response", "[http][faults]")
{
    const RawServer server{once(GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Len", "HTTP/1.1 503 Busy\r\nX: y\r\n",
                                         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n"))};
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::TransportError>(io, client.get(server.url()));
    CHECK(error.code() == CURLE_PARTIAL_FILE);
    CHECK_THAT(error.what(), ContainsSubstring("closed in the middle of the header"));
}

TEST_CASE("a connection that is closed without an answer is a TransportError", "[http][faults]")
{
    const RawServer server{once("")};
    asio::io_context io;
    const http::Client client{io};
    CHECK(error_of<http::TransportError>(io, client.get(server.url())).code() == CURLE_GOT_NOTHING);
}

TEST_CASE("a reset connection is a TransportError", "[http][faults]")
{
    const RawServer server{[](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        connection.reset();
    }};
    asio::io_context io;
    const http::Client client{io};
    CHECK(error_of<http::TransportError>(io, client.get(server.url())).code() == CURLE_RECV_ERROR);
}

TEST_CASE("an answer that is not HTTP is a TransportError", "[http][faults]")
{
    const RawServer server{once("SSH-2.0-server\r\n\r\n")};
    asio::io_context io;
    const http::Client client{io};
    CHECK_THROWS_AS(run(io, client.get(server.url())), http::TransportError);
}

TEST_CASE("a length that is a lie reads no more than it says", "[http][faults]")
{
    const RawServer server{once("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more")};
    asio::io_context io;
    const http::Client client{io};
    CHECK(run(io, client.get(server.url())).body == "four");
}

TEST_CASE("a client goes on working after every kind of failure", "[http][faults]")
{
    const RawServer server{[](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        if (connection.number() == 1)
            connection.reset();
        else if (connection.number() == 2)
            co_await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        else
            co_await connection.write(ok);
    }};
    asio::io_context io;
    const http::Client client{io, {.max_connections = 1}};
    CHECK_THROWS_AS(run(io, client.get(server.url())), http::TransportError);
    CHECK_THROWS_AS(run(io, client.get(server.url())), http::TransportError);
    CHECK(run(io, client.get(server.url())).body == "ok");
}

TEST_CASE("a kept connection that the server has closed is replaced", "[http][faults][connections]")
{
    const RawServer server{once(ok)};  // without saying that it will close
    asio::io_context io;
    const http::Client client{io};
    for (int i = 0; i < 5; ++i)
        CHECK(run(io, client.get(server.url())).body == "ok");
    CHECK(server.connections() == 5);
}

// Clang's undefined-behaviour sanitizer looks at an object through a pipe, and takes it for broken when it gets none.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define AGDF_TEST_NEEDS_DESCRIPTORS
#endif
#endif

#if !defined(AGDF_TEST_NEEDS_DESCRIPTORS)
TEST_CASE("a transfer that finds no free descriptor fails alone and says why", "[http][faults]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    const http::Client client{io, {.timeout = 1s}};
    REQUIRE(run(io, client.get(server.url())).body == "ok");

    // The kernel completes the connections of a listener, also if nobody accepts them.
    const asio::ip::tcp::acceptor listener{io, {asio::ip::address_v4::loopback(), 0}};
    const std::string elsewhere = fmt::format("http://127.0.0.1:{}/", listener.local_endpoint().port());
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    for (const rlim_t left : {0U, 1U, 2U}) {  // nothing, a socket for libcurl, and our duplicate of it
        const int lowest = dup(0);
        close(lowest);
        rlimit tight = before;
        tight.rlim_cur = static_cast<rlim_t>(lowest) + left;
        REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
        const auto error = error_of<http::TransportError>(io, client.get(elsewhere));
        REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CAPTURE(left, error.what());
        CHECK(error.is_timeout() == (left == 2));
        if (left == 1)
            CHECK_THAT(error.text(), ContainsSubstring("no descriptor to wait for its socket: Too many open files"));
    }
    CHECK(run(io, client.get(server.url())).body == "ok");
}
#endif
