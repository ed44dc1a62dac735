// A server that breaks, stalls and lies at every point, seen from whole pipelines.

#include "hostile.hpp"

#include <asio/steady_timer.hpp>

#include <random>

using namespace faults;
using Then = Behaviour::Then;

namespace {

Tried tried{"HTTP answers"};

/// A client that gives up after a while in which nothing of the answer comes.
http::Options impatient(std::chrono::milliseconds time)
{
    http::Options options;
    options.timeout = time;
    return options;
}

std::string start_of_good_answer(std::size_t length) { return good_answer.substr(0, length); }

}  // namespace

TEST_CASE("a connection that breaks at any point of the answer costs a retry and no item", "[faults][http]")
{
    const Then then = GENERATE(Then::close, Then::reset);
    for (std::size_t length = 0; length < good_answer.size(); ++length) {
        CAPTURE(length, then == Then::reset);
        const RawServer server{every_second({"broken", start_of_good_answer(length), then})};
        agdf::NodeOptions options = patient();
        options.workers = 1;
        const Fetched fetched = fetch(server, 2, options, {});
        fetched.check_each_ended_once();
        CHECK(fetched.bodies == std::vector<std::string>{"ok", "ok"});
        tried();
    }
}

TEST_CASE("half an answer is never taken for a whole one", "[faults][http]")
{
    const Then then = GENERATE(Then::close, Then::reset);
    for (std::size_t length = 0; length < good_answer.size(); ++length) {
        CAPTURE(length, start_of_good_answer(length));
        const RawServer server{every_second({"broken", start_of_good_answer(length), then}, true)};
        const Fetched fetched = fetch(server, 1, patient(1), {});
        fetched.check_each_ended_once();
        CHECK(fetched.bodies.empty());
        tried();
    }
}

TEST_CASE("an answer that stalls at any point ends with the request's time and is asked for again", "[faults][http]")
{
    for (std::size_t length = 0; length < good_answer.size(); ++length) {
        CAPTURE(length);
        const RawServer server{every_second({"stalled", start_of_good_answer(length), Then::stall})};
        agdf::NodeOptions options = patient();
        options.workers = 1;
        const Fetched fetched = fetch(server, 1, options, impatient(40ms));
        fetched.check_each_ended_once();
        CHECK(fetched.took < 9s);  // it was not the node's time-out
        tried();
    }
}

TEST_CASE("an answer that stalls at any point ends with the node's time and is asked for again", "[faults][http]")
{
    for (std::size_t length = 0; length < good_answer.size(); ++length) {
        CAPTURE(length);
        const RawServer server{every_second({"stalled", start_of_good_answer(length), Then::stall})};
        agdf::NodeOptions options = patient();
        options.workers = 1;
        options.timeout = 40ms;
        const Fetched fetched = fetch(server, 1, options, {});
        fetched.check_each_ended_once();
        tried();
    }
}

TEST_CASE("a server that lies about a length costs its items at most, each with a reason", "[faults][http]")
{
    const std::string length = GENERATE(as<std::string>{}, "10", "1", "0", "-1", "-99999999999999999999", "99999999999999999999999999",
                                        "9223372036854775807", "two", "", " ", "2, 2", "2, 3", "0x2", "2.0", "1e1",
                                        "2\r\nContent-Length: 3", "3\r\nContent-Length: 2", "2\r\nTransfer-Encoding: chunked");
    CAPTURE(length);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: " + length + "\r\n\r\nok";
    const RawServer server{every_second({"liar", answer, Then::close}, true)};
    const Fetched fetched = fetch(server, 3, patient(2), impatient(2s));
    fetched.check_each_ended_once();
    for (const std::string& body : fetched.bodies)
        CHECK(std::string{"ok"}.starts_with(body));
    tried(3);
}

TEST_CASE("what a server sends beyond its answer is not the next answer", "[faults][http]")
{
    const RawServer server{every_second({"liar", good_answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Then::go_on}, true)};
    const Fetched fetched = fetch(server, 20, patient(), {});
    fetched.check_each_ended_once();
    CHECK(fetched.bodies == std::vector<std::string>(20, "ok"));
    tried(20);
}

TEST_CASE("an answer of 100 MiB is refused and takes no memory", "[faults][http]")
{
    const std::string head = GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n",
                                      "HTTP/1.1 500 No\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n");
    CAPTURE(head);
    const std::string piece(1024 * 1024, 'x');
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        bool taken = co_await connection.try_write(head);
        for (int i = 0; taken && i < 100; ++i)
            taken = co_await connection.try_write(piece);
    }};
    http::Options options;
    options.max_response_bytes = 1024 * 1024;
    (void)fetch(server, 1, patient(1), options);
    const double before = resident_megabytes();
    const Fetched fetched = fetch(server, 6, patient(1), options);
    fetched.check_each_ended_once();
    CHECK(fetched.bodies.empty());
    CHECK(resident_megabytes() - before < 16);
    tried(7);
}

TEST_CASE("redirects for ever end as an error of each item", "[faults][http]")
{
    const std::string to = GENERATE(as<std::string>{}, "/", "/there", "?", "//127.0.0.1:1/", "http://", "http:///", "\\\\", "%");
    CAPTURE(to);
    const RawServer server{every_second({"redirect", "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n", Then::go_on}, true)};
    const Fetched fetched = fetch(server, 3, patient(2), {});
    fetched.check_each_ended_once();
    CHECK(fetched.bodies.empty());
    tried(3);
}

TEST_CASE("what a server says about trying again never makes a run wait longer than the retry allows", "[faults][http]")
{
    const std::string after =
        GENERATE(as<std::string>{}, "0", "1", "-1", "99999999999999999999999", "9223372036854775807", "soon", "", "1.5", "0x10", "1e99",
                 "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 99 Foo 2026 99:99:99 GMT", "1, 2", "1\r\nRetry-After: 2");
    CAPTURE(after);
    const std::string answer = "HTTP/1.1 429 Slow down\r\nRetry-After: " + after + "\r\nContent-Length: 0\r\n\r\n";
    const RawServer server{every_second({"busy", answer, Then::close})};
    agdf::NodeOptions options = patient();
    options.workers = 1;
    options.retry.max_delay = 20ms;
    const Fetched fetched = fetch(server, 2, options, {});
    fetched.check_each_ended_once();
    CHECK(fetched.bodies == std::vector<std::string>{"ok", "ok"});
    CHECK(fetched.took < 5s);
    tried(2);
}

TEST_CASE("a server that closes every connection after its answer costs no item, without a retry", "[faults][http]")
{
    const RawServer server{every_second({"closes", good_answer, Then::close}, true)};
    const Fetched fetched = fetch(server, 100, patient(1), {});
    fetched.check_each_ended_once();
    CHECK(fetched.bodies.size() == 100);
    tried(100);
}

TEST_CASE("a server that resets every connection after its answer costs no item", "[faults][http]")
{
    const RawServer server{every_second({"resets", good_answer, Then::reset}, true)};
    const Fetched fetched = fetch(server, 50, patient(50), {});
    fetched.check_each_ended_once();
    tried(50);
}

TEST_CASE("garbage instead of an answer is an error of its item", "[faults][http]")
{
    std::mt19937 random{20'261'124};
    const std::string alphabet{"HTP/1.0 2\r\n\r\n:\0\xff\x80 ,;abc-chunkedContent-Length", 50};
    for (int round = 0; round < 150; ++round) {
        std::string garbage = round % 3 == 0 ? "" : round % 3 == 1 ? "HTTP/1.1 " : "HTTP/1.1 200 OK\r\n";
        const std::size_t length = random() % 300;
        for (std::size_t i = 0; i < length; ++i)
            garbage.push_back(alphabet[random() % alphabet.size()]);
        CAPTURE(round, garbage);
        const RawServer server{every_second({"garbage", garbage, Then::close}, true)};
        fetch(server, 1, patient(2), impatient(2s)).check_each_ended_once();
        tried();
    }
}

TEST_CASE("an answer that drips byte by byte arrives whole", "[faults][http]")
{
    const RawServer server{[](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        for (const char byte : good_answer) {
            std::string piece(1, byte);
            const bool taken = co_await connection.try_write(piece);
            if (!taken)
                co_return;
            co_await agdf::sleep_for(1ms);
        }
    }};
    const Fetched fetched = fetch(server, 6, patient(1), {});
    fetched.check_each_ended_once();
    CHECK(fetched.bodies.size() == 6);
    tried(6);
}

TEST_CASE("an answer that drips for ever ends with the request's time although bytes keep coming", "[faults][http]")
{
    const std::string head = GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\n\r\n");
    const RawServer server{[&](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        bool taken = co_await connection.try_write(head);
        while (taken) {
            co_await agdf::sleep_for(2ms);
            taken = co_await connection.try_write("x");
        }
    }};
    const Fetched fetched = fetch(server, 2, patient(2), impatient(100ms));
    fetched.check_each_ended_once();
    CHECK(fetched.bodies.empty());
    CHECK(fetched.took < 9s);
    tried(4);
}
