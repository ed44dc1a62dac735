// All headers, and a run that passes through what compilers and libraries differ in: frames of coroutines, exceptions
// caught by type and through std::exception_ptr, the timer, Asio's type-erased executors and services, the thread pool,
// and two threads. It says "agdf ran" and ends with 0 if all of it came out right.

#include "every_header.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

void expect(bool holds, const char* what)
{
    if (holds)
        return;
    fmt::print(stderr, "tests/trust/matrix/small.cpp: expected that {}.\n", what);
    std::exit(EXIT_FAILURE);
}

agdf::GraphOptions quiet(std::size_t threads)
{
    agdf::GraphOptions options;
    options.threads = threads;
    options.log = [](agdf::LogLevel, std::string_view) {};
    return options;
}

agdf::Stream<std::string> words()
{
    for (int i = 0; i < 100; ++i) {
        std::string word = fmt::format("a word that is too long to be kept without the heap, number {}", i);
        co_yield word;
    }
}

agdf::Stream<std::string> twice(std::string word)
{
    co_await agdf::sleep_for(1ms);
    co_yield word;
    co_yield word;
}

void pipeline(std::size_t threads)
{
    asio::io_context io;
    agdf::Graph graph{io, quiet(threads)};
    auto seen = std::make_shared<std::vector<std::size_t>>();
    auto read = graph.add_node("read", words, {.queue_size = 4});
    auto doubled = graph.add_node("twice", twice, {.workers = 8, .ordered = true});
    auto checked = graph.add_node("check", [](std::string word) {
        if (word.ends_with("13"))
            throw std::out_of_range("thirteen");
        return word;
    });
    auto measured = graph.add_node("measure", agdf::blocking([](std::string word) { return word.size(); }), {.workers = 2});
    auto kept = graph.add_node("keep", [seen](std::size_t size) -> asio::awaitable<void> {
        seen->push_back(size);
        co_return;
    });
    read >> doubled >> checked >> measured >> kept;

    const agdf::RunReport report = graph.run();
    expect(report.outcome == agdf::Outcome::completed_with_errors, "the run ends with errors");
    expect(report.node("check").err == 2, "the two copies of one word fail");
    expect(seen->size() == 198, "all the others arrive");
    const std::size_t shortest = *std::min_element(seen->begin(), seen->end());
    expect(shortest == std::string{"a word that is too long to be kept without the heap, number 1"}.size(), "they are whole");
    try {
        report.throw_if_failed();
        expect(false, "the report throws");
    } catch (const std::out_of_range& error) {
        expect(std::string{error.what()} == "thirteen", "the error is the one that was thrown");
    }
}

void time_out_and_retry()
{
    asio::io_context io;
    agdf::Graph graph{io, quiet(1)};
    auto attempts = std::make_shared<int>(0);
    graph.add_node("one", []() -> agdf::Stream<int> { co_yield 1; }) >>
        graph.add_node("slow", [attempts](int) -> asio::awaitable<void> {
            if (++*attempts < 3)
                co_await agdf::sleep_for(1h);
        }, {.retry = {.attempts = 3, .delay = 1ms, .when = [](const agdf::TimeoutError&) { return true; }}, .timeout = 5ms});
    expect(graph.run().exit_code() == 0, "the third attempt succeeds");
    expect(*attempts == 3, "two attempts end by their time-out, and the retry knows that error by its type");
}

}  // namespace

int main()
{
    pipeline(1);
    pipeline(2);
    time_out_and_retry();
    fmt::print("agdf ran\n");
}
