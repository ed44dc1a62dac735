#pragma once

// Floor 3: how a node and a graph are set up.

#include <agdf/detail/run_control.hpp>
#include <agdf/error.hpp>
#include <agdf/hook.hpp>
#include <agdf/item_function.hpp>
#include <agdf/overflow.hpp>
#include <agdf/rate_limiter.hpp>
#include <agdf/retry.hpp>
#include <agdf/semaphore.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>

namespace agdf {

/// What happens to the run when an item fails.
enum class OnError {
    inherit,  ///< as the graph says
    skip,     ///< the item is recorded, logged and skipped; the run goes on
    halt      ///< the run ends now; what is queued is discarded and counted as undelivered
};

/// The options of a node. An aggregate: write only what differs, `{.workers = 4}`.
///
/// The policies (`retry`, `timeout`, `rate_limit`, `ordered`, `ordered_by_key`, `limit`) are about single items, so a body
/// that sees its whole stream cannot have them. What they do to an item, in this order: a permit of `limit`, one of
/// `rate_limit`, an attempt of at most `timeout`, both again for each retry, then its place in the order.
struct NodeOptions {
    std::size_t workers = 1;            ///< invocations of the body that may be under way at once
    std::size_t queue_size = 1'024;     ///< items that may wait at this node
    Overflow overflow = Overflow::wait;  ///< what happens when they are that many
    OnError on_error = OnError::inherit;
    Retry retry = {};                   ///< whether and when a failed item is tried again
    /// Ends an attempt that takes longer, through Asio's cancellation, with TimeoutError; zero = no limit. Time in which the
    /// body waits for room further down does not count. A plain function cannot be ended, and has none; a Stream that awaits
    /// nothing ends where it yields. A body that takes the cancellation as a result like others, with `as_tuple` or a `catch`,
    /// and returns, has succeeded.
    std::chrono::steady_clock::duration timeout = {};
    /// How often attempts may begin; may be shared with other nodes. An error that says `retry_after()` pauses all of them, for
    /// `.retry.max_delay` at most, whether or not its own item is tried again. It holds for the items that are left when the
    /// run is stopped as well.
    RateLimiter rate_limit = {};
    /// Outputs leave in input order although several workers run. A worker whose item is not next keeps it until it is: so
    /// nothing is stored beyond `workers` items, and more workers make up for slow ones.
    bool ordered = false;
    OrderKey ordered_by_key = {};       ///< the same among items of equal key only, which share the workers with all others
    /// How many attempts may be under way; may be shared with other nodes. An attempt that waits for room further down or
    /// for its turn gives its permit to others meanwhile, since it may wait for them.
    Semaphore limit = {};
    QueueWeight queue_weight = {};      ///< bounds the queue by weight as well
    Hook setup = {};                    ///< runs before any item flows; if it throws, the run is halted before it began
    Hook teardown = {};                 ///< runs after the last item has left the graph, if the setup succeeded
};

/// A duration, zero by default. One that is given brings what looks for stalls with it.
class StallAfter {
public:
    using Duration = std::chrono::steady_clock::duration;

    constexpr StallAfter() = default;

    template <std::convertible_to<Duration> Time>
    constexpr StallAfter(Time time)  // NOLINT: implicit, since it stands for the duration
        : duration_(time), make_(&detail::make_stall_watch<Duration>)
    {
    }

    [[nodiscard]] constexpr operator Duration() const noexcept { return duration_; }  // NOLINT: as above
    [[nodiscard]] constexpr bool is_negative() const noexcept { return duration_ < Duration::zero(); }

    /// For the library: what makes the watch; null for none.
    [[nodiscard]] constexpr detail::MakeWatch watch() const noexcept { return duration_ > Duration::zero() ? make_ : nullptr; }

private:
    Duration duration_{};
    detail::MakeWatch make_ = nullptr;
};

/// The options of a graph. An aggregate: `Graph graph{io, {.threads = 2}}`.
struct GraphOptions {
    /// 1 = all bodies on one strand, never two at the same time, but for those in the blocking pool; n = the workers of a node
    /// may run in parallel. A body that goes on on another executor is beside the others as long as it is there.
    std::size_t threads = 1;
    OnError on_error = OnError::skip;
    std::size_t max_exceptions = 1'000;  ///< exceptions kept per node, the newest
    Log log = {};                        ///< where log lines go; empty = to stderr
    std::size_t blocking_threads = 32;   ///< calls in the blocking pool that may be under way at once
    /// Logs a warning that names the nodes which hold items when nothing has moved for this long; zero = never.
    StallAfter stall_after = {};
};

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/run_watch.ipp>
#endif
