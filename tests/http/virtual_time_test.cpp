#include "support/catch.hpp"

#include "http/support.hpp"

#include <agdf/agdf.hpp>
#include <agdf/testing.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <optional>

using namespace http_test;

TEST_CASE("an HTTP request holds a virtual clock", "[http][virtual_time]")
{
    std::promise<void> asked;
    std::atomic<bool> may_answer{false};
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        asked.set_value();
        while (!may_answer)
            co_await asio::post(asio::use_awaitable);
        co_await connection.write(ok);
    }};
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    const http::Client client{io};
    std::optional<std::chrono::steady_clock::duration> answered_after;
    client.async_request(http::Request{server.url()}, [&](const std::exception_ptr& error, const http::Response& response) {
        REQUIRE_FALSE(error);
        REQUIRE(response.body == "ok");
        answered_after = time.elapsed();
    });
    asio::co_spawn(io, agdf::sleep_for(1h), asio::detached);
    auto question = asked.get_future();
    while (question.wait_for(0s) != std::future_status::ready)
        io.poll();
    for (int i = 0; i < 100; ++i)
        io.poll();
    CHECK(time.elapsed() == 0s);
    may_answer = true;
    io.run_for(limit);
    REQUIRE(answered_after == 0s);
    CHECK(time.elapsed() == 1h);
    CHECK(io.stopped());
}
