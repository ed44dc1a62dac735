#pragma once

// libcurl's multi handle, driven by Asio: libcurl says which sockets and which time it waits for, Asio waits.
//
//      Client ──────────────────────► Engine ◄──────────────┐ as long as a transfer is under way
//                                       │ multi handle       │
//                                       │ sockets, timer     │
//      execution context ─► Operation ──┼────────────────────┘
//                            │ handler  ▼
//                            └────────► Transfer (easy handle, response so far)
//
// The handler, and with it the awaiting coroutine, belongs to the execution context alone. What waits for libcurl's
// sockets and timer holds weak pointers: it keeps nothing alive, and finds out if the engine is gone.

#include <agdf/http/detail/asio.hpp>
#include <agdf/http/detail/curl.hpp>
#include <agdf/http/detail/socket.hpp>
#include <agdf/http/detail/transfer.hpp>
#include <agdf/http/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace agdf::http::detail {

[[nodiscard]] inline std::exception_ptr aborted()
{
    return std::make_exception_ptr(asio::system_error{asio::error::operation_aborted});
}

/// Thread-safety: `strand`, `executor` and `options` are safe; all else is to be called on the strand.
class Engine : public std::enable_shared_from_this<Engine> {
public:
    Engine(asio::any_io_executor executor, Options options)
        : executor_(std::move(executor)),
          strand_(asio::make_strand(executor_)),
          options_(std::make_shared<const Options>(std::move(options))),
          timer_(strand_)
    {
        open();
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Runs on any thread, but as the last one who knows this engine.
    ~Engine() { shut(); }

    [[nodiscard]] const Strand& strand() const noexcept { return strand_; }
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] const std::shared_ptr<const Options>& options() const noexcept { return options_; }

    /// Hands a transfer to libcurl, which may keep it waiting for a connection.
    void start(const std::shared_ptr<Transfer>& transfer)
    {
        std::exception_ptr error;
        try {
            if (closed_)
                error = aborted();
            else
                add(transfer);
        } catch (...) {
            error = std::current_exception();
        }
        if (error)
            finish(transfer, std::move(error));
    }

    /// Ends a transfer with an error, unless it has ended already.
    void finish(std::shared_ptr<Transfer> transfer, std::exception_ptr error)
    {
        if (transfer->is_done())
            return;
        if (transfers_.erase(transfer->easy()) > 0)
            curl_multi_remove_handle(multi_.get(), transfer->easy());
        transfer->conclude(std::move(error));
    }

    /// Ends all transfers, and every later one, as aborted.
    void close()
    {
        closed_ = true;
        finish_all(aborted());
    }

private:
    void open()
    {
        start_curl();
        multi_.reset(curl_multi_init());
        if (!multi_)
            throw std::bad_alloc{};
        const auto limit = [](std::size_t count) { return static_cast<long>(std::min<std::size_t>(count, 1'000'000)); };
        CURLM* const multi = multi_.get();
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Engine::on_socket);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Engine::on_timer);
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limit(options_->max_connections));
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, limit(options_->max_connections_per_host));
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, limit(options_->max_connections));  // those kept while idle
    }

    // libcurl gets no more callbacks, so that nothing new starts to wait while it closes its sockets.
    void shut() noexcept
    {
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, nullptr);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, nullptr);
        sockets_.clear();
        unwatched_.clear();
        for (auto& [easy, transfer] : transfers_)  // only if the execution context went before they ended
            curl_multi_remove_handle(multi_.get(), easy);
        transfers_.clear();
        multi_.reset();
    }

    void add(const std::shared_ptr<Transfer>& transfer)
    {
        CURL* const easy = transfer->prepare();
        transfers_.emplace(easy, transfer);
        const CURLMcode code = curl_multi_add_handle(multi_.get(), easy);
        if (code != CURLM_OK) {
            transfers_.erase(easy);
            std::rethrow_exception(transfer->failure(CURLE_FAILED_INIT, curl_multi_strerror(code)));
        }
    }

    void finish_all(const std::exception_ptr& error)
    {
        while (!transfers_.empty())
            finish(transfers_.begin()->second, error);
    }

    // Lets libcurl work on what has happened; its callbacks run in here.
    void act(curl_socket_t socket, int events)
    {
        int running = 0;
        const CURLMcode code = curl_multi_socket_action(multi_.get(), socket, events, &running);
        finish_completed();
        finish_unwatched();
        if (code != CURLM_OK)
            start_again(code);
    }

    void finish_completed()
    {
        int left = 0;
        while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg != CURLMSG_DONE)
                continue;
            const CURLcode code = message->data.result;
            const auto found = transfers_.find(message->easy_handle);  // the message dies with the removal
            if (found == transfers_.end())
                continue;
            const std::shared_ptr<Transfer> transfer = found->second;
            std::exception_ptr error;
            try {
                error = transfer->outcome(code);
            } catch (...) {
                error = std::current_exception();
            }
            finish(transfer, std::move(error));
        }
    }

    // A multi handle that reports an error is of no use any more.
    void start_again(CURLMcode code)
    {
        while (!transfers_.empty()) {
            const auto transfer = transfers_.begin()->second;
            finish(transfer, transfer->failure(CURLE_FAILED_INIT, curl_multi_strerror(code)));
        }
        shut();
        open();
    }

    static int on_socket(CURL* easy, curl_socket_t number, int what, void* self, void*) noexcept
    {
        try {
            static_cast<Engine*>(self)->want(easy, number, what);
            return 0;
        } catch (...) {
            return -1;  // libcurl then reports CURLM_ABORTED_BY_CALLBACK
        }
    }

    static int on_timer(CURLM*, long milliseconds, void* self) noexcept
    {
        try {
            static_cast<Engine*>(self)->want_time(milliseconds);
            return 0;
        } catch (...) {
            return -1;
        }
    }

    void want(CURL* easy, curl_socket_t number, int what)
    {
        const auto found = sockets_.find(number);
        if (what == CURL_POLL_REMOVE) {
            if (found != sockets_.end()) {
                found->second->close();  // now, although who waits for it may hold it a little longer
                sockets_.erase(found);
            }
            return;
        }
        std::shared_ptr<Socket> socket;
        if (found != sockets_.end()) {
            socket = found->second;
        } else {
            socket = std::make_shared<Socket>(strand_);
            if (const std::error_code error = socket->open(number)) {
                unwatched_.emplace_back(easy, error);
                return;
            }
            sockets_.emplace(number, socket);
        }
        socket->wanted = what;
        watch(socket);
    }

    // One transfer that cannot be waited for, such as when descriptors run out, does not stop the others.
    void finish_unwatched()
    {
        for (const auto& [easy, error] : std::exchange(unwatched_, {})) {
            const auto found = transfers_.find(easy);
            if (found == transfers_.end())
                continue;
            const std::string text = fmt::format("no descriptor to wait for its socket: {}", error.message());
            const auto transfer = found->second;
            finish(transfer, transfer->failure(CURLE_COULDNT_CONNECT, text));
        }
    }

    void watch(const std::shared_ptr<Socket>& socket)
    {
        if ((socket->wanted & CURL_POLL_IN) != 0 && !std::exchange(socket->waits_to_read, true))
            wait_for(socket, CURL_CSELECT_IN);
        if ((socket->wanted & CURL_POLL_OUT) != 0 && !std::exchange(socket->waits_to_write, true))
            wait_for(socket, CURL_CSELECT_OUT);
    }

    void wait_for(const std::shared_ptr<Socket>& socket, int event)
    {
        const std::weak_ptr<Engine> engine = weak_from_this();
        const std::weak_ptr<Socket> watched = socket;
        socket->wait(event, [engine, watched, event](const asio::error_code& error) {
            const auto living_engine = engine.lock();
            const auto living_socket = watched.lock();  // another one of the same number is not meant
            if (living_engine && living_socket)
                living_engine->on_event(living_socket, event, error);
        });
    }

    void on_event(const std::shared_ptr<Socket>& socket, int event, const asio::error_code& error)
    {
        (event == CURL_CSELECT_IN ? socket->waits_to_read : socket->waits_to_write) = false;
        if (!socket->is_open() || error == asio::error::operation_aborted)
            return;
        if ((socket->wanted & event) != 0)  // it may have changed its mind meanwhile
            act(socket->number(), error ? CURL_CSELECT_ERR : event);
        if (socket->is_open())
            watch(socket);
    }

    void want_time(long milliseconds)
    {
        if (milliseconds < 0) {
            timer_.cancel();
            return;
        }
        timer_.expires_after(std::chrono::milliseconds{milliseconds});
        timer_.async_wait([engine = weak_from_this()](const asio::error_code& error) {
            if (const auto living = engine.lock(); living && !error)
                living->act(CURL_SOCKET_TIMEOUT, 0);
        });
    }

    const asio::any_io_executor executor_;
    const Strand strand_;
    const std::shared_ptr<const Options> options_;
    MultiHandle multi_;
    std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
    std::unordered_map<CURL*, std::shared_ptr<Transfer>> transfers_;
    std::vector<std::pair<CURL*, std::error_code>> unwatched_;
    asio::steady_timer timer_;
    bool closed_ = false;
};

}  // namespace agdf::http::detail
