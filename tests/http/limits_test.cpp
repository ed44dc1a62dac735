#include "support/catch.hpp"

#include "http/support.hpp"

using namespace http_test;
using Catch::Matchers::ContainsSubstring;

namespace {

// 97 bytes that unpack to 65,536 times 'a'.
std::string gzip_bomb()
{
    const std::string head{
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x81\x00\x00\x00\x00\x80\x20\xd6\xfd\x25\x16\xa9\x0a", 25};
    const std::string tail{"\x6a\xff\x91\x20\xc3\x00\x00\x01\x00", 9};
    return head + std::string(97 - head.size() - tail.size(), '\0') + tail;
}

asio::awaitable<void> write_for_ever(Connection& connection, std::string start, std::string piece)
{
    co_await connection.read_request();
    co_await connection.write(start);
    for (;;) {
        const bool written = co_await connection.try_write(piece);
        if (!written)
            co_return;
    }
}

}  // namespace

TEST_CASE("a body of exactly max_response_bytes arrives", "[http][limits]")
{
    const RawServer server{always("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1'000, 'x'))};
    asio::io_context io;
    const http::Client client{io, {.max_response_bytes = 1'000}};
    CHECK(run(io, client.get(server.url())).body.size() == 1'000);
}

TEST_CASE("an announced body of more than max_response_bytes is not received", "[http][limits]")
{
    const RawServer server{[](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nx");
        co_await silence(connection);
    }};
    asio::io_context io;
    const http::Client client{io, {.max_response_bytes = 1'000}};
    const auto error = error_of<http::ResponseTooLargeError>(io, client.get(server.url()));
    CHECK(error.limit() == 1'000);
    CHECK(
        std::string{error.what()} ==
        fmt::format("agdf::http::Client: GET {} was answered with a body of more than 1000 bytes. Expected: at most "
                    "that. Ask for less at once, or raise max_response_bytes if it is the body.",
                    server.url()));
}

TEST_CASE("an endless body ends at max_response_bytes", "[http][limits]")
{
    const std::string start = GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string piece = "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
    const RawServer server{[=](Connection& c) -> asio::awaitable<void> { return write_for_ever(c, start, piece); }};
    asio::io_context io;
    const http::Client client{io, {.max_response_bytes = 100'000}};
    CHECK_THROWS_AS(run(io, client.get(server.url())), http::ResponseTooLargeError);
    http::Request request{server.url()};
    request.max_response_bytes = 10;
    CHECK(error_of<http::ResponseTooLargeError>(io, client.request(request)).limit() == 10);
}

TEST_CASE("a body that unpacks to more than max_response_bytes is refused", "[http][limits][gzip]")
{
    const RawServer server{
        always("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 97\r\n\r\n" + gzip_bomb())};
    asio::io_context io;
    CHECK(run(io, http::Client{io}.get(server.url())).body == std::string(65'536, 'a'));
    const http::Client client{io, {.max_response_bytes = 10'000}};
    CHECK_THROWS_AS(run(io, client.get(server.url())), http::ResponseTooLargeError);
}

TEST_CASE("an endless header is refused", "[http][limits]")
{
    const std::string start = GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n");
    const std::string piece =
        start.find("200") != std::string::npos ? "X-Filler: " + std::string(1'000, 'x') + "\r\n" : start + "X: y\r\n";
    const RawServer server{[=](Connection& c) -> asio::awaitable<void> { return write_for_ever(c, start, piece); }};
    asio::io_context io;
    const http::Client client{io};
    // libcurl 8.2 and later has a bound of its own, which is near.
    CHECK_THROWS_AS(run(io, client.get(server.url())), http::Error);
}

TEST_CASE("a refused request is a StatusError however long its answer is", "[http][limits][status]")
{
    const std::string start = GENERATE(as<std::string>{}, "HTTP/1.1 500 No\r\n\r\n",
                                       "HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n");
    const std::string piece(1'000, 'x');
    const RawServer server{[=](Connection& c) -> asio::awaitable<void> { return write_for_ever(c, start, piece); }};
    asio::io_context io;
    const http::Client client{io, {.max_response_bytes = 100'000}};
    const auto error = error_of<http::StatusError>(io, client.get(server.url()));
    CHECK(error.status() == 500);
    CHECK(error.body().size() <= http::StatusError::max_body_bytes);
}

TEST_CASE("a request without an answer ends after its time", "[http][limits][timeout]")
{
    const RawServer server{silence};
    asio::io_context io;
    const http::Client client{io, {.timeout = 50ms}};
    const auto error = error_of<http::TransportError>(io, client.get(server.with("user:secret@", "/")));
    CHECK(error.is_timeout());
    CHECK_THAT(error.what(), ContainsSubstring("no complete answer within 50 ms") &&
                                 ContainsSubstring("Raise the timeout in http::Options") &&
                                 !ContainsSubstring("secret"));
}

TEST_CASE("a request's own time replaces the client's", "[http][limits][timeout]")
{
    const RawServer server{silence};
    asio::io_context io;
    const http::Client client{io, {.timeout = 0ms}};
    http::Request request{server.url()};
    request.timeout = 40ms;
    CHECK_THAT(error_of<http::TransportError>(io, client.request(request)).text(), ContainsSubstring("40 ms"));
}

TEST_CASE("a body that stops half-way ends after the request's time", "[http][limits][timeout]")
{
    const RawServer server{[](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        co_await silence(connection);
    }};
    asio::io_context io;
    const http::Client client{io, {.timeout = 50ms}};
    CHECK(error_of<http::TransportError>(io, client.get(server.url())).is_timeout());
}

TEST_CASE("the time of a request includes waiting for a connection", "[http][limits][timeout]")
{
    const RawServer server{silence};
    asio::io_context io;
    const http::Client client{io, {.timeout = 10s, .max_connections = 1}};
    bool first_ended = false;
    asio::cancellation_signal stop;
    asio::co_spawn(io, client.get(server.url()),
                   asio::bind_cancellation_slot(
                       stop.slot(), [&](std::exception_ptr, const http::Response&) { first_ended = true; }));
    const auto second = [&]() -> asio::awaitable<bool> {
        http::Request request{server.url()};
        request.timeout = 50ms;
        bool timed_out = false;
        try {
            co_await client.request(std::move(request));
        } catch (const http::TransportError& error) {
            timed_out = error.is_timeout();
        }
        const bool before_first = timed_out && !first_ended;
        stop.emit(asio::cancellation_type::terminal);
        co_return before_first;
    };
    CHECK(run(io, second()));
    CHECK(server.connections() <= 1);
}
