#pragma once

#include "brewery.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace brewery {

struct LocalServerOptions {
    std::size_t connections = 16;          ///< clients' connections that are served at the same time
    std::chrono::milliseconds latency{0};  ///< added to the answer of each page
    double error_rate = 0;                 ///< share of the pages' answers that are a 500 instead, 0 to 1
    double stall_rate = 0;                 ///< share of the pages' answers that begin and never end, 0 to 1
};

/// An HTTP server on a free port of 127.0.0.1 that speaks the API of the Open Brewery DB over the given rows:
/// `GET /v1/breweries` with by_country, by_state, by_type, page and per_page, and `GET /v1/breweries/meta`.
/// It runs in threads of its own until it is destroyed; its clients should have closed their connections by then,
/// or they are waited for.
///
/// Errors: the constructor throws std::runtime_error if there is no port to be had or a row is not UTF-8.
class LocalServer {
public:
    LocalServer(const std::vector<Brewery>& rows, const LocalServerOptions& options);
    ~LocalServer();
    LocalServer(const LocalServer&) = delete;
    LocalServer& operator=(const LocalServer&) = delete;

    /// Of the collection of breweries, as `--url` takes it.
    std::string url() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace brewery
