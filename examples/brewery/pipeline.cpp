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
    http.timeout += options.latency;
    http.max_connections = static_cast<std::size_t>(options.concurrency);
    http.user_agent = "agdf-brewery-example";
    return http;
}

agdf::GraphOptions graph_options()
{
    agdf::GraphOptions graph;
    graph.on_error = agdf::OnError::skip;                 // goes on, to tell of every page that fails
    graph.log = [](agdf::LogLevel, std::string_view) {};  // all errors are told at the end
    return graph;
}

}  // namespace

Pipeline::Pipeline(asio::io_context& io, const Options& options, std::string url)
    : options_(options),
      url_(std::move(url)),
      writer_(std::make_shared<RowWriter>(options.out)),
      client_(io.get_executor(), client_options(options)),
      graph_(io, graph_options())
{
    const auto concurrency = static_cast<std::size_t>(options.concurrency);
    auto pages_node = graph_.add_node("pages", [this] { return pages(); });
    // A short queue: what waits in it is still fetched when Ctrl-C asks the graph to stop.
    auto fetch_node = graph_.add_node("fetch", [this](PageRequest request) { return fetch(std::move(request)); },
                                      {.workers = concurrency, .queue_size = concurrency});
    auto parse_node = graph_.add_node("parse", [](Page page) { return parse(page); }, {.queue_size = 8});
    // The body owns its writer, since a call that is under way when the graph is cancelled outlives the run. It
    // halts the run, since a disk that is full will be full for the next page too.
    auto write_node = graph_.add_node("write", agdf::blocking([writer = writer_](Rows rows) { writer->write(rows); }),
                                      {.queue_size = 8, .on_error = agdf::OnError::halt});
    pages_node >> fetch_node >> parse_node >> write_node;
}

std::string Pipeline::url_of(std::string_view path, std::string_view parameters) const
{
    std::string country;
    if (!options_.country.empty())
        country = fmt::format("by_country={}&", encode_query(options_.country));
    return fmt::format("{}{}?{}{}", url_, path, country, parameters);
}

agdf::Stream<PageRequest> Pipeline::pages()
{
    const auto per_page = static_cast<std::size_t>(options_.per_page);
    const std::string meta_url = url_of("/meta", fmt::format("per_page={}", per_page));
    ++requests_;
    auto response = co_await client_.get(meta_url);
    announced_ = parse_total(response.body);
    for (std::size_t first = 0; first < announced_; first += per_page) {
        PageRequest request;
        request.number = first / per_page + 1;
        request.url = url_of("", fmt::format("page={}&per_page={}", request.number, per_page));
        co_yield request;
    }
}

asio::awaitable<Page> Pipeline::fetch(PageRequest request)
{
    ++requests_;
    auto response = co_await client_.get(request.url);
    Page page;
    page.number = request.number;
    page.body = std::move(response.body);
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
