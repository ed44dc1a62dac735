#include "support/catch.hpp"

#include "http/support.hpp"

using namespace http_test;

namespace {

/// Counts the coroutine frames that are alive.
struct Alive {
    Alive() { ++count; }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;
    ~Alive() { --count; }
    static inline std::atomic<int> count{0};
};

enum class End { none, answered, aborted, failed };

asio::awaitable<void> ask(const http::Client& client, std::string url, End& end)
{
    const Alive alive;
    try {
        co_await client.get(std::move(url));
        end = End::answered;
    } catch (const asio::system_error& error) {
        end = error.code() == asio::error::operation_aborted ? End::aborted : End::failed;
    } catch (const http::Error&) {
        end = End::failed;
    }
}

/// The same, but the client lives in the coroutine.
asio::awaitable<void> ask_with_own_client(std::string url)
{
    const Alive alive;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const http::Client client{executor};
    co_await client.get(std::move(url));
}

/// Sends half an answer, tells the test, and waits for the end of the connection.
RawServer::Script half_then(std::function<void()> told, std::function<void()> ended = [] {})
{
    return [told, ended](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        told();
        co_await silence(connection);
        ended();
    };
}

}  // namespace

TEST_CASE("a cancelled request ends as aborted and its connection is closed", "[http][cancellation]")
{
    asio::io_context io;
    asio::cancellation_signal stop;
    const auto type =
        GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total);
    auto server_saw_the_end = std::make_shared<std::promise<void>>();
    const RawServer server{
        half_then([&] { asio::post(io, [&] { stop.emit(type); }); }, [=] { server_saw_the_end->set_value(); })};
    const http::Client client{io};
    std::exception_ptr thrown;
    int calls = 0;
    client.async_request(
        http::Request{server.url()},
        asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr error, const http::Response& response) {
            ++calls;
            thrown = error;
            CHECK(response.body.empty());
        }));
    io.run_for(limit);
    CHECK(calls == 1);
    REQUIRE(thrown);
    CHECK_THROWS_WITH(std::rethrow_exception(thrown), asio::system_error{asio::error::operation_aborted}.what());
    CHECK(server_saw_the_end->get_future().wait_for(limit) == std::future_status::ready);
}

TEST_CASE("cancelling a coroutine cancels the request that it awaits", "[http][cancellation]")
{
    asio::io_context io;
    asio::cancellation_signal stop;
    const RawServer server{half_then([&] { asio::post(io, [&] { stop.emit(asio::cancellation_type::terminal); }); })};
    const http::Client client{io};
    End end = End::none;
    asio::co_spawn(io, ask(client, server.url(), end), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    io.run_for(limit);
    CHECK(end == End::aborted);
    CHECK(Alive::count == 0);
}

TEST_CASE("a request that is cancelled before it starts ends as aborted", "[http][cancellation]")
{
    const RawServer server{silence};
    asio::io_context io;
    const http::Client client{io};
    asio::cancellation_signal stop;
    End end = End::none;
    asio::co_spawn(io, ask(client, server.url(), end), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    for (int steps = GENERATE(1, 2, 3, 4); steps > 0; --steps)
        io.poll_one();
    stop.emit(asio::cancellation_type::terminal);
    io.run_for(limit);
    CHECK(end == End::aborted);
    CHECK(io.stopped());
}

TEST_CASE("cancelling after the end changes nothing", "[http][cancellation]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    const http::Client client{io};
    asio::cancellation_signal stop;
    std::string body;
    client.async_request(
        http::Request{server.url()},
        asio::bind_cancellation_slot(
            stop.slot(), [&](std::exception_ptr, const http::Response& response) { body = response.body; }));
    io.run_for(limit);
    stop.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run_for(limit);
    CHECK(body == "ok");
    CHECK(run(io, client.get(server.url())).body == "ok");
}

TEST_CASE("a cancelled request makes room for one that waits", "[http][cancellation][connections]")
{
    asio::io_context io;
    asio::cancellation_signal stop;
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        if (connection.number() > 1)
            co_return co_await always(ok)(connection);
        co_await connection.read_request();
        asio::post(io, [&] { stop.emit(asio::cancellation_type::terminal); });
        co_await silence(connection);
    }};
    const http::Client client{io, {.max_connections = 1}};
    End first = End::none;
    End second = End::none;
    asio::co_spawn(io, ask(client, server.url(), first), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    asio::co_spawn(io, ask(client, server.url(), second), asio::detached);
    io.run_for(limit);
    CHECK(first == End::aborted);
    CHECK(second == End::answered);
}

TEST_CASE("destroying the client ends what is under way as aborted", "[http][lifetime]")
{
    asio::io_context io;
    std::optional<http::Client> client;
    const RawServer server{half_then([&] { asio::post(io, [&] { client.reset(); }); })};
    client.emplace(io, http::Options{.max_connections = 1});
    End ends[3] = {};
    for (End& end : ends)
        asio::co_spawn(io, ask(*client, server.url(), end), asio::detached);
    io.run_for(limit);
    for (const End end : ends)
        CHECK(end == End::aborted);
    CHECK(Alive::count == 0);
    CHECK(io.stopped());
}

TEST_CASE("a request that is first awaited after the client has gone ends as aborted", "[http][lifetime]")
{
    const RawServer server{silence};
    asio::io_context io;
    std::optional<http::Client> client{std::in_place, io};
    asio::awaitable<http::Response> request = client->get(server.url());
    client.reset();
    CHECK(error_of<asio::system_error>(io, std::move(request)).code() == asio::error::operation_aborted);
}

TEST_CASE("a client that was moved carries on with what is under way", "[http][lifetime]")
{
    const RawServer server{always(ok)};
    asio::io_context io;
    http::Client first{io};
    End end = End::none;
    asio::co_spawn(io, ask(first, server.url(), end), asio::detached);
    io.poll_one();
    http::Client second{std::move(first)};
    io.run_for(limit);
    CHECK(end == End::answered);
    http::Client third{io};
    third = std::move(second);
    CHECK(run(io, third.get(server.url())).body == "ok");
    CHECK(server.connections() == 1);
}

TEST_CASE("destroying the context destroys the coroutines that wait at every step", "[http][lifetime]")
{
    const RawServer server{always(ok)};
    const bool client_first = GENERATE(true, false);
    for (int steps = 0; steps < 40; ++steps) {
        End ends[2] = {};
        {
            asio::io_context io;
            std::optional<http::Client> client{std::in_place, io, http::Options{.max_connections = 1}};
            for (End& end : ends)
                asio::co_spawn(io, ask(*client, server.url(), end), asio::detached);
            asio::co_spawn(io, ask_with_own_client(server.url()), asio::detached);
            for (int i = 0; i < steps; ++i)
                io.run_one_for(limit);
            if (client_first)
                client.reset();
        }
        REQUIRE(Alive::count == 0);
    }
}

TEST_CASE("destroying the context with half a body received leaks nothing", "[http][lifetime]")
{
    for (int round = 0; round < 2; ++round) {
        asio::io_context io;
        const RawServer server{half_then([&] { asio::post(io, [&] { io.stop(); }); })};
        End end = End::none;
        const http::Client client{io};
        asio::co_spawn(io, ask(client, server.url(), end), asio::detached);
        asio::co_spawn(io, ask_with_own_client(server.url()), asio::detached);
        io.run_for(limit);
        CHECK(end == End::none);
        CHECK(Alive::count == 2);
    }
    CHECK(Alive::count == 0);
}

TEST_CASE("destroying a client from another thread while its context runs leaks nothing", "[http][lifetime][threads]")
{
    const RawServer server{silence};
    asio::thread_pool pool{2};
    for (int round = 0; round < 20; ++round) {
        std::optional<http::Client> client{std::in_place, pool};
        std::vector<std::future<http::Response>> futures;
        for (int i = 0; i < 5; ++i)
            futures.push_back(client->async_request(http::Request{server.url()}, asio::use_future));
        client.reset();
        for (auto& future : futures) {
            REQUIRE(future.wait_for(limit) == std::future_status::ready);
            CHECK_THROWS_AS(future.get(), asio::system_error);
        }
    }
    pool.join();
}

TEST_CASE("no descriptor stays open after a client and its context", "[http][lifetime]")
{
    const auto scenario = [] {
        asio::io_context io;
        const RawServer good{always(ok)};
        const RawServer bad{[](Connection& connection) -> asio::awaitable<void> {
            co_await connection.read_request();
            connection.reset();
        }};
        const RawServer mute{silence};
        const http::Client client{io, {.timeout = 100ms, .max_connections = 8}};
        End ends[30] = {};
        for (int i = 0; i < 30; ++i) {
            const RawServer& server = i % 3 == 0 ? good : i % 3 == 1 ? bad : mute;
            asio::co_spawn(io, ask(client, server.url(), ends[i]), asio::detached);
        }
        io.run_for(limit);
        for (const End end : ends)
            CHECK(end != End::none);
    };
    scenario();  // libraries open what they keep for good
    const auto before = open_descriptors();
    scenario();
    scenario();
    CHECK(open_descriptors() == before);
}
