// What a graph costs while it waits, and how much it keeps while it flows.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <ctime>
#include <fstream>
#include <string>

namespace {

using namespace std::chrono_literals;
using agdf::Outcome;
using test::Watchdog;

/// CPU time of the process so far.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The sanitizers keep what was freed, to find those who still use it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_given_back = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool memory_is_given_back = false;
#else
constexpr bool memory_is_given_back = true;
#endif
#else
constexpr bool memory_is_given_back = true;
#endif

/// Memory of the process that is really there, in KiB.
long resident_kib()
{
    std::ifstream status{"/proc/self/status"};
    std::string word;
    while (status >> word)
        if (word == "VmRSS:") {
            long kib = 0;
            status >> kib;
            return kib;
        }
    return 0;
}

}  // namespace

TEST_CASE("a graph in which everybody waits burns no CPU", "[idle]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = 2})};
    auto source = graph.add_node("source", []() -> agdf::Stream<int> {
        co_await agdf::sleep_for(400ms);
        co_yield 1;
    });
    auto relay = graph.add_node("relay", [](int n) { return n; }, {.workers = 100});
    auto whole = graph.add_node("whole", [](agdf::Receiver<int> items) -> agdf::Stream<int> {
        while (auto item = co_await items.next())
            co_yield *item;
    });
    source >> relay >> whole >> graph.add_node("sink", agdf::blocking([](int) {}));
    const double before = cpu_seconds();
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed);
    REQUIRE(report.elapsed >= 400ms);
    REQUIRE(cpu_seconds() - before < 0.2);
}

TEST_CASE("memory stays flat however many items pass a slow sink", "[idle][bounded]")
{
    Watchdog watchdog{50s};
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    constexpr int items = 200'000;
    long halfway = 0;
    int seen = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<std::string> {
        const std::string text(1'000, 'x');
        for (int i = 0; i < items; ++i)
            co_yield text;
    });
    auto slow = graph.add_node("slow", [&](std::string) -> asio::awaitable<void> {
        ++seen;
        if (seen == items / 2)
            halfway = resident_kib();
        if (seen % 50 == 0) {
            const auto executor = co_await asio::this_coro::executor;
            co_await asio::post(executor, asio::use_awaitable);
        }
    });
    source >> slow;
    const agdf::RunReport report = graph.run();
    REQUIRE(report.outcome == Outcome::completed);
    REQUIRE(seen == items);
    REQUIRE(report.node("slow").queue_peak <= 1'024);
    // The items that passed in the second half are 100 MB.
    if (memory_is_given_back)
        REQUIRE(resident_kib() - halfway < 20'000);
}
