#include "pipeline.hpp"

#include "api.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace brewery {
namespace {

agdf::http::Options client_options(const Options& options)
{
    agdf::http::Options http;
    http.timeout = {};  // each attempt of a node has its own
    http.max_connections = static_cast<std::size_t>(options.concurrency);
    http.user_agent = "agdf-brewery-example";
    return http;
}

/// What holds for every request; the nodes that get a copy share the rate.
agdf::NodeOptions request_options(const Options& options)
{
    agdf::NodeOptions node;
    node.retry = {.attempts = static_cast<std::size_t>(options.attempts),
                  .delay = std::chrono::milliseconds(100),
                  .when = agdf::http::is_transient};
    node.timeout = options.timeout;
    if (options.rate > 0)
        node.rate_limit = agdf::RateLimit{.rate = options.rate};
    return node;
}

}  // namespace

Pipeline::Pipeline(asio::io_context& io, const Options& options, std::string url, agdf::Log log)
    : options_(options),
      url_(std::move(url)),
      writer_(std::make_shared<RowWriter>(options.out)),
      client_(io.get_executor(), client_options(options)),
      graph_(io, {.log = std::move(log)})
{
    agdf::NodeOptions counting = request_options(options);
    agdf::NodeOptions fetching = counting;
    counting.on_error = agdf::OnError::halt;  // nobody knows what to ask for, then
    fetching.workers = static_cast<std::size_t>(options.concurrency);
    fetching.queue_size = 1;  // what waits there is still fetched when Ctrl-C stops the graph
    fetching.ordered = true;

    // Ctrl-C ends sources where they are, and lets what they have yielded through. So `pages` is a source and not a
    // node behind `count`, whose one item would be all the pages.
    graph_.add_node("count", [this] { return count(); }, counting);
    auto pages_node = graph_.add_node("pages", [this] { return pages(); });
    auto fetch_node = graph_.add_node("fetch", [this](PageRequest request) { return fetch(std::move(request)); }, fetching);
    auto parse_node = graph_.add_node("parse", [](Page page) { return parse(page); }, {.queue_size = 8});
    // The body owns its writer, since a call that is under way when the graph is cancelled outlives the run. It
    // halts the run, since a disk that is full will be full for the next page too.
    auto write_node = graph_.add_node("write", agdf::blocking([writer = writer_](Rows rows) { writer->write(rows); }),
                                      {.queue_size = 8, .on_error = agdf::OnError::halt});
    pages_node >> fetch_node >> parse_node >> write_node;

    // The run goes on, to tell of the other pages that fail.
    auto failed_node = graph_.add_node("failed", [this](agdf::Failed<PageRequest> page) {
        if (failed_.size() < shown_errors)
            failed_.push_back(std::move(page));
    });
    graph_.add_error_edge(fetch_node, failed_node);
}

std::string Pipeline::url_of(std::string_view path, std::string_view parameters) const
{
    std::string country;
    if (!options_.country.empty())
        country = fmt::format("by_country={}&", encode_query(options_.country));
    return fmt::format("{}{}?{}{}", url_, path, country, parameters);
}

asio::awaitable<std::string> Pipeline::get(std::string url)
{
    ++requests_;
    auto response = co_await client_.get(std::move(url));
    co_return std::move(response.body);
}

asio::awaitable<void> Pipeline::count()
{
    std::string url = url_of("/meta", fmt::format("per_page={}", options_.per_page));
    auto body = co_await get(std::move(url));
    announced_ = parse_total(body);
    co_await counted_.send(announced_);
}

agdf::Stream<PageRequest> Pipeline::pages()
{
    auto rows = co_await counted_.receive();
    const auto per_page = static_cast<std::size_t>(options_.per_page);
    for (std::size_t first = 0; first < *rows; first += per_page) {
        PageRequest request;
        request.number = first / per_page + 1;
        request.url = url_of("", fmt::format("page={}&per_page={}", request.number, per_page));
        co_yield request;
    }
}

asio::awaitable<Page> Pipeline::fetch(PageRequest request)
{
    auto body = co_await get(std::move(request.url));
    Page page;
    page.number = request.number;
    page.body = std::move(body);
    co_return page;
}

Rows Pipeline::parse(const Page& page)
{
    try {
        return parse_rows(page.body);
    } catch (const std::exception& error) {
        throw std::runtime_error(fmt::format("page {}: {}", page.number, error.what()));
    }
}

void Pipeline::publish()
{
    if (announced_ == 0) {
        throw std::runtime_error(options_.country.empty()
                                     ? "the API has no breweries"
                                     : fmt::format("there are no breweries with --country '{}'. Expected: the name of "
                                                   "a country as the API spells it",
                                                   options_.country));
    }
    const std::size_t unique = written();
    if (unique != announced_) {
        throw std::runtime_error(
            fmt::format("{} rows came, {} of them twice. Expected: the {} different ones that the "
                        "API announced; its data changed meanwhile, run again",
                        unique + duplicates(), duplicates(), announced_));
    }
    writer_->publish();
}

}  // namespace brewery
