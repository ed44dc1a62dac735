// A pipeline that runs until a signal comes, for tests that send one: an endless source, a batcher, a fetch that fails now
// and then and is tried again, and a slow sink that appends to a file.
//
//     pipeline FILE SEED [THREADS [ITEMS]]
//
// With ITEMS it sends itself SIGINT when the source has yielded so many. It ends with the run's exit code if every item is
// delivered or counted, and the file has what was delivered; with 3 if not, and says what does not fit.

#include <agdf/agdf.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Batch = std::vector<std::uint64_t>;

constexpr auto grace = 10s;

struct Shared {
    std::mutex mutex;
    std::mt19937 random;
    std::FILE* file = nullptr;
    std::uint64_t raise_at = 0;                    // 0 = never
    std::atomic<std::uint64_t> yielded{0};         // items
    std::uint64_t failed = 0;                      // items that came back as failures
    std::uint64_t written = 0;

    int below(int end)
    {
        const std::lock_guard lock{mutex};
        return std::uniform_int_distribution<int>(0, end - 1)(random);
    }
};

agdf::Stream<std::uint64_t> numbers(Shared& shared)
{
    fmt::print("ready\n");  // for signals
    std::fflush(stdout);
    for (std::uint64_t n = 1;; ++n) {
        if (n % 50 == 0) {
            const auto time = std::chrono::microseconds(shared.below(2'000));
            co_await agdf::sleep_for(time);  // a poll
        }
        ++shared.yielded;
        if (n == shared.raise_at)
            std::raise(SIGINT);
        co_yield n;
    }
}

asio::awaitable<Batch> fetch(Shared& shared, Batch batch)
{
    const auto time = std::chrono::microseconds(shared.below(500));
    co_await agdf::sleep_for(time);
    if (shared.below(4) == 0)
        throw std::runtime_error("the server is busy");
    co_return batch;
}

asio::awaitable<void> append(Shared& shared, Batch batch)
{
    const auto time = std::chrono::microseconds(shared.below(3'000));
    co_await agdf::sleep_for(time);
    for (const std::uint64_t n : batch)
        fmt::print(shared.file, "{}\n", n);
    shared.written += batch.size();
}

/// Says which sums do not fit; true if all do.
bool balances(const agdf::RunReport& report, const Shared& shared)
{
    bool fits = true;
    const auto check = [&](std::string_view what, std::uint64_t left, std::uint64_t right) {
        if (left != right)
            fmt::print(stderr, "{}: {} and {} differ\n", what, left, right);
        fits = fits && left == right;
    };
    const auto& source = report.node("numbers");
    const auto& batch = report.node("batch");
    const auto& fetched = report.node("fetch");
    const auto& sink = report.node("append");
    const auto& dead = report.node("dead");
    check("numbers yielded, counted as out", shared.yielded, source.out);
    check("out of numbers, in of batch", source.out, batch.in);
    check("undelivered at batch", batch.undelivered, 0);
    check("out of batch, in of fetch", batch.out, fetched.in);
    check("in of fetch, its ends", fetched.in, fetched.out + fetched.err + fetched.undelivered);
    check("out of fetch, in of append", fetched.out, sink.in);
    check("undelivered at fetch and append", fetched.undelivered + sink.undelivered + sink.err, 0);
    check("failed at fetch, in of dead", fetched.err, dead.in);
    check("items yielded, written or failed", shared.yielded, shared.written + shared.failed);
    return fits;
}

/// Whether the file has as many different lines as were written.
bool is_written(const char* path, std::uint64_t count)
{
    std::ifstream file{path};
    std::vector<std::uint64_t> all;
    for (std::uint64_t n = 0; file >> n;)
        all.push_back(n);
    std::sort(all.begin(), all.end());
    const bool is = all.size() == count && std::adjacent_find(all.begin(), all.end()) == all.end();
    if (!is)
        fmt::print(stderr, "the file has {} lines, {} were written\n", all.size(), count);
    return is;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 3) {
        fmt::print(stderr, "pipeline: {} arguments. Expected: FILE SEED [THREADS [ITEMS]].\n", argc - 1);
        return 2;
    }
    Shared shared;
    shared.random.seed(static_cast<std::mt19937::result_type>(std::strtoul(argv[2], nullptr, 10)));
    shared.file = std::fopen(argv[1], "w");
    shared.raise_at = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
    if (!shared.file) {
        fmt::print(stderr, "pipeline: '{}' cannot be written. Expected: a new file. Pass another path.\n", argv[1]);
        return 2;
    }

    asio::io_context io;
    agdf::GraphOptions options;
    options.threads = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1;
    options.log = [](agdf::LogLevel level, std::string_view line) {
        if (level == agdf::LogLevel::info)
            fmt::print(stderr, "{}\n", line);
    };
    agdf::Graph graph{io, options};
    auto source = graph.add_node("numbers", [&] { return numbers(shared); });
    auto batch = graph.add_node("batch", agdf::batch<std::uint64_t>({.max_items = 7, .max_delay = 50ms}), {.queue_size = 16});
    auto fetched = graph.add_node("fetch", [&](Batch items) { return fetch(shared, std::move(items)); },
                                  {.workers = 8, .queue_size = 4, .retry = {.attempts = 3, .delay = 200ms, .max_delay = 1s}});
    auto sink = graph.add_node("append", [&](Batch items) { return append(shared, std::move(items)); }, {.queue_size = 4});
    auto dead = graph.add_node("dead", [&](const agdf::Failed<Batch>& failed) { shared.failed += failed.item.size(); });
    source >> batch >> fetched >> sink;
    graph.add_error_edge(fetched, dead);

    const agdf::RunReport report = graph.run({.start = {}, .stop_on_signals = true, .grace = grace});
    std::fclose(shared.file);
    fmt::print("{} after {:.3f} s: {} yielded, {} written, {} failed, {} retried\n", agdf::to_string(report.outcome),
               std::chrono::duration<double>(report.elapsed).count(), shared.yielded.load(), shared.written, shared.failed,
               report.node("fetch").retried);
    if (!balances(report, shared) || !is_written(argv[1], shared.written))
        return 3;
    return report.exit_code();
}
