#include "run.hpp"

#include "data_set.hpp"
#include "local_server.hpp"
#include "pipeline.hpp"

#include <fmt/format.h>
#include <agdf/agdf.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brewery {
namespace {

using namespace std::chrono_literals;

// Unlike fmt::print it does not throw if nobody reads (a closed pipe): the file matters, not what is said about it.
template <class... Args>
void say(std::FILE* stream, fmt::format_string<Args...> format, Args&&... args)
{
    const std::string text = fmt::format(format, std::forward<Args>(args)...);
    std::fwrite(text.data(), 1, text.size(), stream);
    std::fflush(stream);
}

std::string with_commas(std::size_t number)
{
    std::string text = std::to_string(number);
    for (auto place = text.size(); place > 3; place -= 3)
        text.insert(place - 3, 1, ',');
    return text;
}

// A URL may carry a password, which is nobody's business on a screen.
std::string without_credentials(const std::string& url)
{
    const auto begin = url.find("://") + 3;
    const auto at = url.substr(0, url.find('/', begin)).rfind('@');
    return at == std::string::npos ? url : url.substr(0, begin) + url.substr(at + 1);
}

std::unique_ptr<LocalServer> start_server(const Options& options, std::FILE* out)
{
    const bool generated = options.data.empty();
    const auto rows = generated ? generate_data_set() : load_data_set(options.data);
    LocalServerOptions server;
    server.connections = static_cast<std::size_t>(options.concurrency);
    server.latency = options.latency;
    server.error_rate = options.error_rate;
    server.stall_rate = options.stall_rate;
    say(out, "local server with {} {}\n", with_commas(rows.size()),
        generated ? "GENERATED rows (no real breweries; --data FILE for real ones)" : "rows of " + options.data);
    return std::make_unique<LocalServer>(rows, server);
}

// The library's own texts tell a programmer what to do about it.
std::string explain(const std::exception_ptr& exception, const Options& options)
{
    try {
        std::rethrow_exception(exception);
    } catch (const agdf::http::StatusError& error) {
        return fmt::format("{} was answered with status {}. Expected: 200", error.url(), error.status());
    } catch (const agdf::http::TransportError& error) {
        return fmt::format("{} was not answered: {}", error.url(), error.text());
    } catch (const agdf::TimeoutError&) {
        return fmt::format("no answer within {} s. Expected: one within --timeout",
                           std::chrono::duration<double>(options.timeout).count());
    } catch (...) {
        return agdf::describe(exception);
    }
}

void print_errors(const agdf::RunReport& report, const Pipeline& pipeline, const Options& options, std::FILE* err)
{
    for (const agdf::NodeStats& node : report.nodes) {
        std::vector<std::string> lines;
        if (node.name == "fetch") {
            for (const auto& page : pipeline.failed()) {
                lines.push_back(fmt::format("page {} failed {}: {}", page.item.number,
                                            page.attempts == 1 ? "once" : fmt::format("{} times", page.attempts),
                                            explain(page.error, options)));
            }
        } else {
            for (const std::exception_ptr& error : report.exceptions(node.name))
                lines.push_back(explain(error, options));
        }
        const auto shown = std::min(lines.size(), shown_errors);
        for (std::size_t i = 0; i < shown; ++i)
            say(err, "brewery: {}: {}\n", node.name, lines[i]);
        if (node.err > shown)
            say(err, "brewery: {}: and {} more errors\n", node.name, with_commas(node.err - shown));
    }
}

void print_summary(const agdf::RunReport& report, const Pipeline& pipeline, std::FILE* out)
{
    constexpr const char* format = "{:<10}{:>9}{:>9}{:>9}{:>9}{:>13}\n";
    say(out, "\n");
    say(out, format, "node", "in", "out", "errors", "retried", "undelivered");
    for (const agdf::NodeStats& node : report.nodes) {
        say(out, format, node.name, with_commas(node.in), with_commas(node.out), with_commas(node.err),
            with_commas(node.retried), with_commas(node.undelivered));
    }
    const std::chrono::duration<double> seconds = report.elapsed;
    say(out, "\nrows      {} of {}{}\nrequests  {}\ntime      {:.2f} s\n", with_commas(pipeline.written()),
        with_commas(pipeline.announced()),
        pipeline.duplicates() == 0 ? "" : fmt::format(", and {} twice", with_commas(pipeline.duplicates())),
        with_commas(pipeline.requests()), seconds.count());
}

/// Publishes the file if all went well, says what did not, and returns the exit code.
int finish(const agdf::RunReport& report, Pipeline& pipeline, std::FILE* err)
{
    if (report.exit_code() > 128) {
        std::size_t undelivered = 0;
        for (const agdf::NodeStats& node : report.nodes)
            undelivered += node.undelivered;
        say(err, "brewery: stopped by signal {} with {} of {} rows; {}\n", report.signal,
            with_commas(pipeline.written()), with_commas(pipeline.announced()),
            undelivered == 0 ? "what was under way was finished"
                             : fmt::format("pages given up under way: {}", with_commas(undelivered)));
    }
    if (report.exit_code() != 0)
        return report.exit_code();
    try {
        pipeline.publish();
    } catch (const std::exception& error) {
        say(err, "brewery: {}\n", error.what());
        return 1;
    }
    return 0;
}

}  // namespace

int run(const Options& options, std::FILE* out, std::FILE* err)
{
    const auto server = options.url.empty() ? start_server(options, out) : nullptr;
    const std::string url = server ? server->url() : options.url;

    asio::io_context io;
    Pipeline pipeline(io, options, url, [err](agdf::LogLevel level, std::string_view line) {
        if (level != agdf::LogLevel::error)  // these are told at the end
            say(err, "{}\n", line);
    });
    agdf::Graph<>& graph = pipeline.graph();
    say(out, "{} -> {}\n\n{}\n", without_credentials(url), options.out, agdf::to_mermaid(graph));

    agdf::StatsLoggerOptions statistics;
    statistics.interval = 1s;
    statistics.format = "{node:<6} in={in:<6} out={out:<6} err={err:<4} retried={retried:<4} active={active:<4} queued={queued}";
    statistics.sink = [out](std::string_view line) { say(out, "{}\n", line); };
    const agdf::StatsLogger logger(graph, statistics);
    const agdf::RunReport report = graph.run({.stop_on_signals = true, .grace = 10s});

    print_summary(report, pipeline, out);
    print_errors(report, pipeline, options, err);
    const int exit_code = finish(report, pipeline, err);
    say(out, "result    {} {}\n", options.out, exit_code == 0 ? "is complete" : "was not touched");
    return exit_code;
}

}  // namespace brewery
