#include "server.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace soak {

class Server::Running {
public:
    explicit Running(int& port)
    {
        constexpr std::size_t connections = 24;  // each keeps a thread
        server_.new_task_queue = [] { return new httplib::ThreadPool(connections); };
        server_.set_keep_alive_max_count(1'000'000);
        server_.set_keep_alive_timeout(1);
        server_.set_tcp_nodelay(true);
        server_.Get(R"(/item/(\d+))",
                    [](const httplib::Request& request, httplib::Response& response) { answer(request, response); });
        if (port == 0)
            port = server_.bind_to_any_port("127.0.0.1");
        else if (!server_.bind_to_port("127.0.0.1", port))
            throw std::runtime_error(fmt::format("the port {} is taken. Expected: free, since it was ours", port));
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running())
            std::this_thread::yield();  // stopping it earlier would do nothing
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running()
    {
        server_.stop();
        thread_.join();
    }

private:
    static void answer(const httplib::Request& request, httplib::Response& response)
    {
        static std::atomic<unsigned> answers{0};
        const unsigned dice = answers++ * 2654435761U >> 16U;
        const long number = std::stol(request.matches[1]);
        if (dice % 50 == 0) {
            response.status = 503;
        } else if (number % 101 == 100) {
            response.status = 404;
        } else {
            if (dice % 997 == 0)
                std::this_thread::sleep_for(std::chrono::milliseconds(300));  // longer than anybody waits
            response.set_content(fmt::format("{},{:x}", number, number * 2654435761L), "text/plain");
        }
    }

    httplib::Server server_;
    std::thread thread_;
};

Server::Server() = default;
Server::~Server() = default;
void Server::start() { running_ = std::make_unique<Running>(port_); }
void Server::stop() { running_.reset(); }
std::string Server::url() const { return fmt::format("http://127.0.0.1:{}/item/", port_); }

}  // namespace soak
