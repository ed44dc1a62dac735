// The policies of a node around real HTTP transfers: real sockets, so real time, but no test depends on how much of it.

#include "support/catch.hpp"

#include "http/support.hpp"
#include "support/graph.hpp"

#include <string>
#include <vector>

using namespace http_test;

namespace {

/// Answers the first requests with what is given, and everything after them with 200.
RawServer::Script answers(std::vector<std::string> first, std::shared_ptr<std::atomic<int>> requests)
{
    return [first = std::move(first), requests](Connection& connection) -> asio::awaitable<void> {
        for (;;) {
            const std::string request = co_await connection.read_request();
            if (request.empty())
                co_return;
            const auto number = static_cast<std::size_t>((*requests)++);
            std::string answer = number < first.size() ? first[number] : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            if (!answer.empty())
                co_await connection.write(std::move(answer));
        }
    };
}

struct Fetched {
    agdf::RunReport report;
    std::vector<std::string> bodies;
    int requests = 0;
};

Fetched fetch_from(std::vector<std::string> first, agdf::NodeOptions options)
{
    const test::Watchdog watchdog;
    auto requests = std::make_shared<std::atomic<int>>(0);
    const RawServer server{answers(std::move(first), requests)};
    asio::io_context io;
    const http::Client client{io};
    agdf::Graph graph{io, test::quiet()};
    Fetched fetched;
    auto fetch = graph.add_node("fetch", [&client](std::string url) -> asio::awaitable<std::string> {
        auto response = co_await client.get(std::move(url));
        co_return std::move(response.body);
    }, std::move(options));
    fetch >> graph.add_node("collect", agdf::collect(fetched.bodies));
    fetched.report = graph.run({.start = agdf::start(fetch, server.url())});
    fetched.requests = *requests;
    return fetched;
}

}  // namespace

TEST_CASE("a node's time-out ends a transfer that hangs, and the retry succeeds", "[http][policies]")
{
    const Fetched fetched = fetch_from({""}, {.retry = {.attempts = 2, .delay = 0ms}, .timeout = 200ms});
    CHECK(fetched.bodies == std::vector<std::string>{"ok"});
    CHECK(fetched.report.node("fetch").retried == 1);
    CHECK(fetched.report.outcome == agdf::Outcome::completed);
}

TEST_CASE("a transfer that hangs for good ends as a TimeoutError", "[http][policies]")
{
    const Fetched fetched = fetch_from({"", ""}, {.retry = {.attempts = 2, .delay = 0ms}, .timeout = 100ms});
    CHECK(fetched.bodies.empty());
    CHECK(fetched.report.node("fetch").err == 1);
    CHECK_THROWS_AS(fetched.report.throw_if_failed(), agdf::TimeoutError);
}

TEST_CASE("an answer that is transient is tried again, one that is not fails at once", "[http][policies]")
{
    const std::string busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    const std::string limited = "HTTP/1.1 429 Slow down\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
    const agdf::NodeOptions options{.retry = {.attempts = 3, .delay = 1ms, .when = http::is_transient}};
    const Fetched twice = fetch_from({busy, limited}, options);
    CHECK(twice.bodies == std::vector<std::string>{"ok"});
    CHECK(twice.requests == 3);

    const Fetched missing = fetch_from({"HTTP/1.1 404 Not found\r\nContent-Length: 0\r\n\r\n"}, options);
    CHECK(missing.requests == 1);
    CHECK(missing.report.node("fetch").err == 1);
    CHECK(missing.report.node("fetch").retried == 0);
}
