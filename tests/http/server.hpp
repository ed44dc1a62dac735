#pragma once

// A whole HTTP server on the loopback interface; apart from support.hpp, since its header is slow to compile.

#include "http/support.hpp"

#include <httplib.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace http_test {

/// A server that behaves.
class Server {
public:
    template <class Setup>
    explicit Server(Setup setup) : Server("http", std::make_unique<httplib::Server>(), std::move(setup))
    {
    }

    template <class Setup>
    Server(std::string scheme, std::unique_ptr<httplib::Server> server, Setup setup)
        : scheme_(std::move(scheme)), server_(std::move(server))
    {
        server_->set_keep_alive_timeout(1);
        setup(*server_);
        port_ = server_->bind_to_any_port("127.0.0.1");
        thread_ = std::thread{[this] { server_->listen_after_bind(); }};
        while (!server_->is_running())
            std::this_thread::yield();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server()
    {
        server_->stop();
        thread_.join();
    }

    [[nodiscard]] std::string url(const std::string& path = "/") const { return with("", path); }
    [[nodiscard]] std::string with(const std::string& credentials, const std::string& path) const
    {
        return fmt::format("{}://{}127.0.0.1:{}{}", scheme_, credentials, port_, path);
    }
    [[nodiscard]] int port() const { return port_; }

private:
    std::string scheme_;
    std::unique_ptr<httplib::Server> server_;
    int port_ = 0;
    std::thread thread_;
};

}  // namespace http_test
