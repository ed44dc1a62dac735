// No descriptors: what needs one fails and says so, nothing is lost, and all works again once some are free.

#include "hostile.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

using namespace faults;
using Catch::Matchers::ContainsSubstring;

// Clang's undefined-behaviour sanitizer looks at an object through a pipe, and takes it for broken when it gets none.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define AGDF_FAULTS_NEED_DESCRIPTORS
#endif
#endif
#if !defined(AGDF_FAULTS_NEED_DESCRIPTORS)

namespace {

Tried tried{"descriptors"};

constexpr unsigned enough = 12;  // descriptors that a run needs at most

/// Leaves so many descriptors free for as long as it lives.
class Descriptors : public Limit {
public:
    explicit Descriptors(unsigned left) : Limit(RLIMIT_NOFILE, static_cast<rlim_t>(lowest_descriptor()) + left) {}
};

/// A server that behaves, in a process of its own, so that it has descriptors.
class ServerProcess {
public:
    ServerProcess()
    {
        std::array<int, 2> ends{};
        REQUIRE(pipe(ends.data()) == 0);
        child_ = fork();
        if (child_ == 0) {
            const RawServer server{http_test::always(good_answer)};
            const std::string url = server.url();
            if (write(ends[1], url.data(), url.size()) < 0)
                _exit(1);
            for (;;)
                pause();
        }
        close(ends[1]);
        std::array<char, 100> text{};
        const ssize_t size = read(ends[0], text.data(), text.size());
        close(ends[0]);
        REQUIRE(size > 0);
        url_.assign(text.data(), static_cast<std::size_t>(size));
    }
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    ~ServerProcess()
    {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
    pid_t child_ = 0;
    std::string url_;
};

std::vector<int> numbers() { return {1, 2, 3, 4}; }

/// Runs a graph with ever more descriptors until it completes, each time with a context of its own.
///
/// @return how often it did not.
template <class Build>
std::size_t run_with_few(const agdf::RunOptions& options, Build build)
{
    const std::ptrdiff_t before = http_test::open_descriptors();
    std::size_t failures = 0;
    for (unsigned left = 0;; ++left) {
        REQUIRE(left < enough);
        CAPTURE(left);
        const test::Watchdog watchdog;
        bool completed = false;
        {
            asio::io_context io;
            agdf::Graph graph{io, test::quiet()};
            std::vector<int> results;
            build(graph, results);
            std::string text;
            {
                const Descriptors few{left};
                try {
                    const agdf::RunReport report = graph.run(options);
                    completed = report.outcome == agdf::Outcome::completed;
                    if (!completed)
                        text = test::text_of(report.first_error);
                    std::size_t failed = 0;
                    for (const agdf::NodeStats& node : report.nodes)
                        failed += node.err;
                    CHECK(results.size() + failed >= (report.node("numbers").err > 0 ? 1U : numbers().size()));
                } catch (const std::system_error& error) {
                    text = error.what();
                }
            }
            if (!completed) {
                ++failures;
                CHECK_THAT(text, ContainsSubstring("Too many open files"));
            }
            results.clear();
            const agdf::RunReport report = graph.run(options);
            CHECK(report.outcome == agdf::Outcome::completed);
            CHECK(results == numbers());
        }
        CHECK(http_test::open_descriptors() == before);
        tried();
        if (completed)
            return failures;
    }
}

}  // namespace

TEST_CASE("a graph without timers and sockets needs no descriptor", "[faults][descriptors]")
{
    const std::size_t failures = run_with_few({}, [](agdf::Graph<>& graph, std::vector<int>& results) {
        graph.add_node("numbers", agdf::from_range(numbers())) >>
            graph.add_node("node", agdf::blocking([](int n) { return n; })) >> graph.add_node("results", agdf::collect(results));
    });
    CHECK(failures == 0);
}

TEST_CASE("without a descriptor for the context's timers the items fail, and say why", "[faults][descriptors]")
{
    const std::size_t failures = run_with_few({}, [](agdf::Graph<>& graph, std::vector<int>& results) {
        graph.add_node("numbers", agdf::from_range(numbers())) >> graph.add_node("node", [](int n) -> asio::awaitable<int> {
            co_await agdf::sleep_for(1ms);
            co_return n;
        }) >> graph.add_node("results", agdf::collect(results));
    });
    CHECK(failures > 0);
}

TEST_CASE("a run that cannot wait for signals, for lack of descriptors, throws and can be run again", "[faults][descriptors][signals]")
{
    const std::size_t failures = run_with_few({.stop_on_signals = true}, [](agdf::Graph<>& graph, std::vector<int>& results) {
        graph.add_node("numbers", agdf::from_range(numbers())) >> graph.add_node("results", agdf::collect(results));
    });
    CHECK(failures > 0);
}

TEST_CASE("requests that find no descriptor fail one by one, and the client works once some are free", "[faults][descriptors][http]")
{
    const ServerProcess server;
    for (unsigned left = 0; left < enough; ++left) {
        CAPTURE(left);
        const test::Watchdog watchdog;
        asio::io_context io;
        const http::Client client{io, {.timeout = 5s}};
        REQUIRE(http_test::run(io, client.get(server.url())).body == "ok");  // so that the context has its own
        agdf::Graph graph{io, test::quiet()};
        std::vector<std::string> bodies;
        const std::vector<std::string> urls(6, server.url());
        graph.add_node("urls", agdf::from_range(urls)) >> graph.add_node("fetch", [&client](std::string url) -> asio::awaitable<std::string> {
            auto response = co_await client.get(std::move(url));
            co_return std::move(response.body);
        }, {.workers = 6}) >> graph.add_node("bodies", agdf::collect(bodies));
        {
            const Descriptors few{left};
            const agdf::RunReport report = graph.run();
            CHECK(bodies.size() + report.node("fetch").err == urls.size());
            for (const std::exception_ptr& error : report.exceptions("fetch"))
                CHECK_THROWS_AS(std::rethrow_exception(error), http::TransportError);
        }
        bodies.clear();
        const agdf::RunReport report = graph.run();
        CHECK(report.outcome == agdf::Outcome::completed);
        CHECK(bodies.size() == urls.size());
        tried(urls.size());
    }
}

TEST_CASE("with a retry, requests that found no descriptor are answered once some are free", "[faults][descriptors][http]")
{
    const ServerProcess server;
    const test::Watchdog watchdog;
    asio::io_context io;
    const http::Client client{io, {.timeout = 5s}};
    REQUIRE(http_test::run(io, client.get(server.url())).body == "ok");
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> bodies;
    const std::vector<std::string> urls(6, server.url());
    std::optional<Descriptors> none;
    graph.add_node("urls", agdf::from_range(urls)) >> graph.add_node("fetch", [&client](std::string url) -> asio::awaitable<std::string> {
        auto response = co_await client.get(std::move(url));
        co_return std::move(response.body);
    }, {.workers = 6, .retry = {.attempts = 3, .delay = 0ms, .when = [&none](const std::exception_ptr& error) {
        none.reset();
        return http::is_transient(error);
    }}}) >> graph.add_node("bodies", agdf::collect(bodies));
    none.emplace(0U);
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(bodies.size() == urls.size());
    tried(urls.size());
}

#endif
