#pragma once

// What tests of runs that end on signals share.

#include "support/graph.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// Catches SIGINT and SIGTERM as a program of its own would, so that one nobody else catches does not end the test.
class OwnHandler {
public:
    OwnHandler() : interrupt_(install(SIGINT)), terminate_(install(SIGTERM)) { caught_ = 0; }
    OwnHandler(const OwnHandler&) = delete;
    OwnHandler& operator=(const OwnHandler&) = delete;
    ~OwnHandler()
    {
        sigaction(SIGINT, &interrupt_, nullptr);
        sigaction(SIGTERM, &terminate_, nullptr);
    }

    [[nodiscard]] static int caught() noexcept { return caught_; }

    /// Returns whether it is this handler that a signal would call now.
    [[nodiscard]] static bool is_installed(int signal)
    {
        struct sigaction now = {};
        sigaction(signal, nullptr, &now);
        return now.sa_handler == &OwnHandler::on_signal;
    }

private:
    static void on_signal(int) { ++caught_; }

    static struct sigaction install(int signal)
    {
        struct sigaction own = {}, before = {};
        own.sa_handler = &OwnHandler::on_signal;
        sigaction(signal, &own, &before);
        return before;
    }

    static inline std::atomic<int> caught_{0};
    struct sigaction interrupt_, terminate_;
};

/// Keeps the log lines of a graph.
class Lines {
public:
    [[nodiscard]] agdf::GraphOptions options(agdf::GraphOptions options = {})
    {
        options.log = [this](agdf::LogLevel level, std::string_view line) {
            const std::lock_guard lock{mutex_};
            lines_.emplace_back(level, line);
        };
        return options;
    }

    /// Returns how many lines have this text in them, whatever their level.
    [[nodiscard]] std::size_t count(std::string_view text) const
    {
        const std::lock_guard lock{mutex_};
        return static_cast<std::size_t>(std::count_if(
            lines_.begin(), lines_.end(), [&](const auto& line) { return line.second.find(text) != std::string::npos; }));
    }

    /// Returns all that was logged at a level or above, a line each.
    [[nodiscard]] std::string text(agdf::LogLevel least = agdf::LogLevel::debug) const
    {
        const std::lock_guard lock{mutex_};
        std::string all;
        for (const auto& [level, line] : lines_)
            if (level >= least)
                all += line + "\n";
        return all;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::pair<agdf::LogLevel, std::string>> lines_;
};

}  // namespace test
