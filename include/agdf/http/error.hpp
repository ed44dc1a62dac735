#pragma once

// How a request fails. A cancelled one ends with asio::system_error(operation_aborted), as everywhere in Asio.

#include <agdf/error.hpp>
#include <agdf/http/detail/error_text.hpp>
#include <agdf/http/response.hpp>
#include <agdf/retry.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace agdf::http {

/// The base of every failure of a request; catch it where the kind does not matter.
///
/// Errors: its text names the method and the URL, never a user name or a password of the URL.
class AGDF_ONE_IN_PROGRAM Error : public std::runtime_error {
public:
    /// Returns the method of the request, such as "GET".
    [[nodiscard]] const std::string& method() const noexcept { return target_->method; }

    /// Returns the URL without user name and password.
    [[nodiscard]] const std::string& url() const noexcept { return target_->url; }

protected:
    Error(const std::string& text, std::string_view method, std::string_view url)
        : std::runtime_error(text),
          target_(std::make_shared<const Target>(std::string{method}, detail::without_credentials(url)))
    {
    }

private:
    struct Target {
        Target(std::string verb, std::string where) : method(std::move(verb)), url(std::move(where)) {}
        std::string method;
        std::string url;
    };

    std::shared_ptr<const Target> target_;  // shared, so that a copy of the exception cannot throw
};

namespace detail {

// What a server asks for, in its own unit for whoever looks at the answer, and as a RetryAfter for whoever tries again.
// Two bases, since one class cannot have both functions; GCC fears that the one hides the other by mistake.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
class AGDF_ONE_IN_PROGRAM RetryAfterField {
public:
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept { return field_; }

protected:
    explicit RetryAfterField(std::optional<std::chrono::seconds> field) noexcept : field_(field) {}

private:
    std::optional<std::chrono::seconds> field_;
};

class AGDF_ONE_IN_PROGRAM RetryAfterWish : public RetryAfter {
public:
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept final { return wish_; }

protected:
    explicit RetryAfterWish(std::optional<std::chrono::seconds> wish) noexcept : wish_(wish) {}
    RetryAfterWish(const RetryAfterWish&) = default;
    RetryAfterWish& operator=(const RetryAfterWish&) = default;
    ~RetryAfterWish() = default;

private:
    std::optional<std::chrono::nanoseconds> wish_;
};
#pragma GCC diagnostic pop

}  // namespace detail

/// Says that the server answered with a status of 400 or more. It is a RetryAfter.
///
///     } catch (const agdf::http::StatusError& error) {
///         if (error.status() == 404) …
class AGDF_ONE_IN_PROGRAM StatusError : public Error, public detail::RetryAfterField, public detail::RetryAfterWish {
public:
    /// How much of the body is kept.
    static constexpr std::size_t max_body_bytes = 4'096;

    /// Makes the error of an answer; the client does it, and a test may.
    StatusError(std::string_view method, Response response)
        : StatusError(method, std::move(response), std::time(nullptr))
    {
    }

    /// Returns the status code.
    [[nodiscard]] int status() const noexcept { return response_->status; }

    /// Returns the header fields of the answer.
    [[nodiscard]] const Headers& headers() const noexcept { return response_->headers; }

    /// Returns the start of the body, `max_body_bytes` at most.
    [[nodiscard]] const std::string& body() const noexcept { return response_->body; }

    /// Returns how long the server asks to wait before the next try, counted from its answer.
    ///
    /// @return  What Retry-After says as seconds or as a date (zero if that is over, a year at most); nothing if the
    ///          field is missing or is neither.
    using detail::RetryAfterField::retry_after;

private:
    StatusError(std::string_view method, Response response, std::time_t now)
        : StatusError(method, std::make_shared<const Response>(shorten(std::move(response))), now)
    {
    }

    StatusError(std::string_view method, std::shared_ptr<const Response> response, std::time_t now)
        : StatusError(method, response, detail::parse_retry_after(response->headers, now))
    {
    }

    StatusError(std::string_view method, std::shared_ptr<const Response> response,
                std::optional<std::chrono::seconds> retry_after)
        : Error(detail::status_text(method, *response, retry_after), method, response->url),
          RetryAfterField(retry_after),
          RetryAfterWish(retry_after),
          response_(std::move(response))
    {
    }

    [[nodiscard]] static Response shorten(Response response)
    {
        if (response.body.size() > max_body_bytes) {
            response.body.resize(max_body_bytes);
            response.body.shrink_to_fit();
        }
        return response;
    }

    std::shared_ptr<const Response> response_;
};

/// Says that there was no complete answer: the name, the connection, TLS, a time-out, too many redirects.
class AGDF_ONE_IN_PROGRAM TransportError : public Error {
public:
    /// Makes the error of a transfer; the client does it, and a test may.
    TransportError(std::string_view method, std::string_view url, CURLcode code, std::string text)
        : TransportError(method, url, code, std::make_shared<const std::string>(std::move(text)))
    {
    }

    /// Returns libcurl's code, such as CURLE_COULDNT_CONNECT.
    [[nodiscard]] CURLcode code() const noexcept { return code_; }

    /// Returns libcurl's text.
    [[nodiscard]] const std::string& text() const noexcept { return *text_; }

    /// Says whether time ran out, be it for connecting or for the whole request.
    [[nodiscard]] bool is_timeout() const noexcept { return code_ == CURLE_OPERATION_TIMEDOUT; }

private:
    TransportError(std::string_view method, std::string_view url, CURLcode code,
                   std::shared_ptr<const std::string> text)
        : Error(detail::transport_text(method, url, code, *text), method, url),
          code_(code),
          text_(std::move(text))
    {
    }

    CURLcode code_;
    std::shared_ptr<const std::string> text_;
};

/// Says that an answer is larger than allowed; the rest of it was not received.
class AGDF_ONE_IN_PROGRAM ResponseTooLargeError : public Error {
public:
    /// Makes the error of an answer; the client does it, and a test may.
    ///
    /// @param part   What was too large: "body" or "header".
    /// @param limit  The bytes that were allowed.
    ResponseTooLargeError(std::string_view method, std::string_view url, std::string_view part, std::size_t limit)
        : Error(fmt::format("agdf::http::Client: {} {} was answered with a {} of more than {} bytes. Expected: at most "
                            "that. Ask for less at once, or raise max_response_bytes if it is the body.",
                            method, detail::without_credentials(url), part, limit),
                method, url),
          limit_(limit)
    {
    }

    /// Returns the bytes that were allowed.
    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

private:
    std::size_t limit_;
};

/// Says whether another try of a failed request may succeed; made for `Retry::when`.
///
/// @return  True for the statuses 408, 425, 429 and 5xx except 501, for a server that could not be found or reached, for a
///          connection that broke, and for every time-out, an agdf::TimeoutError as well; false for all other errors.
///
///     graph.add_node("fetch", fetch, {.retry = {.attempts = 5, .when = agdf::http::is_transient}});
[[nodiscard]] inline bool is_transient(const std::exception_ptr& error) noexcept
{
    if (!error)
        return false;
    try {
        std::rethrow_exception(error);
    } catch (const StatusError& answer) {
        const int status = answer.status();
        return status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599 && status != 501);
    } catch (const TransportError& failure) {
        switch (failure.code()) {
            case CURLE_OPERATION_TIMEDOUT:
            case CURLE_COULDNT_RESOLVE_PROXY:
            case CURLE_COULDNT_RESOLVE_HOST:
            case CURLE_COULDNT_CONNECT:
            case CURLE_SSL_CONNECT_ERROR:
            case CURLE_SEND_ERROR:
            case CURLE_RECV_ERROR:
            case CURLE_GOT_NOTHING:
            case CURLE_PARTIAL_FILE:
            case CURLE_HTTP2:
            case CURLE_HTTP2_STREAM: return true;
            default: return false;
        }
    } catch (const TimeoutError&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace agdf::http
