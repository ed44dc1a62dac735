#pragma once

// The HTTP client for node bodies and other coroutines.

#include <agdf/http/detail/asio.hpp>
#include <agdf/http/detail/engine.hpp>
#include <agdf/http/detail/operation.hpp>
#include <agdf/http/detail/request_check.hpp>
#include <agdf/http/error.hpp>
#include <agdf/http/options.hpp>
#include <agdf/http/request.hpp>
#include <agdf/http/response.hpp>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace agdf::http {

/// Sends requests and keeps their connections for the next ones; any number of coroutines share one client.
///
/// Thousands of requests may wait on one thread: libcurl works on its non-blocking sockets, Asio waits for them, and
/// no thread is made except libcurl's own for looking up names.
///
/// Errors:        the constructors throw std::invalid_argument for an option out of range.
/// Thread-safety: `get`, `request` and `async_request` are safe from any thread; all work on the transfers is done
///                on a strand that the client makes for itself. Making, moving and destroying it: one thread.
/// Lifetime:      the execution context must outlive the client, as with all of Asio. Destroying the client ends what
///                is under way with operation_aborted and does not block; destroying the context destroys the
///                coroutines that wait.
/// Signals:       with TLS and libcurl before 7.87 a program should ignore SIGPIPE.
///
///     agdf::http::Client client{io, {.timeout = std::chrono::seconds(5)}};
///     const agdf::http::Response response = co_await client.get("https://example.com/");
class Client {
public:
    using executor_type = asio::any_io_executor;

    /// Makes a client on an executor.
    explicit Client(asio::any_io_executor executor, Options options = {})
    {
        detail::check(options);
        engine_ = std::make_shared<detail::Engine>(std::move(executor), std::move(options));
    }

    /// Makes a client on an execution context, such as an asio::io_context.
    template <class Context>
        requires std::is_convertible_v<Context&, asio::execution_context&>
    explicit Client(Context& context, Options options = {}) : Client(context.get_executor(), std::move(options))
    {
    }

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Takes over what is under way.
    Client(Client&&) noexcept = default;

    /// The same, after ending what is under way here.
    Client& operator=(Client&& other) noexcept
    {
        if (this != &other) {
            close();
            engine_ = std::move(other.engine_);
        }
        return *this;
    }

    ~Client() { close(); }

    /// Returns the executor that it was made with.
    [[nodiscard]] executor_type get_executor() const noexcept { return engine_->executor(); }

    /// Returns the options that it was made with.
    [[nodiscard]] const Options& options() const noexcept { return *engine_->options(); }

    /// Sends a request with any completion token of the signature `void(std::exception_ptr, Response)`.
    ///
    /// Errors:        those of `request`, as the first argument.
    /// Resumes:       on the handler's associated executor, else on the client's; never inside the call.
    /// Thread-safety: safe.
    ///
    ///     std::future<agdf::http::Response> response = client.async_request(std::move(request), asio::use_future);
    template <class CompletionToken>
    auto async_request(Request request, CompletionToken&& token) const
    {
        return asio::async_initiate<CompletionToken, void(std::exception_ptr, Response)>(
            detail::Initiate{engine_}, token, std::move(request));
    }

    /// Asks for a URL with GET.
    ///
    /// @param url  Whole, with http:// or https://; a user name and a password in it are sent to that host only.
    /// @return     The complete answer.
    ///
    /// Errors:        throws what `request` throws.
    /// Resumes:       on the awaiting coroutine's executor, never inside the call.
    /// Thread-safety: safe.
    ///
    ///     const agdf::http::Response response = co_await client.get("https://example.com/");
    [[nodiscard]] asio::awaitable<Response> get(std::string url) const { return request(Request{std::move(url)}); }

    /// Sends a request and waits for the whole answer.
    ///
    /// @return  The last answer after all redirects, its body decompressed.
    ///
    /// Errors:        throws `StatusError` for a status of 400 or more (unless told not to), `ResponseTooLargeError`,
    ///                `TransportError` for all else that goes wrong on the way, and
    ///                asio::system_error(operation_aborted) if the caller is cancelled or the client is destroyed.
    ///                A cancelled request may have reached its server.
    /// Resumes:       on the awaiting coroutine's executor, never inside the call.
    /// Thread-safety: safe.
    ///
    ///     agdf::http::Request request{"POST", "https://example.com/orders"};
    ///     request.body = "7";
    ///     const agdf::http::Response response = co_await client.request(std::move(request));
    [[nodiscard]] asio::awaitable<Response> request(Request request) const
    {
        return async_request(std::move(request), asio::use_awaitable);
    }

private:
    void close() noexcept
    {
        // Alone, there is nothing under way, and the connections can be closed here and now. An execution context
        // that does not run any more would keep a posted word, and with it the connections, until its end.
        if (engine_ && engine_.use_count() > 1) {
            asio::post(engine_->strand(), [engine = engine_] { engine->close(); });
        }
        engine_.reset();
    }

    std::shared_ptr<detail::Engine> engine_;
};

}  // namespace agdf::http
