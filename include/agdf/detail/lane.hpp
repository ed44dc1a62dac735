#pragma once

// Floor 2: one strand with a run queue of its own, and how a coroutine sleeps until that queue wakes it.
//
// Waking a coroutine through Asio costs a post, a lock and a dispatch each time. A lane collects the coroutines
// that became ready and posts once for all of them; they then run one after the other, on the lane's strand.

#include <agdf/detail/asio.hpp>
#include <agdf/detail/optional_mutex.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace agdf::detail {

/// Something that a lane can run; it may be in one lane's queue once.
class Runnable {
public:
    virtual void run() = 0;

protected:
    Runnable() = default;
    Runnable(const Runnable&) = delete;
    Runnable& operator=(const Runnable&) = delete;
    virtual ~Runnable() = default;

private:
    friend class Lane;
    Runnable* next_ = nullptr;
};

/// A strand whose type has been erased, and how to ask it whether it is the one that runs here.
struct Strand {
    asio::any_io_executor executor;
    bool (*runs_here)(const asio::any_io_executor&);
};
template <class Executor>
[[nodiscard]] Strand make_strand_on(const Executor& executor)
{
    return {asio::make_strand(executor),
            [](const asio::any_io_executor& strand) { return strand.target<asio::strand<Executor>>()->running_in_this_thread(); }};
}

/// A strand and the queue of what is ready to run on it.
///
/// Thread-safety: `schedule` is safe from any thread if `shared`, else to be called on the lane's strand.
class AGDF_ONE_IN_PROGRAM Lane : public std::enable_shared_from_this<Lane> {
public:
    Lane(Strand strand, bool shared);

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return strand_.executor; }

    /// Whether it is on this lane's strand that the caller runs.
    [[nodiscard]] AGDF_NOINLINE bool is_here() const { return is_drained_here() || strand_.runs_here(strand_.executor); }
    /// The quick part of that question: a yes is sure. Not for coroutines, since Clang keeps thread_local addresses across awaits.
    [[nodiscard]] bool is_drained_here() const noexcept { return drained_by_.load(std::memory_order_relaxed) == &this_thread; }

    /// Lets a coroutine of this lane go on on its strand, wherever a body has left it. To await it throws what any await does in
    /// a coroutine that has been cancelled, unless that is switched off before (throw_if_cancelled).
    [[nodiscard]] static asio::awaitable<void> come_home();

    /// Whether others than its own strand may schedule something.
    [[nodiscard]] bool is_shared() const noexcept { return mutex_.is_needed(); }

    /// Puts a runnable at the end of the queue; it runs later, never inside this call.
    ///
    /// Errors: none, since those who wake others could tell nobody. Without memory for it a reserve is used up.
    void schedule(Runnable& runnable) noexcept
    {
        bool post = false;
        {
            const auto lock = guard();
            runnable.next_ = nullptr;
            (last_ ? last_->next_ : first_) = &runnable;
            last_ = &runnable;
            post = !std::exchange(posted_, true);
        }
        if (post)
            post_drain();
    }

    /// The time, read now.
    std::chrono::steady_clock::time_point read_clock() noexcept
    {
        is_fresh_ = true;
        return now_ = std::chrono::steady_clock::now();
    }
    /// The time when the last runnable went to sleep, which is now for the one that runs next.
    [[nodiscard]] std::chrono::steady_clock::time_point last_reading() const noexcept { return now_; }

    /// Forgets what is queued; used when the execution context goes.
    void abandon() noexcept;

private:
    // A slice ends after this time, so that timers and sockets of the same context get their turn.
    static constexpr std::chrono::microseconds slice{500};

    [[nodiscard]] std::lock_guard<OptionalMutex> guard() { return std::lock_guard{mutex_}; }

    using Reserve = std::array<std::byte, 2'048>;

    /// Notes which thread drains the lane.
    class Draining {
    public:
        explicit Draining(Lane& lane) noexcept : lane_(lane) { lane_.drained_by_.store(&this_thread, std::memory_order_relaxed); }
        Draining(const Draining&) = delete;
        Draining& operator=(const Draining&) = delete;
        ~Draining() { lane_.drained_by_.store(nullptr, std::memory_order_relaxed); }

    private:
        Lane& lane_;
    };

    void post_drain() noexcept;
    void post();
    void drain();
    [[nodiscard]] Runnable* take_first() noexcept;

    static thread_local constinit inline char this_thread = 0;

    const Strand strand_;
    std::atomic<const char*> drained_by_{nullptr};
    OptionalMutex mutex_;
    std::unique_ptr<Reserve> reserve_;
    Runnable* first_ = nullptr;
    Runnable* last_ = nullptr;
    bool posted_ = false;
    bool is_fresh_ = false;  // these two belong to the strand
    std::chrono::steady_clock::time_point now_{};
};

/// One suspended asio coroutine.
///
/// Whoever owns it calls `suspend`, and somebody calls `run` (through a lane, or posted) exactly once for each of
/// them, or `abandon`. The coroutine's frame is owned by the handler that is kept here meanwhile.
class Sleeper : public Runnable {
public:
    AGDF_DECL ~Sleeper() override;

    /// Suspends the awaiting coroutine until `run`.
    ///
    /// Resumes: inside `run`.
    [[nodiscard]] asio::awaitable<void> suspend();

    AGDF_DECL void run() override;

    /// Destroys the suspended coroutine without resuming it.
    void abandon() noexcept;

    [[nodiscard]] bool is_suspended() const noexcept { return handler_.has_value(); }

    /// Does what a cancellation does that reaches the sleeping coroutine, also if that is told to let none through.
    void end_sleep()
    {
        if (is_suspended())
            on_cancel(asio::cancellation_type::terminal);
    }

    /// The executor of the suspended coroutine.
    [[nodiscard]] asio::any_io_executor executor() const { return asio::get_associated_executor(*handler_); }

protected:
    Sleeper() = default;

    using Handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;

    /// Takes the handler out, for one who resumes it elsewhere.
    [[nodiscard]] Handler take_handler();

    /// Called on the coroutine's own executor once it is suspended.
    virtual void on_suspended() {}

    /// Called on the coroutine's own executor when Asio cancels it while it sleeps.
    virtual void on_cancel(asio::cancellation_type) {}

private:
    struct Cancel {
        Sleeper* sleeper;
        void operator()(asio::cancellation_type type) const { sleeper->on_cancel(type); }
    };

    struct Arm {
        Sleeper* sleeper;

        template <class H>
        void operator()(H&& handler) const
        {
            auto slot = asio::get_associated_cancellation_slot(handler);
            sleeper->handler_.emplace(std::forward<H>(handler));
            if (slot.is_connected())
                slot.template emplace<Cancel>(Cancel{sleeper});
            sleeper->on_suspended();
        }
    };

    std::optional<Handler> handler_;
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/lane.ipp>
#endif
