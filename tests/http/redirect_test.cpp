#include "support/catch.hpp"

#include "http/server.hpp"

using namespace http_test;
using Catch::Matchers::ContainsSubstring;

namespace {

RawServer::Script redirect(std::string status, std::string location)
{
    return always("HTTP/1.1 " + status + "\r\nLocation: " + location +
                  "\r\nX-Old: 1\r\nContent-Length: 5\r\n\r\nmoved");
}

}  // namespace

TEST_CASE("redirects are followed to the last answer", "[http][redirect]")
{
    const Server server{[](httplib::Server& s) {
        s.Get("/a", [](const auto&, auto& response) { response.set_redirect("/b", 301); });
        s.Get("/b", [](const auto&, auto& response) { response.set_redirect("/c", 307); });
        s.Get("/c", [](const auto&, auto& response) { response.set_content("there", "text/plain"); });
    }};
    asio::io_context io;
    const http::Client client{io};
    const http::Response response = run(io, client.get(server.url("/a")));
    CHECK(response.status == 200);
    CHECK(response.body == "there");
    CHECK(response.url == server.url("/c"));
    CHECK(!response.headers.contains("Location"));
}

TEST_CASE("a redirect loop ends after max_redirects", "[http][redirect]")
{
    std::atomic<int> requests{0};
    const Server server{[&](httplib::Server& s) {
        s.Get("/loop", [&](const auto&, auto& response) {
            ++requests;
            response.set_redirect("/loop");
        });
    }};
    asio::io_context io;
    const http::Client client{io, {.max_redirects = 3}};
    const auto error = error_of<http::TransportError>(io, client.get(server.url("/loop")));
    CHECK(error.code() == CURLE_TOO_MANY_REDIRECTS);
    CHECK(requests == 4);
}

TEST_CASE("with follow_redirects off the redirect itself is returned", "[http][redirect]")
{
    const RawServer server{redirect("302 Found", "/other")};
    asio::io_context io;
    const http::Client client{io, {.follow_redirects = false}};
    const http::Response response = run(io, client.get(server.url()));
    CHECK(response.status == 302);
    CHECK(response.headers.get("Location") == "/other");
    CHECK(response.body == "moved");
}

TEST_CASE("a redirect leads to http and https only", "[http][redirect][safety]")
{
    const RawServer server{
        redirect("302 Found", GENERATE(as<std::string>{}, "file:///etc/passwd", "ftp://127.0.0.1/"))};
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::TransportError>(io, client.get(server.url()));
    CHECK(error.code() == CURLE_UNSUPPORTED_PROTOCOL);
}

TEST_CASE("a URL that is not http or https is refused", "[http][redirect][safety]")
{
    asio::io_context io;
    const http::Client client{io};
    CHECK(error_of<http::TransportError>(io, client.get("file:///etc/passwd")).code() == CURLE_UNSUPPORTED_PROTOCOL);
    CHECK(error_of<http::TransportError>(io, client.get("")).code() == CURLE_URL_MALFORMAT);
    CHECK_THAT(error_of<http::TransportError>(io, client.get("http://")).what(),
               ContainsSubstring("Give a whole URL that starts with http:// or https://"));
}

TEST_CASE("a POST that is answered with 303 becomes a GET", "[http][redirect]")
{
    const Server server{[](httplib::Server& s) {
        s.Post("/orders", [](const auto&, auto& response) { response.set_redirect("/orders/1", 303); });
        s.Get("/orders/1",
              [](const auto& request, auto& response) { response.set_content("got" + request.body, "text/plain"); });
    }};
    asio::io_context io;
    const http::Client client{io};
    http::Request request{"POST", server.url("/orders")};
    request.body = "order";
    CHECK(run(io, client.request(request)).body == "got");
}

TEST_CASE("a redirect of a method other than GET or HEAD or POST is returned", "[http][redirect]")
{
    const RawServer server{redirect("303 See Other", "/other")};
    asio::io_context io;
    const http::Client client{io};
    CHECK(run(io, client.request(http::Request{"DELETE", server.url()})).status == 303);
}

TEST_CASE("credentials do not follow a redirect to another host", "[http][redirect][credentials]")
{
    Note seen;
    const RawServer target{[&](Connection& connection) -> asio::awaitable<void> {
        std::string request = co_await connection.read_request();
        seen.set(std::move(request));
        co_await connection.write(ok);
    }};
    std::string elsewhere = target.url("/there");
    elsewhere.replace(elsewhere.find("127.0.0.1"), 9, "localhost");
    const RawServer server{redirect("302 Found", elsewhere)};
    asio::io_context io;
    const http::Client client{io};
    http::Request request{server.url()};
    SECTION("those of the URL") { request.url.insert(7, "user:secret@"); }
    SECTION("those of a field")
    {
        request.headers.set("Authorization", "Bearer secret");
        request.headers.set("Cookie", "secret=1");
    }
    CHECK(run(io, client.request(request)).url == elsewhere);
    CHECK_THAT(seen.get(), ContainsSubstring("GET /there") && !ContainsSubstring("Authorization") &&
                               !ContainsSubstring("secret"));
}

TEST_CASE("the credentials in the address of a redirect are shown to nobody", "[http][redirect][credentials]")
{
    const RawServer target{always("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")};
    std::string location = target.url("/there");
    location.insert(7, "user:secret@");
    const RawServer server{redirect("302 Found", location)};
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::StatusError>(io, client.get(server.url()));
    CHECK(error.url() == target.url("/there"));
    CHECK_THAT(error.what(), !ContainsSubstring("secret"));
}
