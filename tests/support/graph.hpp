#pragma once

// What tests of whole graphs share.

#include <agdf/agdf.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace test {

/// Ends the program with a message if a test takes too long; one at the top of each test that could hang.
class Watchdog {
public:
    explicit Watchdog(std::chrono::seconds limit = std::chrono::seconds(20), const char* file = __builtin_FILE(),
                      int line = __builtin_LINE())
        : thread_([this, limit, file, line] { watch(limit, file, line); })
    {
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog()
    {
        {
            const std::lock_guard lock{mutex_};
            done_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

private:
    void watch(std::chrono::seconds limit, const char* file, int line)
    {
        std::unique_lock lock{mutex_};
        // system_clock, since GCC 12's ThreadSanitizer does not know the wait on the steady one
        if (changed_.wait_until(lock, std::chrono::system_clock::now() + limit, [this] { return done_; }))
            return;
        std::fprintf(stderr, "%s:%d: the test did not finish in time, it hangs\n", file, line);
        std::abort();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread thread_;
};

/// Options for a graph that keeps its log lines to itself.
[[nodiscard]] inline agdf::GraphOptions quiet(agdf::GraphOptions options = {})
{
    options.log = [](agdf::LogLevel, std::string_view) {};
    return options;
}

/// Returns the text of the GraphError that `action` throws; empty if it throws none.
template <class Action>
[[nodiscard]] std::string graph_error_of(Action action)
{
    try {
        action();
    } catch (const agdf::GraphError& error) {
        return error.what();
    }
    return {};
}

/// Returns the text of an exception.
[[nodiscard]] inline std::string text_of(const std::exception_ptr& error) { return agdf::describe(error); }

}  // namespace test
