#pragma once

// Floor 3: what the parts of one run share: how far it is, and its first error.

#include <agdf/options.hpp>

#include <atomic>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace agdf::detail {

/// How far a run is. It only goes forward; from `cancelled` on, items are discarded.
enum class Phase : unsigned char { running, stopping, cancelled, halted };

class NodeRun;

/// One execution of a graph, as its nodes see it.
class RunState {
public:
    explicit RunState(GraphOptions options) : options_(std::move(options)) {}
    RunState(const RunState&) = delete;
    RunState& operator=(const RunState&) = delete;

    [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool is_stopping() const noexcept { return phase() >= Phase::stopping; }
    [[nodiscard]] bool is_discarding() const noexcept { return phase() >= Phase::cancelled; }
    [[nodiscard]] bool is_paused() const noexcept { return (disturbances_.load(std::memory_order_relaxed) & by_pause) != 0; }
    /// Whether all go on as they like; asked for each item.
    [[nodiscard]] bool is_undisturbed() const noexcept { return disturbances_.load(std::memory_order_relaxed) == 0; }
    [[nodiscard]] const std::atomic<unsigned char>& disturbances() const noexcept { return disturbances_; }
    [[nodiscard]] const GraphOptions& options() const noexcept { return options_; }

    /// Ends the run because of an error; the first one wins.
    virtual void halt(NodeRun& node, const std::exception_ptr& error) = 0;
    /// Notes an error that the run survives.
    void note(const NodeRun& node, const std::exception_ptr& error);
    virtual void log(LogLevel level, std::string_view line) noexcept = 0;

protected:
    ~RunState() = default;

    /// Moves on to a later phase; false if the run is there already or further.
    bool advance(Phase phase) noexcept
    {
        Phase now = phase_.load(std::memory_order_relaxed);
        while (now < phase)
            if (phase_.compare_exchange_weak(now, phase)) {
                disturbances_.fetch_or(by_phase);
                return true;
            }
        return false;
    }
    /// The same because of an error, which is then the run's first.
    bool advance_with(Phase phase, const NodeRun& node, const std::exception_ptr& error);

    /// The halting error, else the first one, and its node.
    [[nodiscard]] std::pair<std::string, std::exception_ptr> first_error() const
    {
        const std::lock_guard lock{mutex_};
        return {first_error_node_, first_error_};
    }
    [[nodiscard]] bool has_errors() const
    {
        const std::lock_guard lock{mutex_};
        return first_error_ != nullptr;
    }

    /// Pauses the run, unless it is on its way to an end: that ends a pause, and none comes after it.
    void begin_pause() noexcept
    {
        unsigned char now = disturbances_.load();
        while ((now & by_phase) == 0 && !disturbances_.compare_exchange_weak(now, now | by_pause)) {
        }
    }
    /// Returns whether it was paused.
    bool end_pause() noexcept { return (disturbances_.fetch_and(by_phase) & by_pause) != 0; }

private:
    static constexpr unsigned char by_phase = 1;
    static constexpr unsigned char by_pause = 2;

    std::atomic<Phase> phase_{Phase::running};
    std::atomic<unsigned char> disturbances_{0};
    const GraphOptions options_;
    mutable std::mutex mutex_;
    std::exception_ptr first_error_;
    std::string first_error_node_;
};

}  // namespace agdf::detail
