#pragma once

// A pipeline with everything on, and what must be true of its counts after each run.

#include <agdf/agdf.hpp>
#include <agdf/http/http.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace soak {

/// How a run shall end.
enum class Ending { by_itself, stopped, cancelled, halted };

struct Plan {
    std::size_t items;
    Ending ending;
    std::size_t at;  ///< the item at which it does
};

/// What an item is until it is a row; counts how many of its kind are alive.
class Page {
public:
    Page(std::size_t number, std::string text) : number_(number), text_(std::move(text)) { ++alive_; }
    Page(const Page& other) : number_(other.number_), text_(other.text_) { ++alive_; }
    Page(Page&& other) noexcept : number_(other.number_), text_(std::move(other.text_)) { ++alive_; }
    Page& operator=(const Page&) = default;
    Page& operator=(Page&&) noexcept = default;
    ~Page() { --alive_; }

    [[nodiscard]] std::size_t number() const noexcept { return number_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] static long alive() noexcept { return alive_; }

private:
    static inline std::atomic<long> alive_{0};
    std::size_t number_;
    std::string text_;
};

/// numbers -> fetch -> gate -> digest -> rows -> kept -> batch -> write, with dead letters of fetch and of digest.
class Pipeline {
public:
    Pipeline(std::string url, std::string file);
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    /// Runs it once.
    ///
    /// @return  What was wrong, a sentence each.
    std::vector<std::string> run(const Plan& plan);

    /// What another thread may call meanwhile.
    void pause_for_a_moment();

    [[nodiscard]] std::uint64_t items() const noexcept { return all_items_; }
    [[nodiscard]] std::uint64_t failed() const noexcept { return all_failed_; }
    [[nodiscard]] std::uint64_t retried() const noexcept { return all_retried_; }
    [[nodiscard]] std::uint64_t log_lines() const noexcept { return log_lines_; }

private:
    void build();
    void write(const std::vector<std::string>& rows);
    std::vector<std::string> check(const agdf::RunReport& report) const;

    const std::string url_;
    const std::string file_;
    asio::io_context io_;
    agdf::http::Client client_;
    agdf::Graph<> graph_;
    std::uint64_t all_items_ = 0, all_failed_ = 0, all_retried_ = 0;
    std::atomic<std::uint64_t> log_lines_{0};

    // of the run that is under way
    Plan plan_{};
    std::size_t last_at_gate_ = 0;
    std::atomic<std::uint64_t> out_of_order_{0}, lost_{0}, spoilt_{0}, made_{0}, filtered_{0}, empty_batches_{0},
        written_{0};
};

}  // namespace soak
