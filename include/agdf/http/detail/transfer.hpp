#pragma once

// One request on its way: libcurl's easy handle, what it has received so far, and the timer that ends it.

#include <agdf/http/detail/asio.hpp>
#include <agdf/http/detail/curl.hpp>
#include <agdf/http/detail/request_check.hpp>
#include <agdf/http/detail/socket.hpp>
#include <agdf/http/error.hpp>
#include <agdf/http/options.hpp>
#include <agdf/http/request.hpp>
#include <agdf/http/response.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace agdf::http::detail {

/// Thread-safety: made anywhere, then used on the client's strand only.
class Transfer {
public:
    Transfer(const Strand& strand, std::shared_ptr<const Options> options, Request request)
        : timer_(strand), options_(std::move(options)), request_(std::move(request))
    {
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() = default;

    /// Starts waiting for the end of this transfer, or of its time.
    ///
    /// The waiting operation belongs to the execution context and owns the awaiting coroutine: if the context is
    /// destroyed, so is the coroutine, and nobody else has to know about it.
    template <class Operation>
    void wait(Operation&& operation)
    {
        const auto allowed = request_.timeout.value_or(options_->timeout);
        if (allowed > std::chrono::milliseconds{0})
            timer_.expires_after(std::min(allowed, longest_time));
        else
            timer_.expires_at(asio::steady_timer::time_point::max());
        timer_.async_wait(std::forward<Operation>(operation));
    }

    /// Makes the easy handle ready to be added to a multi handle.
    ///
    /// Errors: throws `TransportError` if the request cannot be sent as it is.
    [[nodiscard]] CURL* prepare()
    {
        if (const auto problem = find_problem(*options_, request_))
            std::rethrow_exception(failure(problem->code, problem->text));
        easy_.reset(curl_easy_init());
        if (!easy_)
            throw std::bad_alloc{};
        set_callbacks();
        set_target();
        set_connection();
        set_method();
        set_headers();
        return easy_.get();
    }

    [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }
    [[nodiscard]] bool is_done() const noexcept { return done_; }

    /// Keeps the outcome and wakes the waiting operation; the handle must have left its multi handle.
    void conclude(std::exception_ptr error)
    {
        done_ = true;
        error_ = std::move(error);
        easy_.reset();
        lines_ = HeaderLines{};
        timer_.cancel();
    }

    /// Turns the end of libcurl's work into a response or an error.
    [[nodiscard]] std::exception_ptr outcome(CURLcode code)
    {
        read_info();
        const bool refused = throws_on_status() && response_.status >= 400 && header_ended_;
        if (refused && (code == CURLE_OK || overflow_ == Overflow::body))
            return std::make_exception_ptr(StatusError{request_.method, std::move(response_)});
        if (overflow_ != Overflow::none) {
            const bool in_body = overflow_ == Overflow::body;
            return std::make_exception_ptr(ResponseTooLargeError{request_.method, request_.url,
                                                                 in_body ? "body" : "header",
                                                                 in_body ? max_body_bytes() : max_header_bytes});
        }
        if (code == CURLE_OK && !header_ended_)  // which libcurl takes for an empty body
            return failure(CURLE_PARTIAL_FILE, "the connection was closed in the middle of the header");
        return code == CURLE_OK ? nullptr : failure(code, error_text_.data());
    }

    /// Makes the error of a transfer whose time is over.
    [[nodiscard]] std::exception_ptr timed_out() const
    {
        const auto allowed = request_.timeout.value_or(options_->timeout);
        return failure(CURLE_OPERATION_TIMEDOUT, fmt::format("no complete answer within {} ms", allowed.count()));
    }

    /// Makes the error for a code of libcurl and its text.
    [[nodiscard]] std::exception_ptr failure(CURLcode code, std::string text) const
    {
        if (text.empty() || text.find('@') != std::string::npos)  // it could be a part of a password
            text = curl_easy_strerror(code);
        return std::make_exception_ptr(TransportError{request_.method, request_.url, code, std::move(text)});
    }

    [[nodiscard]] std::exception_ptr take_error() noexcept { return std::move(error_); }
    [[nodiscard]] Response take_response() noexcept { return std::move(response_); }

private:
    enum class Overflow { none, header, body };

    static constexpr std::size_t max_header_bytes = 256 * 1024;
    static constexpr std::chrono::milliseconds longest_time = std::chrono::hours{24 * 20};  // libcurl counts in long

    template <class T>
    void set(CURLoption option, T value)
    {
        const CURLcode code = curl_easy_setopt(easy_.get(), option, value);
        if (code == CURLE_OUT_OF_MEMORY)
            throw std::bad_alloc{};
        if (code != CURLE_OK)
            std::rethrow_exception(failure(code, curl_easy_strerror(code)));
    }

    [[nodiscard]] bool throws_on_status() const noexcept
    {
        return request_.throw_on_status.value_or(options_->throw_on_status);
    }

    [[nodiscard]] std::size_t max_body_bytes() const noexcept
    {
        return request_.max_response_bytes.value_or(options_->max_response_bytes);
    }

    void set_callbacks()
    {
        set(CURLOPT_ERRORBUFFER, error_text_.data());
        set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
        set(CURLOPT_HEADERDATA, this);
        set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
        set(CURLOPT_WRITEDATA, this);
        set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
        // Without it, cancelling while a name is looked up blocks until the look-up ends.
        set(CURLOPT_QUICK_EXIT, 1L);
#endif
    }

    void set_target()
    {
        set(CURLOPT_URL, request_.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
        set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
        set(CURLOPT_REDIR_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
        // libcurl repeats a method that it was told by name (PUT, DELETE) even where a redirect says GET.
        const bool known = request_.method == "GET" || request_.method == "HEAD" || request_.method == "POST";
        set(CURLOPT_FOLLOWLOCATION, options_->follow_redirects && known ? 1L : 0L);
        set(CURLOPT_MAXREDIRS, static_cast<long>(std::min<std::size_t>(options_->max_redirects, 1'000)));
    }

    void set_connection()
    {
        set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(options_->connect_timeout, longest_time).count()));
        set(CURLOPT_TCP_KEEPALIVE, 1L);
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's fields are not the server's
        set(CURLOPT_SSL_VERIFYPEER, options_->verify_tls ? 1L : 0L);
        set(CURLOPT_SSL_VERIFYHOST, options_->verify_tls ? 2L : 0L);
        if (!options_->ca_file.empty())
            set(CURLOPT_CAINFO, options_->ca_file.c_str());
        if (options_->accept_compressed)
            set(CURLOPT_ACCEPT_ENCODING, "");  // everything that this libcurl can decompress

        const bool can_http2 = curl_has(CURL_VERSION_HTTP2);
        long version = CURL_HTTP_VERSION_1_1;
        switch (options_->http_version) {
            case HttpVersion::automatic: version = can_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1; break;
            case HttpVersion::http1_1: version = CURL_HTTP_VERSION_1_1; break;
            case HttpVersion::http2_prior_knowledge: version = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE; break;
        }
        set(CURLOPT_HTTP_VERSION, version);
        // Over TLS requests wait for the first handshake to see whether they can share its connection. Not without
        // TLS: there they would wait for a whole answer, and with prior knowledge libcurl 7.88 then fails them with
        // CURLE_HTTP2.
        if (can_http2 && options_->http_version == HttpVersion::automatic && request_.url.starts_with("https:"))
            set(CURLOPT_PIPEWAIT, 1L);
    }

    void set_method()
    {
        const std::string& method = request_.method;
        if (method == "HEAD") {
            set(CURLOPT_NOBODY, 1L);
            return;
        }
        if (method == "POST" || method == "PUT" || method == "PATCH" || !request_.body.empty()) {
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
            set(CURLOPT_POSTFIELDS, request_.body.c_str());  // not copied: the request lives as long as the handle
        }
        if (method == "GET" && request_.body.empty())
            set(CURLOPT_HTTPGET, 1L);
        else if (method != "POST")
            set(CURLOPT_CUSTOMREQUEST, method.c_str());
    }

    void set_headers()
    {
        if (!options_->user_agent.empty())
            set(CURLOPT_USERAGENT, options_->user_agent.c_str());
        const auto add = [this](const Header& field) {
            // "Name:" would remove one of libcurl's own fields, as "Name: " would; "Name;" is its form for an empty value.
            const bool is_empty = field.value.find_first_not_of(' ') == std::string::npos;
            lines_.add(is_empty ? field.name + ";" : field.name + ": " + field.value);
        };
        for (const Header& field : options_->headers) {
            if (!request_.headers.contains(field.name))
                add(field);
        }
        for (const Header& field : request_.headers)
            add(field);
        if (!request_.headers.contains("Content-Type") && !options_->headers.contains("Content-Type"))
            lines_.add("Content-Type:");  // else libcurl calls every body a form
        if (!request_.headers.contains("Expect") && !options_->headers.contains("Expect"))
            lines_.add("Expect:");  // else a large body waits a second for servers that do not answer it
        set(CURLOPT_HTTPHEADER, lines_.get());
    }

    static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept
    {
        try {
            return static_cast<Transfer*>(self)->take_header({data, size}) ? size : 0;
        } catch (...) {
            return 0;  // no memory: libcurl reports a write error
        }
    }

    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept
    {
        try {
            return static_cast<Transfer*>(self)->take_body({data, size}) ? size : 0;
        } catch (...) {
            return 0;
        }
    }

    // Called for each line of each header: of redirects and of 100 Continue as well, of which the last one stays.
    [[nodiscard]] bool take_header(std::string_view line)
    {
        header_bytes_ += line.size();
        if (header_bytes_ > max_header_bytes) {
            overflow_ = Overflow::header;
            return false;
        }
        if (line.starts_with("HTTP/")) {
            response_.headers.clear();
            response_.body.clear();
            body_bytes_ = 0;
            header_ended_ = false;
            return true;
        }
        if (line == "\r\n" || line == "\n") {
            header_ended_ = true;
            return true;
        }
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t')
            return true;
        std::string_view value = line.substr(colon + 1);
        constexpr std::string_view space = " \t\r\n";
        value.remove_prefix(std::min(value.find_first_not_of(space), value.size()));
        value.remove_suffix(value.size() - std::min(value.find_last_not_of(space) + 1, value.size()));
        response_.headers.add(std::string{line.substr(0, colon)}, std::string{value});
        return true;
    }

    // Called with decompressed bytes, so that a small answer which unpacks to a large one is noticed as well.
    [[nodiscard]] bool take_body(std::string_view bytes)
    {
        if (body_bytes_ == 0)
            start_body();
        if (overflow_ == Overflow::body || bytes.size() > max_body_bytes() - body_bytes_) {
            overflow_ = Overflow::body;
            return false;
        }
        body_bytes_ += bytes.size();
        if (throws_on_status() && response_.status >= 400)
            bytes = bytes.substr(0, StatusError::max_body_bytes - response_.body.size());
        response_.body.append(bytes);
        return true;
    }

    void start_body()
    {
        read_info();
        curl_off_t announced = -1;
        curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
        if (announced < 0 || response_.headers.contains("Content-Encoding"))
            return;
        const auto length = static_cast<std::size_t>(announced);
        if (length > max_body_bytes())
            overflow_ = Overflow::body;  // no need to receive the rest first
        else
            response_.body.reserve(std::min<std::size_t>(length, 1024 * 1024));  // a server may lie about its length
    }

    void read_info()
    {
        long status = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        response_.status = static_cast<int>(status);
        const char* url = nullptr;
        curl_easy_getinfo(easy_.get(), CURLINFO_EFFECTIVE_URL, &url);
        response_.url = without_credentials(url ? url : request_.url);
        curl_off_t elapsed = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &elapsed);
        response_.elapsed = std::chrono::microseconds{elapsed};
    }

    asio::steady_timer timer_;
    const std::shared_ptr<const Options> options_;
    const Request request_;  // libcurl points into it
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    HeaderLines lines_;
    EasyHandle easy_;  // destroyed before what it points to

    Response response_;
    std::size_t header_bytes_ = 0;
    bool header_ended_ = false;
    std::size_t body_bytes_ = 0;
    Overflow overflow_ = Overflow::none;
    std::exception_ptr error_;
    bool done_ = false;
};

}  // namespace agdf::http::detail
