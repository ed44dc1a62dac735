// No threads: the system refuses to start more of them. A limit of threads does not bind root, so pthread_create is ours.

#include "support.hpp"

#include <agdf/testing.hpp>

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <string>
#include <vector>

using namespace faults;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr int no_limit = std::numeric_limits<int>::max();
std::atomic<int> threads_left{no_limit};

/// Lets so many threads be started, and no more, for as long as it lives.
class Threads {
public:
    explicit Threads(int most) { threads_left = most; }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    ~Threads() { threads_left = no_limit; }
};

}  // namespace

// In the place of the system's, for the whole program: the definition in the executable is found first.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*function)(void*), void* argument)
{
    using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
    static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
    if (threads_left != no_limit && threads_left.fetch_sub(1) <= 0)
        return EAGAIN;
    return real(thread, attributes, function, argument);
}

namespace {

Tried tried{"threads"};

std::vector<int> numbers(int count)
{
    std::vector<int> all;
    for (int i = 1; i <= count; ++i)
        all.push_back(i);
    return all;
}

}  // namespace

TEST_CASE("a blocking node that gets no thread fails its items with the reason, and works once there are threads", "[faults][threads]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> results;
    const std::size_t workers = GENERATE(1, 3);
    graph.add_node("numbers", agdf::from_range(numbers(5))) >>
        graph.add_node("node", agdf::blocking([](int n) { return n; }), {.workers = workers}) >>
        graph.add_node("results", agdf::collect(results));
    {
        const Threads none{0};
        const agdf::RunReport report = graph.run();
        CHECK(report.outcome == agdf::Outcome::completed_with_errors);
        CHECK(report.node("node").err == 5);
        CHECK_THAT(test::text_of(report.first_error), ContainsSubstring("no thread could be started for the blocking pool. Expected: at least one"));
    }
    CHECK(results.empty());
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(results.size() == 5);
    tried(5);
}

TEST_CASE("a retry gives a blocking call that got no thread another chance", "[faults][threads]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> results;
    const Threads none{0};
    graph.add_node("numbers", agdf::from_range(numbers(3))) >>
        graph.add_node("node", agdf::blocking([](int n) { return n; }),
                       {.retry = {.attempts = 3, .delay = std::chrono::seconds(1),
                                  .when = [](const std::exception_ptr&) { threads_left = no_limit; return true; }}}) >>
        graph.add_node("results", agdf::collect(results));
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(report.node("node").retried == 1);
    CHECK(results.size() == 3);
    tried();
}

TEST_CASE("with fewer threads than blocking_threads the calls only wait longer", "[faults][threads]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<int> results;
    graph.add_node("numbers", agdf::from_range(numbers(50))) >>
        graph.add_node("node", agdf::blocking([](int n) { return n; }), {.workers = 8}) >> graph.add_node("results", agdf::collect(results));
    const Threads few{GENERATE(1, 2, 3)};
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(results.size() == 50);
    tried();
}

TEST_CASE("run_blocking without a thread throws, and works once there are threads", "[faults][threads]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    int failures = 0, results = 0;
    const auto call = [&]() -> asio::awaitable<void> {
        auto function = [] { return 1; };
        try {
            results += co_await agdf::run_blocking(std::move(function));
        } catch (const std::system_error& error) {
            failures += error.code() == std::errc::resource_unavailable_try_again ? 1 : 100;
        }
    };
    {
        const Threads none{0};
        asio::co_spawn(io, call(), asio::detached);
        asio::co_spawn(io, call(), asio::detached);
        io.run();
    }
    CHECK(failures == 2);
    io.restart();
    asio::co_spawn(io, call(), asio::detached);
    io.run();
    CHECK(results == 1);
    tried(2);
}

TEST_CASE("a graph that gets fewer threads than it asked for runs on those, and says so", "[faults][threads]")
{
    const test::Watchdog watchdog;
    const int given = GENERATE(0, 1, 2);
    asio::io_context io;
    std::string warnings;
    agdf::GraphOptions options{.threads = 4, .log = [&](agdf::LogLevel level, std::string_view line) {
        if (level == agdf::LogLevel::warning)
            warnings += line;
    }};
    agdf::Graph graph{io, options};
    std::vector<int> results;
    graph.add_node("numbers", agdf::from_range(numbers(1'000))) >>
        graph.add_node("node", [](int n) -> asio::awaitable<int> { co_return n; }, {.workers = 4}) >>
        graph.add_node("results", agdf::collect(results));
    agdf::RunReport report;
    {
        const Threads few{given};
        report = graph.run();
    }
    CHECK(report.outcome == agdf::Outcome::completed);
    CHECK(results.size() == 1'000);
    CHECK_THAT(warnings, ContainsSubstring(std::to_string(given + 1) + " of 4 threads could be started"));
    warnings.clear();
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(warnings.empty());
    tried(3 - static_cast<std::size_t>(given));
}
