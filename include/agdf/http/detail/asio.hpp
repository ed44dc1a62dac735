#pragma once

// The only place of the HTTP component that includes Asio: the core's parts, and the sockets that libcurl owns.

#include <agdf/detail/asio.hpp>

#include <asio/async_result.hpp>
#include <asio/posix/stream_descriptor.hpp>

#if !defined(ASIO_HAS_POSIX_STREAM_DESCRIPTOR)
#error "agdf::http: Asio does not offer asio::posix::stream_descriptor here. Expected: a POSIX system."
#endif
