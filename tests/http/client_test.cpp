#include "support/catch.hpp"

#include "http/server.hpp"

using namespace http_test;
using Catch::Matchers::ContainsSubstring;

namespace {

void answer_echo(const httplib::Request& request, httplib::Response& response)
{
    std::string text = request.method + " " + request.path + "\n";
    for (const auto& [name, value] : request.headers)
        text += name + ": " + value + "\n";
    response.set_content(text + "\n" + request.body, "text/plain");
}

void add_echo(httplib::Server& server)
{
    server.Get("/echo", answer_echo);
    server.Post("/echo", answer_echo);
    server.Put("/echo", answer_echo);
    server.Patch("/echo", answer_echo);
    server.Delete("/echo", answer_echo);
}

}  // namespace

TEST_CASE("get returns status and headers and body and address", "[http][client]")
{
    const Server server{[](httplib::Server& s) {
        s.Get("/page", [](const auto&, auto& response) {
            response.set_header("X-Twice", "1");
            response.set_header("X-Twice", "2");
            response.set_content("some text", "text/plain");
        });
    }};
    asio::io_context io;
    const http::Client client{io};
    const http::Response response = run(io, client.get(server.url("/page?n=1")));
    CHECK(response.status == 200);
    CHECK(response.body == "some text");
    CHECK(response.headers.get("content-type") == "text/plain");
    CHECK(response.headers.get_all("x-twice").size() == 2);
    CHECK(response.url == server.url("/page?n=1"));
    CHECK(response.elapsed > 0us);
}

TEST_CASE("a request sends its method and fields and body as they are", "[http][client]")
{
    const Server server{add_echo};
    asio::io_context io;
    const http::Client client{io};
    const std::string method = GENERATE(as<std::string>{}, "POST", "PUT", "PATCH", "DELETE");
    http::Request request{method, server.url("/echo")};
    request.headers.add("Content-Type", "application/json");
    request.body = std::string{"{\"a\":\0}", 7} + std::string(100'000, 'x');
    const std::string body = request.body;
    const http::Response response = run(io, client.request(std::move(request)));
    CHECK_THAT(response.body, ContainsSubstring(method + " /echo\n"));
    CHECK_THAT(response.body, ContainsSubstring("Content-Type: application/json\n"));
    CHECK_THAT(response.body, !ContainsSubstring("Expect"));
    CHECK(response.body.ends_with("\n\n" + body));
}

TEST_CASE("a field without a value is sent as it is", "[http][client]")
{
    Note seen;
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        std::string request = co_await connection.read_request();
        seen.set(std::move(request));
        co_await connection.write(ok);
    }};
    asio::io_context io;
    const http::Client client{io, {.user_agent = ""}};
    http::Request request{server.url()};
    request.headers.add("X-Empty", "");
    request.headers.add("X-Blank", "  ");
    request.headers.add("Accept", " ");
    run(io, client.request(request));
    CHECK_THAT(seen.get(), ContainsSubstring("\r\nX-Empty:\r\n") && ContainsSubstring("\r\nX-Blank:\r\n") &&
                               ContainsSubstring("\r\nAccept:\r\n") && !ContainsSubstring("User-Agent"));
}

TEST_CASE("a temporary request is sent and destroyed once", "[http][client][canary]")
{
    const Server server{add_echo};
    asio::io_context io;
    const http::Client client{io};
    const auto twice = [](const http::Client& c, std::string url) -> asio::awaitable<std::string> {
        const http::Response first = co_await c.request(http::Request{"POST", url});
        const http::Response second = co_await c.get(url + "?second");
        co_return first.body.substr(0, 4) + second.body.substr(0, 3);
    };
    CHECK(run(io, twice(client, server.url("/echo"))) == "POSTGET");
}

TEST_CASE("no Content-Type is made up for a body", "[http][client]")
{
    const Server server{add_echo};
    asio::io_context io;
    const http::Client client{io};
    http::Request request{"POST", server.url("/echo")};
    request.body = "a=b";
    CHECK_THAT(run(io, client.request(std::move(request))).body, !ContainsSubstring("Content-Type"));
}

TEST_CASE("an empty PUT tells its length", "[http][client]")
{
    const Server server{add_echo};
    asio::io_context io;
    const http::Client client{io};
    const http::Response response = run(io, client.request(http::Request{"PUT", server.url("/echo")}));
    CHECK_THAT(response.body, ContainsSubstring("Content-Length: 0\n"));
}

TEST_CASE("the client's fields are sent unless the request has its own", "[http][client]")
{
    const Server server{add_echo};
    asio::io_context io;
    const http::Client client{io, {.user_agent = "tester/1", .headers = {{"X-Key", "client"}, {"X-Other", "o"}}}};
    http::Request request{server.url("/echo")};
    request.headers.set("x-key", "request");
    const http::Response response = run(io, client.request(std::move(request)));
    CHECK_THAT(response.body, ContainsSubstring("User-Agent: tester/1\n"));
    CHECK_THAT(response.body, ContainsSubstring("X-Other: o\n"));
    CHECK_THAT(response.body, ContainsSubstring("x-key: request\n"));
    CHECK_THAT(response.body, !ContainsSubstring("X-Key: client"));
}

TEST_CASE("a user name and a password in the URL are sent to the server and shown to nobody",
          "[http][client][credentials]")
{
    const Server server{add_echo};
    asio::io_context io;
    const http::Client client{io};
    const http::Response response = run(io, client.get(server.with("user:secret@", "/echo")));
    CHECK_THAT(response.body, ContainsSubstring("Authorization: Basic dXNlcjpzZWNyZXQ=\n"));
    CHECK(response.url == server.url("/echo"));
    const auto error = error_of<http::StatusError>(io, client.get(server.with("user:secret@", "/missing")));
    CHECK_THAT(error.what(),
               ContainsSubstring("/missing") && !ContainsSubstring("secret") && !ContainsSubstring("user:"));
}

TEST_CASE("HEAD asks for the header only however long the body would be", "[http][client]")
{
    const RawServer server{always("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")};
    asio::io_context io;
    const http::Client client{io};
    const http::Response response = run(io, client.request(http::Request{"HEAD", server.url()}));
    CHECK(response.status == 200);
    CHECK(response.body.empty());
    CHECK(response.headers.get("Content-Length") == "999999999999");
}

TEST_CASE("a compressed body arrives decompressed", "[http][client][gzip]")
{
    const std::string packed{
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\x48\xaf\xca\x2c\x00\x00\x19\x6a\xd2\xdf\x0a"
        "\x00\x00\x00",
        30};
    Note seen;
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        std::string request = co_await connection.read_request();
        seen.set(std::move(request));
        co_await connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n" + packed);
    }};
    asio::io_context io;
    CHECK(run(io, http::Client{io}.get(server.url())).body == "hello gzip");
    CHECK_THAT(seen.get(), ContainsSubstring("Accept-Encoding: ") && ContainsSubstring("gzip"));
    const http::Client plain{io, {.accept_compressed = false}};
    CHECK(run(io, plain.get(server.url())).body == packed);
    CHECK_THAT(seen.get(), !ContainsSubstring("Accept-Encoding"));
}

TEST_CASE("a chunked body arrives whole with its trailer", "[http][client]")
{
    const RawServer server{
        once("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 2\r\n\r\n")};
    asio::io_context io;
    const http::Client client{io};
    const http::Response response = run(io, client.get(server.url()));
    CHECK(response.body == "abcde");
    CHECK(response.headers.get("X-Late") == "2");
    CHECK(!response.headers.contains("X-Early"));
}

TEST_CASE("a status of 400 or more throws a StatusError with all its parts", "[http][client][status]")
{
    const Server server{[](httplib::Server& s) {
        s.Get("/gone", [](const auto&, auto& response) {
            response.status = 404;
            response.set_header("X-Reason", "none");
            response.set_content("not here: " + std::string(10'000, 'x'), "text/plain");
        });
    }};
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::StatusError>(io, client.get(server.url("/gone")));
    CHECK(error.status() == 404);
    CHECK(error.headers().get("x-reason") == "none");
    CHECK(error.body().size() == http::StatusError::max_body_bytes);
    CHECK(error.body().starts_with("not here: xxx"));
    CHECK(error.url() == server.url("/gone"));
    CHECK(!error.retry_after());
    CHECK_THAT(error.what(),
               ContainsSubstring("404") && ContainsSubstring(server.url("/gone")) && ContainsSubstring("not here"));
}

TEST_CASE("a 429 tells after how long to try again in both forms", "[http][client][status]")
{
    const Server server{[](httplib::Server& s) {
        s.Get("/seconds", [](const auto&, auto& response) {
            response.status = 429;
            response.set_header("Retry-After", "17");
        });
        s.Get("/date", [](const auto&, auto& response) {
            response.status = 503;
            response.set_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
            response.set_header("Retry-After", "Sun, 06 Nov 1994 08:49:57 GMT");
        });
    }};
    asio::io_context io;
    const http::Client client{io};
    CHECK(error_of<http::StatusError>(io, client.get(server.url("/seconds"))).retry_after() == 17s);
    CHECK(error_of<http::StatusError>(io, client.get(server.url("/date"))).retry_after() == 20s);
}

TEST_CASE("with throw_on_status off every status is returned", "[http][client][status]")
{
    const RawServer server{always("HTTP/1.1 503 Busy\r\nContent-Length: 5000\r\n\r\n" + std::string(5'000, 'x'))};
    asio::io_context io;
    const http::Client lenient{io, {.throw_on_status = false}};
    const http::Response response = run(io, lenient.get(server.url()));
    CHECK(response.status == 503);
    CHECK(response.body.size() == 5'000);

    const http::Client strict{io};
    http::Request request{server.url()};
    request.throw_on_status = false;
    CHECK(run(io, strict.request(request)).status == 503);
    request.throw_on_status = true;
    CHECK_THROWS_AS(run(io, lenient.request(request)), http::StatusError);
}

TEST_CASE("a request that would smuggle in another one is not sent", "[http][client][safety]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    const http::Client client{io};
    http::Request request{server.url()};
    SECTION("in the method") { request.method = "GET / HTTP/1.1\r\nX: y\r\n\r\nGET"; }
    SECTION("in no method") { request.method = ""; }
    SECTION("in the name of a field") { request.headers.add("A: b\r\nC", "d"); }
    SECTION("in the value of a field") { request.headers.add("A", "b\r\nC: d"); }
    SECTION("in the URL") { request.url += " HTTP/1.1\r\nX: y"; }
    SECTION("in a URL with a zero in it") { request.url += std::string{"a\0b", 3}; }
    SECTION("with a negative time") { request.timeout = -1ms; }
    const auto error = error_of<http::TransportError>(io, client.request(request));
    CHECK((error.code() == CURLE_BAD_FUNCTION_ARGUMENT || error.code() == CURLE_URL_MALFORMAT));
    CHECK(server.connections() == 0);
}

TEST_CASE("options out of range are refused where the client is made", "[http][client][options]")
{
    asio::io_context io;
    const auto make = [&io](http::Options options) { const http::Client client{io, std::move(options)}; };
    CHECK_THROWS_WITH(make({.timeout = -5ms}),
                      "agdf::http::Client: Options::timeout is -5 ms. Expected: zero or more. "
                      "Correct it where the client is made.");
    CHECK_THROWS_AS(make({.connect_timeout = -1ms}), std::invalid_argument);
    CHECK_THROWS_AS(make({.max_connections = 0}), std::invalid_argument);
    CHECK_THROWS_AS(make({.user_agent = "a\r\nX: y"}), std::invalid_argument);
}

TEST_CASE("any completion token will do", "[http][client]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    const http::Client client{io.get_executor()};
    std::future<http::Response> future = client.async_request(http::Request{server.url()}, asio::use_future);
    std::string from_callback;
    client.async_request(http::Request{server.url()}, [&](std::exception_ptr error, http::Response response) {
        from_callback = error ? "error" : response.body;
    });
    CHECK(from_callback.empty());  // never inside the call
    io.run_for(limit);
    REQUIRE(future.wait_for(limit) == std::future_status::ready);
    CHECK(future.get().body == "ok");
    CHECK(from_callback == "ok");
}
