#pragma once

// Floor 3: the stream in pieces of equal size.

#include <agdf/detail/piece.hpp>
#include <agdf/stream.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// The size of a window, in items or in time.
struct WindowOptions {
    std::size_t max_items = 1'024;                      ///< a window of so many items is complete, or leaves early
    std::chrono::steady_clock::duration duration = {};  ///< of a window in time; zero = windows end by `max_items` only
};

namespace detail {

template <class T>
Stream<std::vector<T>> windows(WindowOptions options, Receiver<T> items)
{
    const bool is_timed = options.duration > std::chrono::steady_clock::duration::zero();
    const auto began = items.now();
    Held<T> held{items};
    std::vector<T> window;
    auto window_end = never_due;  // of the window that has items
    while (!items.has_ended()) {
        auto item = co_await items.next_until(window_end);
        const auto now = is_timed ? items.now() : began;
        if (!window.empty() && (!item || now >= window_end)) {
            const std::size_t next = item ? 1 : 0;
            held.remove(window.size());
            held.add(next);  // the run may be cut short in this wait
            co_yield std::exchange(window, std::vector<T>());
            held.remove(next);
            window_end = never_due;
        }
        if (!item)
            continue;
        if (is_timed && window.empty())
            window_end = later(now, options.duration - (now - began) % options.duration);
        append(window, std::move(*item));
        held.add();
        if (window.size() == options.max_items) {
            held.remove(window.size());
            co_yield std::exchange(window, std::vector<T>());
            window_end = never_due;
        }
    }
}

}  // namespace detail

/// Returns the body of a node that cuts its stream into windows, each of which follows on the one before.
///
/// With `{.max_items = n}` a window is n items. With `{.duration = d}` it is the items that the body took in a time of
/// d, and windows end at whole multiples of d since the node began; one that reaches `max_items` before leaves at once,
/// and the items that follow in its time leave at its end. A window without items leaves nothing. What is left leaves at
/// the end of the stream, and as soon as nothing is queued when the run is stopped. With several workers each cuts what
/// it takes.
///
/// Shape:          `Stream<std::vector<T>>(Receiver<T>)`; items are moved, never copied, and keep their order.
/// Errors:         throws GraphError at once for `max_items` 0 and a negative `duration`. When the run is halted or
///                 cancelled, the items of the last window count as undelivered.
///
///     graph.add_node("by minute", agdf::window<Event>({.max_items = 100'000, .duration = 1min}));
template <class T>
[[nodiscard]] auto window(WindowOptions options = {})
{
    static_assert(Item<T>,
                  "agdf::window<T>(): T cannot travel between nodes. Expected: an object type that can be moved, without "
                  "const or reference. Name the type itself, or a smart pointer to it.");
    if constexpr (Item<T>) {
        detail::check_bound("agdf::window", "max_items", options.max_items);
        detail::check_duration("agdf::window", "duration", options.duration);
        return [options](Receiver<T> items) { return detail::windows<T>(options, items); };
    } else {
        return detail::Refused{};
    }
}

}  // namespace agdf

AGDF_COROUTINES_END
