#pragma once

// Floor 4: what a node's options ask of a worker beside running the body: permits, time-outs, retries, order, dead letters.
//
//      item ─► enter the order ─► ┌ permits ─► attempt ─┐ ─► turn in the order ─► outputs leave ─► leave the order
//                                 └──── sleep ◄─ retry ─┘            └─► for good: dead letter
//
// A worker of a node without such options has none of this and pays one comparison for it.

#include <agdf/detail/outlet.hpp>
#include <agdf/detail/sequencer.hpp>
#include <agdf/detail/timer.hpp>
#include <agdf/failed.hpp>


#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>

namespace agdf::detail {

/// Whether an error says nothing but that an operation was cancelled.
[[nodiscard]] inline bool is_operation_aborted(const std::exception_ptr& error) noexcept
{
    try {
        std::rethrow_exception(error);
    } catch (const asio::system_error& exception) {
        return exception.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

/// The error edges of a worker.
class DeadLetters {
public:
    DeadLetters() = default;
    DeadLetters(const DeadLetters&) = delete;
    DeadLetters& operator=(const DeadLetters&) = delete;
    virtual ~DeadLetters() = default;

    /// Whether the letter has to wait for room.
    [[nodiscard]] virtual bool must_wait(const RunState& run) = 0;
    /// What one of the edges threw while another had to wait.
    [[nodiscard]] virtual std::exception_ptr take_error() noexcept = 0;
    virtual void withdraw() noexcept = 0;
};

/// The policies of one worker.
///
/// Thread-safety: belongs to its worker's strand.
class Policies {
public:
    /// @param sequencer  Null unless the node keeps an order.
    /// @param outlet     Null if the body yields nothing.
    Policies(WorkerBase& worker, Sequencer* sequencer, HoldingOutlet* outlet);
    Policies(const Policies&) = delete;
    Policies& operator=(const Policies&) = delete;
    AGDF_DECL virtual ~Policies();

    /// The worker has taken an item. What the item throws here, in its copy or its key, is an error of its first attempt.
    void begin_item(std::uint64_t stamp);

    /// The item will not be worked on.
    void skip_item();

    /// Gets the permits for an attempt and starts its clock. What goes wrong here is an error of the attempt.
    [[nodiscard]] asio::awaitable<void> begin_attempt(std::exception_ptr& error);

    /// Around a wait in which the body stands still: its time does not run on, and its permit is for others, since the wait
    /// may be for them.
    void stand_still();
    [[nodiscard]] asio::awaitable<void> go_on();

    /// Deals with what has come of an attempt. True if there shall be another one.
    [[nodiscard]] asio::awaitable<bool> end_attempt(std::exception_ptr error);

    /// Waits for the item's turn, and sends what was kept back until then.
    [[nodiscard]] asio::awaitable<void> release();

    /// The same in the middle of an attempt, for a stream whose output has to wait for its turn.
    [[nodiscard]] asio::awaitable<void> take_turn(std::exception_ptr& error);

    /// Counts an error, and sends the item along the error edges.
    ///
    /// @param consequence  What becomes of it if there are none, for the log.
    [[nodiscard]] asio::awaitable<void> fail_for_good(std::exception_ptr error, std::string_view consequence);

    /// Whether the time of the attempt under way is over.
    [[nodiscard]] bool has_timed_out() const noexcept { return timed_out_; }

    /// Ends a wait of the policies' own, for good if the run discards; false if there is none.
    [[nodiscard]] bool interrupt();

    /// Gives up waiting for room at the dead-letter node.
    void withdraw() noexcept;

    /// The worker ends; a timer that is late finds nobody.
    void end() noexcept;

    [[nodiscard]] std::unique_ptr<DeadLetters>& dead_letters() noexcept { return dead_letters_; }

protected:
    /// Copies the item, if an attempt may spoil it.
    virtual void save_item() = 0;
    virtual void restore_item() = 0;
    virtual void forget_item() noexcept = 0;
    [[nodiscard]] virtual std::size_t key_of_item() const = 0;
    /// Sends the item along the error edges.
    virtual void put_dead_letter(const std::exception_ptr& error) = 0;
    [[nodiscard]] std::size_t attempts() const noexcept { return attempts_; }

    WorkerBase& worker_;

private:
    [[nodiscard]] bool may_retry(const std::exception_ptr& error);

    /// Starts and stops the clock of an attempt.
    void start_clock();
    void stop_clock();

    void wait_for_timer(void (Policies::*over)());
    void stop_timer();

    void time_is_over();
    void sleep_is_over();

    const NodeOptions& options_;
    Sequencer* const sequencer_;
    HoldingOutlet* const outlet_;
    Timer timer_;
    const std::shared_ptr<Policies*> link_;
    std::unique_ptr<DeadLetters> dead_letters_;
    std::optional<Permit> permit_;
    Ticket ticket_;
    std::exception_ptr spoiled_;  // what the item's key or copy threw
    std::size_t attempts_ = 0;
    std::uint64_t timer_id_ = 0;
    std::chrono::steady_clock::time_point clock_started_;
    std::chrono::steady_clock::duration time_left_{};
    bool timed_out_ = false;
    bool is_sleeping_ = false;
    bool are_outputs_lost_ = false;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/policies.ipp>
#endif
