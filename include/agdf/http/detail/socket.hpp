#pragma once

// One of libcurl's sockets, as Asio waits for it.

#include <agdf/http/detail/asio.hpp>
#include <agdf/http/detail/curl.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace agdf::http::detail {

using Strand = asio::strand<asio::any_io_executor>;

/// Waits on a duplicate of libcurl's descriptor.
///
/// libcurl 7.88 closes a socket that is still connecting before it says CURL_POLL_REMOVE. The number may then
/// belong to somebody else already, perhaps in the same reactor, and removing it would make them wait for ever. The
/// duplicate is ours until we close it. It costs a descriptor for each busy connection, none for idle ones.
class Socket {
public:
    explicit Socket(const Strand& strand) : descriptor_(strand) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { close(); }

    /// Makes the duplicate and registers it with Asio.
    [[nodiscard]] std::error_code open(curl_socket_t number)
    {
        const int duplicate = ::fcntl(number, F_DUPFD_CLOEXEC, 0);
        if (duplicate < 0)
            return {errno, std::generic_category()};
        asio::error_code error;
        descriptor_.assign(duplicate, error);
        if (error)
            ::close(duplicate);
        else
            number_ = number;
        return error;
    }

    // Not by the descriptor's own close(), which trusts the kernel to forget what is closed: that only happens with
    // the last duplicate, and libcurl has one as well.
    void close() noexcept
    {
        wanted = CURL_POLL_NONE;
        if (descriptor_.is_open())
            ::close(descriptor_.release());
    }

    [[nodiscard]] bool is_open() const noexcept { return descriptor_.is_open(); }
    [[nodiscard]] curl_socket_t number() const noexcept { return number_; }

    template <class Handler>
    void wait(int event, Handler handler)
    {
        using Descriptor = asio::posix::stream_descriptor;
        descriptor_.async_wait(event == CURL_CSELECT_IN ? Descriptor::wait_read : Descriptor::wait_write,
                               std::move(handler));
    }

    int wanted = CURL_POLL_NONE;
    bool waits_to_read = false;
    bool waits_to_write = false;

private:
    asio::posix::stream_descriptor descriptor_;
    curl_socket_t number_ = CURL_SOCKET_BAD;
};

}  // namespace agdf::http::detail
