// soak SECONDS: a pipeline with everything on, run after run, while its server comes and goes.
//
// The verdict: each run's counts are exact, and memory, descriptors and threads are no more in the last fifth of the time
// than they were in the second, but for a slack that is printed.

#include "pipeline.hpp"
#include "server.hpp"
#include "usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Stops and starts the server, and pauses the run that is under way, at random times.
class Trouble {
public:
    explicit Trouble(soak::Server& server) : server_(server), thread_([this] { make(); }) {}
    Trouble(const Trouble&) = delete;
    Trouble& operator=(const Trouble&) = delete;
    ~Trouble()
    {
        ends_ = true;
        thread_.join();
    }

    /// Whom to pause from now on; null for nobody.
    void watch(soak::Pipeline* pipeline)
    {
        const std::lock_guard lock{mutex_};
        pipeline_ = pipeline;
    }
    [[nodiscard]] unsigned restarts() const noexcept { return restarts_; }

private:
    void make()
    {
        std::minstd_rand dice{7};
        while (!ends_) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50 + dice() % 400));
            if (dice() % 4 == 0) {
                server_.stop();
                std::this_thread::sleep_for(std::chrono::milliseconds(dice() % 120));
                server_.start();
                ++restarts_;
            } else {
                const std::lock_guard lock{mutex_};
                if (pipeline_)
                    pipeline_->pause_for_a_moment();
            }
        }
    }

    soak::Server& server_;
    std::mutex mutex_;
    soak::Pipeline* pipeline_ = nullptr;
    std::atomic<bool> ends_{false};
    std::atomic<unsigned> restarts_{0};
    std::thread thread_;
};

soak::Plan any_plan(std::minstd_rand& dice)
{
    const std::size_t items = 200 + dice() % 3'000;
    using enum soak::Ending;
    constexpr soak::Ending endings[] = {by_itself, by_itself, by_itself, stopped, cancelled, halted};
    return {items, endings[dice() % std::size(endings)], dice() % items};
}

bool holds(const char* what, const char* unit, std::size_t early, std::size_t late, std::size_t slack)
{
    const bool flat = late <= early + slack;
    fmt::print("{}: {}{} at most in the second fifth of the time, {}{} in the last; {} more would do: {}\n", what,
               early, unit, late, unit, slack, flat ? "flat" : "GROWS");
    return flat;
}

}  // namespace

int main(int argc, char** argv)
{
    const double seconds = argc == 2 ? std::atof(argv[1]) : 0;
    if (seconds < 5) {
        fmt::print(stderr, "soak: expected: soak SECONDS, at least 5.\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const std::string file =
        (std::filesystem::temp_directory_path() / fmt::format("agdf_soak_{}.csv", ::getpid())).string();
    const auto begun = Clock::now();
    const auto share = [&] { return std::chrono::duration<double>(Clock::now() - begun).count() / seconds; };

    soak::Server server;
    server.start();
    Trouble trouble{server};
    std::minstd_rand dice{42};
    soak::Usage early, late, now;
    unsigned runs = 0, wrong = 0;
    std::uint64_t items = 0, failed = 0, retried = 0, lines = 0;
    double next_line = 0.05;
    while (share() < 1) {
        // From time to time all is made anew.
        auto pipeline = std::make_unique<soak::Pipeline>(server.url(), file);
        trouble.watch(pipeline.get());
        for (unsigned i = 0; i < 10 && share() < 1; ++i) {
            const soak::Plan plan = any_plan(dice);
            for (const std::string& what : pipeline->run(plan)) {
                fmt::print("run {} ({} items, ending {} at {}): {}\n", runs, plan.items, static_cast<int>(plan.ending),
                           plan.at, what);
                ++wrong;
            }
            ++runs;
            now = soak::Usage::now();
            if (share() > 0.2 && share() <= 0.4)
                early.include(now);
            if (share() > 0.8)
                late.include(now);
            if (share() >= next_line) {
                fmt::print(
                    "{:6.0f} s: {} runs, {} items, {} failed, {} retried, {} restarts; {} KiB, {} descriptors, {} "
                    "threads\n",
                    share() * seconds, runs, items + pipeline->items(), failed + pipeline->failed(),
                    retried + pipeline->retried(), trouble.restarts(), now.kib, now.descriptors, now.threads);
                std::fflush(stdout);
                next_line += 0.05;
            }
        }
        trouble.watch(nullptr);
        items += pipeline->items();
        failed += pipeline->failed();
        retried += pipeline->retried();
        lines += pipeline->log_lines();
    }
    std::filesystem::remove(file);

    bool good = holds("memory", " KiB", early.kib, late.kib, std::max<std::size_t>(early.kib / 10, 4'096));
    good = holds("descriptors", "", early.descriptors, late.descriptors, 16) && good;
    good = holds("threads", "", early.threads, late.threads, 8) && good;
    fmt::print("{} runs, {} items, {} lines of statistics, {} restarts of the server: {} counts were wrong\n", runs,
               items, lines, trouble.restarts(), wrong);
    good = good && wrong == 0 && items > 0;
    fmt::print("{}\n", good ? "HELD" : "NOT HELD");
    return good ? 0 : 1;
}
