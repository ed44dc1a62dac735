#pragma once

// A graph that fetches from a server which lies, stalls and breaks, and what became of each item.

#include "support.hpp"

#include "http/support.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace faults {

using namespace std::chrono_literals;
namespace http = http_test::http;
using http_test::Connection;
using http_test::RawServer;

inline const std::string good_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// How a server treats a connection: it gets the request, and answers it or not.
struct Behaviour {
    enum class Then { close, reset, stall, go_on };

    std::string name;
    std::string answer;   ///< what is sent of it
    Then then = Then::close;
};

/// Behaves badly on every second connection, and well on the others.
RawServer::Script every_second(Behaviour bad, bool for_ever = false);

struct Fetched {
    agdf::RunReport report;
    std::vector<std::string> bodies;
    std::vector<std::string> failures;  ///< what the dead letters say
    std::size_t items = 0;
    std::chrono::steady_clock::duration took{};

    /// Each item ended once: it was delivered, or it failed with a reason.
    void check_each_ended_once() const;
};

/// Fetches `/` so many times through a graph with retries, a time-out and a rate limit, and then once more by hand.
Fetched fetch(const RawServer& server, std::size_t items, agdf::NodeOptions node, http::Options client);

/// Options that try again at once.
agdf::NodeOptions patient(std::size_t attempts = 4);

}  // namespace faults
