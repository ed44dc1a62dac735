#include "support/catch.hpp"

#include "http/support.hpp"

#include <sys/resource.h>

#include <vector>

using namespace http_test;

namespace {

void allow_descriptors(rlim_t count)
{
    rlimit allowed{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &allowed) == 0);
    if (allowed.rlim_cur < count) {
        allowed.rlim_cur = std::min(count, allowed.rlim_max);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &allowed) == 0);
    }
    REQUIRE(allowed.rlim_cur >= count);
}

}  // namespace

TEST_CASE("requests one after the other use one connection", "[http][connections]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    const http::Client client{io};
    for (int i = 0; i < 20; ++i)
        REQUIRE(run(io, client.get(server.url())).body == "ok");
    CHECK(server.connections() == 1);
}

TEST_CASE("a client with idle connections leaves no work in its context", "[http][connections]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    const http::Client client{io};
    std::size_t ended = 0;
    for (int i = 0; i < 10; ++i)
        client.async_request(http::Request{server.url()},
                             [&](std::exception_ptr, const http::Response&) { ++ended; });
    io.run_for(limit);
    CHECK(ended == 10);
    CHECK(io.stopped());  // out of work, not out of time
}

TEST_CASE("a thousand transfers wait at once on one thread", "[http][concurrency]")
{
    constexpr int count = 1'000;
    allow_descriptors(3 * count + 100);  // two for each busy connection of the client, one of the server
    int waiting = 0;  // all scripts run on the server's one thread
    std::vector<std::function<void()>> wake;
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        asio::steady_timer answer{executor, asio::steady_timer::time_point::max()};
        wake.push_back([&answer] { answer.cancel(); });
        if (++waiting == count) {  // nobody is answered before all of them wait
            for (const auto& one : wake)
                one();
        } else {
            asio::error_code ignored;
            co_await answer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        co_await connection.write(ok);
    }};

    asio::io_context io{1};
    const http::Client client{io, {.timeout = limit, .max_connections = count}};
    const auto threads = running_threads();
    auto threads_at_end = threads;
    int good = 0;
    for (int i = 0; i < count; ++i) {
        client.async_request(http::Request{server.url()}, [&](std::exception_ptr, const http::Response& response) {
            good += response.body == "ok";
            threads_at_end = running_threads();
        });
    }
    io.run_for(limit);
    CHECK(good == count);
    CHECK(server.connections() == count);
    CHECK(threads_at_end == threads);
}

TEST_CASE("no more connections than max_connections are open and further requests wait", "[http][connections]")
{
    std::atomic<int> open{0};
    std::atomic<int> most{0};
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        most = std::max(most.load(), ++open);
        co_await always(ok)(connection);
        --open;
    }};
    asio::io_context io;
    const int allowed = 3;
    http::Options options;
    SECTION("in all") { options.max_connections = allowed; }
    SECTION("to one host") { options.max_connections_per_host = allowed; }
    const http::Client client{io, options};
    int good = 0;
    for (int i = 0; i < 100; ++i) {
        client.async_request(http::Request{server.url()}, [&](std::exception_ptr, const http::Response& response) {
            good += response.body == "ok";
        });
    }
    io.run_for(limit);
    CHECK(good == 100);
    CHECK(most <= allowed);
    CHECK(server.connections() <= allowed);
}

TEST_CASE("one client serves many coroutines on several threads", "[http][concurrency][threads]")
{
    const RawServer server{always(ok)};
    asio::thread_pool pool{4};
    std::atomic<int> good{0};
    std::atomic<int> at_home{0};
    {
        const http::Client client{pool, {.max_connections = 16}};
        const auto ask = [&](asio::strand<asio::thread_pool::executor_type> home) -> asio::awaitable<void> {
            for (int i = 0; i < 5; ++i) {
                const http::Response response = co_await client.get(server.url());
                good += response.body == "ok";
                at_home += home.running_in_this_thread();
            }
        };
        std::vector<std::future<void>> ends;
        for (int i = 0; i < 50; ++i) {
            auto home = asio::make_strand(pool.get_executor());
            ends.push_back(asio::co_spawn(home, ask(home), asio::use_future));
        }
        for (auto& end : ends)
            REQUIRE(end.wait_for(limit) == std::future_status::ready);
    }
    pool.join();
    CHECK(good == 250);
    CHECK(at_home == 250);  // every coroutine was resumed on its own strand
}

TEST_CASE("a coroutine on another context than the client's is resumed on its own", "[http][concurrency][threads]")
{
    const RawServer server{always(ok)};
    asio::thread_pool network{1};
    asio::io_context io;
    const http::Client client{network};
    const auto ask = [&](std::thread::id here) -> asio::awaitable<bool> {
        const http::Response response = co_await client.get(server.url());
        co_return response.body == "ok" && std::this_thread::get_id() == here;
    };
    // Its context has nothing else to do meanwhile, and must not run out of work.
    CHECK(run(io, ask(std::this_thread::get_id())));
}
