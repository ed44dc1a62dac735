#pragma once

// What the HTTP tests share: a way to run a coroutine with a limit, and a server that follows a script.

#include <agdf/http/http.hpp>

#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace http_test {

namespace http = agdf::http;
using namespace std::chrono_literals;

inline constexpr std::chrono::seconds limit{20};

// A proxy of the machine must not see requests to its own loopback interface.
inline const int no_proxy = setenv("no_proxy", "127.0.0.1,localhost", 1);

/// Runs an awaitable to its end, which is also the end of all work of the context.
template <class T>
T run(asio::io_context& io, asio::awaitable<T> work)
{
    bool done = false;
    std::exception_ptr error;
    std::optional<T> value;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T result) {
        done = true;
        error = std::move(thrown);
        value = std::move(result);
    });
    io.restart();
    const auto start = std::chrono::steady_clock::now();
    io.run_for(limit);
    if (!done || std::chrono::steady_clock::now() - start >= limit)
        throw std::runtime_error("did not finish in time");
    if (error)
        std::rethrow_exception(error);
    return std::move(*value);
}

/// Runs an awaitable that is expected to throw an E, and returns that.
template <class E, class T>
E error_of(asio::io_context& io, asio::awaitable<T> work)
{
    try {
        run(io, std::move(work));
    } catch (const E& error) {
        return error;
    }
    throw std::logic_error("nothing was thrown");
}

inline std::ptrdiff_t count_entries(const char* directory)
{
    return std::distance(std::filesystem::directory_iterator{directory}, std::filesystem::directory_iterator{});
}

inline std::ptrdiff_t open_descriptors() { return count_entries("/proc/self/fd"); }
inline std::ptrdiff_t running_threads() { return count_entries("/proc/self/task"); }

/// A text that a server's thread writes and the test reads.
class Note {
public:
    void set(std::string text)
    {
        const std::lock_guard lock{mutex_};
        text_ = std::move(text);
    }
    [[nodiscard]] std::string get() const
    {
        const std::lock_guard lock{mutex_};
        return text_;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;
};

/// One connection as the script of a RawServer sees it.
class Connection {
public:
    Connection(asio::ip::tcp::socket socket, int number) : socket_(std::move(socket)), number_(number) {}

    /// Counts from 1.
    [[nodiscard]] int number() const { return number_; }

    /// Reads the header of a request; empty at the end of the connection.
    asio::awaitable<std::string> read_request()
    {
        asio::error_code error;
        const std::size_t size = co_await asio::async_read_until(socket_, asio::dynamic_buffer(input_), "\r\n\r\n",
                                                                 asio::redirect_error(asio::use_awaitable, error));
        std::string request = input_.substr(0, error ? 0 : size);
        input_.erase(0, request.size());
        co_return request;
    }

    asio::awaitable<void> write(std::string text) { co_await try_write(std::move(text)); }

    /// The same, but says whether the peer still takes it.
    asio::awaitable<bool> try_write(std::string text)
    {
        asio::error_code error;
        co_await asio::async_write(socket_, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
        co_return !error;
    }

    /// Closes the connection so that the peer sees a reset.
    void reset()
    {
        socket_.set_option(asio::socket_base::linger{true, 0});
        socket_.close();
    }

private:
    asio::ip::tcp::socket socket_;
    int number_;
    std::string input_;
};

/// A server that does what a script says, byte by byte; the script runs once for each connection.
class RawServer {
public:
    using Script = std::function<asio::awaitable<void>(Connection&)>;

    explicit RawServer(Script script)
        : script_(std::move(script)), acceptor_(io_, {asio::ip::address_v4::loopback(), 0})
    {
        port_ = acceptor_.local_endpoint().port();
        acceptor_.listen(4'096);
        asio::co_spawn(io_, accept(), asio::detached);
        thread_ = std::thread{[this] { io_.run(); }};
    }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;
    ~RawServer()
    {
        io_.stop();
        thread_.join();
    }

    [[nodiscard]] std::string url(const std::string& path = "/") const { return with("", path); }
    [[nodiscard]] std::string with(const std::string& credentials, const std::string& path) const
    {
        return fmt::format("http://{}127.0.0.1:{}{}", credentials, port_, path);
    }
    [[nodiscard]] int connections() const { return connections_; }

private:
    asio::awaitable<void> accept()
    {
        for (;;) {
            asio::ip::tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
            auto connection = std::make_unique<Connection>(std::move(socket), ++connections_);
            asio::co_spawn(io_, serve(std::move(connection)), asio::detached);
        }
    }

    asio::awaitable<void> serve(std::unique_ptr<Connection> connection) { co_await script_(*connection); }

    asio::io_context io_{1};
    Script script_;
    asio::ip::tcp::acceptor acceptor_;
    int port_ = 0;
    std::atomic<int> connections_{0};
    std::thread thread_;
};

/// Answers every request of a connection with the same bytes.
inline RawServer::Script always(std::string answer)
{
    return [answer](Connection& connection) -> asio::awaitable<void> {
        for (;;) {
            const std::string request = co_await connection.read_request();
            if (request.empty())
                co_return;
            co_await connection.write(answer);
        }
    };
}

/// Answers the first request of a connection and closes it.
inline RawServer::Script once(std::string answer)
{
    return [answer](Connection& connection) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await connection.write(answer);
    };
}

/// Reads requests and never answers.
inline asio::awaitable<void> silence(Connection& connection)
{
    for (;;) {
        const std::string request = co_await connection.read_request();
        if (request.empty())
            co_return;
    }
}

inline const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace http_test
