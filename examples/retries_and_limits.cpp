// A node that tries again, in time and at a polite rate, and a node for what fails all the same.
//
// Prints the pages 1, 2, 4, 5, 6 in this order although four of them are fetched at a time and some are tried twice, and
// "rejected: page 3 after 2 attempts, ...", since page 3 never comes. The exit code is 1, for the page that failed.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>

using std::chrono::milliseconds;

agdf::Stream<int> pages() {
    for (int page = 1; page <= 6; ++page)
        co_yield page;
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io, {.log = [](agdf::LogLevel, std::string_view) {}}};

    std::map<int, int> attempts;
    auto fetch = [&attempts](int page) -> asio::awaitable<std::string> {
        const int attempt = ++attempts[page];
        if (page == 3)
            co_await agdf::sleep_for(std::chrono::hours(1));  // ended by the time-out
        if (page % 2 == 0 && attempt == 1)
            throw std::runtime_error("busy");
        co_return fmt::format("page {}", page);
    };

    const agdf::RateLimiter polite = agdf::RateLimit{.rate = 500, .burst = 2};  // a second; other nodes may share it
    auto fetched = graph.add_node("fetch", fetch, {
        .workers = 4,
        .retry = {.attempts = 2, .delay = milliseconds(5)},
        .timeout = milliseconds(50),
        .rate_limit = polite,
        .ordered = true,
    });
    auto printed = graph.add_node("print", [](const std::string& page) { fmt::print("{}\n", page); });
    auto rejected = graph.add_node("reject", [](const agdf::Failed<int>& page) {
        fmt::print("rejected: page {} after {} attempts, {}\n", page.item, page.attempts,
                   agdf::describe(page.error).substr(0, 41));
    });
    graph.add_node("pages", pages) >> fetched >> printed;
    graph.add_error_edge(fetched, rejected);

    const agdf::RunReport report = graph.run();
    fmt::print("{} retried, {} failed\n", report.node("fetch").retried, report.node("fetch").err);
    return report.exit_code();
}
