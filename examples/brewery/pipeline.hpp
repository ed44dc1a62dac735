#pragma once

#include "brewery.hpp"
#include "options.hpp"
#include "row_writer.hpp"

#include <agdf/agdf.hpp>
#include <agdf/http/http.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace brewery {

/// One page to ask for; numbers count from 1, as the API's do.
struct PageRequest {
    std::size_t number = 0;
    std::string url;
};

/// The answer to it, as it came.
struct Page {
    std::size_t number = 0;
    std::string body;
};

using Rows = std::vector<Brewery>;

/// So many errors of a node are told one by one; the others are counted.
inline constexpr std::size_t shown_errors = 5;

/// The graph: pages -> fetch -> parse -> write, with `count` before it and `failed` beside `fetch`.
///
/// `count` asks how many rows there are, `pages` yields a request for each page, `fetch` asks for several pages at once,
/// `parse` takes the rows out of a page, and `write` appends them to the file, in a thread where it may block. A request
/// that fails is tried again; `failed` gets those that fail for good. The rows are written in the order of the API,
/// whichever page came first; one that comes twice, since the API's data moved on between two pages, is written once.
class Pipeline {
public:
    /// @param url  Of the collection of breweries.
    /// @param log  Hears of the run's course; what goes wrong is in the report.
    ///
    /// Errors: throws if the file cannot be created; the graph does not run before that is known.
    Pipeline(asio::io_context& io, const Options& options, std::string url, agdf::Log log);
    ~Pipeline() { writer_->close(); }
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    agdf::Graph<>& graph() { return graph_; }

    /// Gives the file its name. Only for a run that completed without errors.
    ///
    /// Errors: throws if rows are missing, and then publishes nothing.
    void publish();

    std::size_t announced() const { return announced_; }
    std::size_t written() const { return writer_->written(); }
    std::size_t duplicates() const { return writer_->duplicates(); }
    std::size_t requests() const { return requests_; }

    /// The first pages that failed for good, `shown_errors` at most.
    const std::vector<agdf::Failed<PageRequest>>& failed() const { return failed_; }

private:
    asio::awaitable<void> count();
    agdf::Stream<PageRequest> pages();
    asio::awaitable<Page> fetch(PageRequest request);
    static Rows parse(const Page& page);

    asio::awaitable<std::string> get(std::string url);
    std::string url_of(std::string_view path, std::string_view parameters) const;

    const Options options_;
    const std::string url_;
    const std::shared_ptr<RowWriter> writer_;
    agdf::http::Client client_;
    agdf::Channel<std::size_t> counted_{1};  // from `count` to `pages`
    std::size_t announced_ = 0;
    std::size_t requests_ = 0;
    std::vector<agdf::Failed<PageRequest>> failed_;
    agdf::Graph<> graph_;
};

}  // namespace brewery
