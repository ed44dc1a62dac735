#include "run.hpp"

#include "data_set.hpp"
#include "local_server.hpp"
#include "pipeline.hpp"

#include <fmt/format.h>
#include <agdf/agdf.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brewery {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shown_errors = 5;  // of each node; the others are counted

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
    say(out, "local server with {} {}\n", with_commas(rows.size()),
        generated ? "GENERATED rows (no real breweries; --data FILE for real ones)" : "rows of " + options.data);
    return std::make_unique<LocalServer>(rows, server);
}

/// Stops the graph at the first signal, so that what is in flight is finished, and cancels it at the next.
class SignalWatch {
public:
    SignalWatch(asio::signal_set& signals, agdf::Graph<>& graph, std::FILE* err)
        : signals_(signals), graph_(graph), err_(err)
    {
        wait();
    }

    /// The signal that came first, or 0.
    int signal() const { return signal_; }

private:
    void wait()
    {
        signals_.async_wait([this](const asio::error_code& error, int signal) {
            if (error)
                return;
            if (signal_ == 0) {
                signal_ = signal;
                say(err_, "brewery: stopping; once more to stop at once\n");
                graph_.stop();
            } else {
                graph_.cancel();
            }
            wait();
        });
    }

    asio::signal_set& signals_;
    agdf::Graph<>& graph_;
    std::FILE* err_;
    int signal_ = 0;
};

// The HTTP client's own texts tell a programmer what to do about it.
std::string explain(const std::exception_ptr& exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const agdf::http::StatusError& error) {
        return fmt::format("{} was answered with status {}. Expected: 200", error.url(), error.status());
    } catch (const agdf::http::TransportError& error) {
        return fmt::format("{} was not answered: {}", error.url(), error.text());
    } catch (...) {
        return agdf::describe(exception);
    }
}

void print_errors(const agdf::RunReport& report, std::FILE* err)
{
    for (const agdf::NodeStats& node : report.nodes) {
        const auto& errors = report.exceptions(node.name);
        const auto shown = std::min(errors.size(), shown_errors);
        for (std::size_t i = 0; i < shown; ++i)
            say(err, "brewery: {}: {}\n", node.name, explain(errors[i]));
        if (node.err > shown)
            say(err, "brewery: {}: and {} more errors\n", node.name, with_commas(node.err - shown));
    }
}

void print_summary(const agdf::RunReport& report, const Pipeline& pipeline, std::FILE* out)
{
    say(out, "\n{:<10}{:>9}{:>9}{:>9}\n", "node", "in", "out", "errors");
    for (const agdf::NodeStats& node : report.nodes) {
        say(out, "{:<10}{:>9}{:>9}{:>9}\n", node.name, with_commas(node.in), with_commas(node.out),
            with_commas(node.err));
    }
    const std::chrono::duration<double> seconds = report.elapsed;
    say(out, "\nrows      {} of {}{}\nrequests  {}\ntime      {:.2f} s\n", with_commas(pipeline.written()),
        with_commas(pipeline.announced()),
        pipeline.duplicates() == 0 ? "" : fmt::format(", and {} twice", with_commas(pipeline.duplicates())),
        with_commas(pipeline.requests()), seconds.count());
}

/// Publishes the file if all went well, says what did not, and returns the exit code.
int finish(const agdf::RunReport& report, int signal, Pipeline& pipeline, std::FILE* err)
{
    print_errors(report, err);
    if (signal != 0) {
        say(err, "brewery: stopped by signal {} with {} of {} rows\n", signal, with_commas(pipeline.written()),
            with_commas(pipeline.announced()));
        return 128 + signal;
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
    asio::signal_set signals(io, SIGINT, SIGTERM);  // before there is a file that must not be left behind
    if (std::signal(SIGHUP, SIG_IGN) != SIG_IGN)    // ignored already under nohup, and shall be
        signals.add(SIGHUP);
    Pipeline pipeline(io, options, url);
    agdf::Graph<>& graph = pipeline.graph();
    say(out, "{} -> {}\n\n{}\n", without_credentials(url), options.out, agdf::to_mermaid(graph));

    agdf::StatsLoggerOptions statistics;
    statistics.interval = 1s;
    statistics.format = "{node:<6} in={in:<6} out={out:<6} err={err:<4} active={active:<4} queued={queued}";
    statistics.sink = [out](std::string_view line) { say(out, "{}\n", line); };
    const agdf::StatsLogger logger(graph, statistics);
    const SignalWatch watch(signals, graph, err);
    const agdf::RunReport report = graph.run();

    print_summary(report, pipeline, out);
    const int exit_code = finish(report, watch.signal(), pipeline, err);
    say(out, "result    {} {}\n", options.out, exit_code == 0 ? "is complete" : "was not touched");
    return exit_code;
}

}  // namespace brewery
