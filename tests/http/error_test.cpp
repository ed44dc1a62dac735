#include "support/catch.hpp"

#include <agdf/http/error.hpp>

#include <chrono>
#include <ctime>
#include <string>
#include <type_traits>
#include <utility>

using namespace agdf::http;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

StatusError error_with(Headers headers, std::string body = {})
{
    Response response;
    response.status = 429;
    response.url = "http://example.com/x";
    response.headers = std::move(headers);
    response.body = std::move(body);
    return StatusError{"GET", std::move(response)};
}

std::string http_date(std::time_t time)
{
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[64];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace

static_assert(std::is_nothrow_copy_constructible_v<StatusError>);
static_assert(std::is_nothrow_copy_constructible_v<TransportError>);
static_assert(std::is_nothrow_copy_constructible_v<ResponseTooLargeError>);
static_assert(std::is_base_of_v<Error, StatusError> && std::is_base_of_v<Error, TransportError> &&
              std::is_base_of_v<Error, ResponseTooLargeError>);

TEST_CASE("retry_after reads seconds", "[http][error]")
{
    CHECK(error_with({{"Retry-After", "120"}}).retry_after() == 120s);
    CHECK(error_with({{"retry-after", "0"}}).retry_after() == 0s);
}

TEST_CASE("retry_after reads a date and counts from the server's own date", "[http][error]")
{
    const Headers both{{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"}};
    CHECK(error_with(both).retry_after() == 30s);
}

TEST_CASE("retry_after counts from now if the server tells no date", "[http][error]")
{
    const auto wait = error_with({{"Retry-After", http_date(std::time(nullptr) + 1'000)}}).retry_after();
    REQUIRE(wait);
    CHECK(*wait > 900s);
    CHECK(*wait <= 1'000s);
}

TEST_CASE("retry_after of a date that is over is zero", "[http][error]")
{
    CHECK(error_with({{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}}).retry_after() == 0s);
}

TEST_CASE("retry_after is empty without a field that says a time", "[http][error]")
{
    CHECK(!error_with({}).retry_after());
    CHECK(!error_with({{"Retry-After", ""}}).retry_after());
    CHECK(!error_with({{"Retry-After", "soon"}}).retry_after());
    CHECK(!error_with({{"Retry-After", "-5"}}).retry_after());
}

TEST_CASE("retry_after is at most a year", "[http][error]")
{
    const auto year = std::chrono::hours{24 * 365};
    CHECK(error_with({{"Retry-After", "99999999999999999999999999"}}).retry_after() == year);
    CHECK(error_with({{"Retry-After", "Sun, 06 Nov 2999 08:49:37 GMT"}}).retry_after() == year);
}

TEST_CASE("a StatusError says method and address and status and what the server said", "[http][error]")
{
    const StatusError error = error_with({{"Retry-After", "7"}}, "slow\ndown\x1b");
    CHECK(std::string{error.what()} ==
          "agdf::http::Client: GET http://example.com/x was answered with status 429 and 'slow down '. "
          "Expected: a status below 400. Try again after 7 s, as the server asks.");
    CHECK(error.status() == 429);
    CHECK(error.method() == "GET");
    CHECK(error.url() == "http://example.com/x");
    CHECK(error.headers().get("retry-after") == "7");
}

TEST_CASE("a StatusError keeps only the start of the body", "[http][error]")
{
    const StatusError error = error_with({}, std::string(100'000, 'x'));
    CHECK(error.body() == std::string(StatusError::max_body_bytes, 'x'));
    CHECK(std::string{error.what()}.size() < 500);
}

TEST_CASE("the excerpt of a body never ends in half a character", "[http][error]")
{
    std::string body = "a";
    while (body.size() < 300)
        body += "\xc3\xbc";  // two bytes each, so that the cut would fall between them
    CHECK_THAT(error_with({}, body).what(), ContainsSubstring("\xc3\xbc..."));
    CHECK_THAT(error_with({}, body).what(), !ContainsSubstring("\xc3..."));
}

TEST_CASE("a TransportError carries the code and the text of libcurl", "[http][error]")
{
    const TransportError error{"GET", "http://example.com/", CURLE_COULDNT_CONNECT, "no way"};
    CHECK(error.code() == CURLE_COULDNT_CONNECT);
    CHECK(error.text() == "no way");
    CHECK(!error.is_timeout());
    CHECK(TransportError("GET", "http://x/", CURLE_OPERATION_TIMEDOUT, "").is_timeout());
    CHECK(
        std::string{error.what()} ==
        "agdf::http::Client: GET http://example.com/ failed: no way (libcurl error 7). Expected: a complete answer. "
        "Check the address, and that the server runs.");
}

TEST_CASE("no error shows the credentials of a URL however odd it is", "[http][error][credentials]")
{
    const std::string url =
        GENERATE(as<std::string>{}, "http://user:secret@host/p?q=1", "user:secret@host",
                 "https://user:sec%40secret@host:8080/", "http://user:secret@x@host/", "http:/user:secret@host/",
                 "http:///user:secret@host/", "//user:secret@host/", " http://user:secret@host/",
                 "http://user:a/secret@host/", "http://user:secret@host:port/", "user:secret@host/?u=http://x/",
                 "ftp://user:secret@host/", "http://user:a?secret@host:9/", "secret@", "@secret@");
    CAPTURE(url);
    Response response;
    response.status = 404;
    response.url = url;
    const StatusError status{"GET", response};
    const TransportError transport{"GET", url, CURLE_COULDNT_CONNECT, "text"};
    const ResponseTooLargeError large{"GET", url, "body", 5};
    for (const Error* const error : {static_cast<const Error*>(&status), static_cast<const Error*>(&transport),
                                     static_cast<const Error*>(&large)}) {
        CHECK_THAT(error->what(), !ContainsSubstring("secret"));
        CHECK_THAT(error->url(), !ContainsSubstring("secret"));
    }
}

TEST_CASE("an at sign outside of the credentials stays in a URL", "[http][error][credentials]")
{
    CHECK(TransportError("GET", "https://host/@me?to=a@b", CURLE_OK, "").url() == "https://host/@me?to=a@b");
    CHECK(TransportError("GET", "https://u:p@host/@me", CURLE_OK, "").url() == "https://host/@me");
}

TEST_CASE("a StatusError tells a retry how long the server asks to wait", "[http][error][retry]")
{
    const StatusError error = error_with({{"Retry-After", "7"}});
    CHECK(agdf::retry_after_of(std::make_exception_ptr(error)) == std::chrono::seconds{7});
    CHECK(agdf::retry_after_of(std::make_exception_ptr(error_with({}))) == std::nullopt);
    const std::optional<std::chrono::seconds> seen = error.retry_after();
    CHECK(seen->count() == 7);
}

TEST_CASE("is_transient is true for what another try may cure and for nothing else", "[http][error][retry]")
{
    const auto status = [](int code) {
        Response response;
        response.status = code;
        return std::make_exception_ptr(StatusError{"GET", response});
    };
    for (const int code : {408, 425, 429, 500, 502, 503, 504, 599}) {
        CAPTURE(code);
        CHECK(agdf::http::is_transient(status(code)));
    }
    for (const int code : {400, 401, 403, 404, 409, 418, 422, 501, 600}) {
        CAPTURE(code);
        CHECK_FALSE(agdf::http::is_transient(status(code)));
    }
    const auto transport = [](CURLcode code) { return std::make_exception_ptr(TransportError{"GET", "http://x/", code, ""}); };
    for (const CURLcode code : {CURLE_OPERATION_TIMEDOUT, CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_RECV_ERROR,
                                CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_HTTP2_STREAM}) {
        CAPTURE(code);
        CHECK(agdf::http::is_transient(transport(code)));
    }
    for (const CURLcode code : {CURLE_TOO_MANY_REDIRECTS, CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION,
                                CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT}) {
        CAPTURE(code);
        CHECK_FALSE(agdf::http::is_transient(transport(code)));
    }
    CHECK(agdf::http::is_transient(std::make_exception_ptr(agdf::TimeoutError("late"))));
    CHECK_FALSE(agdf::http::is_transient(std::make_exception_ptr(ResponseTooLargeError{"GET", "http://x/", "body", 5})));
    CHECK_FALSE(agdf::http::is_transient(std::make_exception_ptr(asio::system_error(asio::error::operation_aborted))));
    CHECK_FALSE(agdf::http::is_transient(std::make_exception_ptr(5)));
    CHECK_FALSE(agdf::http::is_transient(nullptr));
    const agdf::Retry retry{.attempts = 3, .when = agdf::http::is_transient};
    CHECK(retry.when(status(503)));
    CHECK_FALSE(retry.when(status(404)));
}
