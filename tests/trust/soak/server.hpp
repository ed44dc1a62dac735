#pragma once

// A server on the loopback interface that is not to be relied on.

#include <memory>
#include <string>

namespace soak {

/// Answers /item/N with a row, and sometimes with 503, with 404, or late.
///
/// Thread-safety: one thread starts and stops it.
class Server {
public:
    Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    /// Listens, at the same port each time.
    void start();
    /// Breaks off what is under way; whoever connects from now on is refused.
    void stop();
    [[nodiscard]] bool is_up() const noexcept { return running_ != nullptr; }
    [[nodiscard]] std::string url() const;

private:
    class Running;

    int port_ = 0;
    std::unique_ptr<Running> running_;
};

}  // namespace soak
