#pragma once

// Floor 1: memory for coroutine frames, used again as soon as it is free.

#include <agdf/detail/config.hpp>

#include <cstddef>
#include <new>
#include <utility>

namespace agdf::detail {

/// Keeps freed frames of the calling thread for the next coroutine of about the same size.
///
/// A `Stream` body makes one frame per item; taking it from here costs a nanosecond or two where malloc and free
/// cost twenty. What is kept is bounded: `frames_per_class` frames of each of `classes` sizes.
class AGDF_ONE_IN_PROGRAM FrameCache {
public:
    AGDF_NOINLINE static void* allocate(std::size_t size)  // not inlined: Clang keeps thread_local addresses across awaits
    {
#if !defined(AGDF_DISABLE_FRAME_RECYCLING)
        const std::size_t index = class_of(size);
        if (index < classes) [[likely]] {
            Class& entry = entries[index];
            if (void* const frame = entry.last) [[likely]] {
                entry.last = nullptr;
                return frame;
            }
            if (Free* const frame = entry.first) {
                entry.first = frame->next;
                --entry.count;
                return frame;
            }
            return ::operator new((index + 1) * granularity);
        }
#endif
        return ::operator new(size);
    }

    AGDF_NOINLINE static void deallocate(void* frame, [[maybe_unused]] std::size_t size) noexcept
    {
#if !defined(AGDF_DISABLE_FRAME_RECYCLING)
        const std::size_t index = class_of(size);
        if (index < classes) [[likely]] {
            Class& entry = entries[index];
            if (!entry.last && entry.most > 0) [[likely]] {
                entry.last = frame;
                return;
            }
            if (entry.count < entry.most)
                return entry.keep(frame);
            return keep_first(entry, frame);
        }
#endif
        ::operator delete(frame);
    }

private:
    static constexpr std::size_t granularity = 64;
    static constexpr std::size_t classes = 32;  // frames of up to 2 KiB
    static constexpr std::size_t frames_per_class = 8;  // and the last one

    struct Free {
        Free* next;
    };
    struct Class {
        void keep(void* frame) noexcept
        {
            first = ::new (frame) Free{first};
            ++count;
        }

        void* last;  // which the next one mostly gets: apart, since to unlink it from the list would wait for it to be linked
        Free* first;
        std::size_t count;
        std::size_t most;  // in the list; none before the first frame, and after the last
    };

    /// Empties the cache when its thread ends. It is apart from it, so that to reach the cache takes no look at whether it
    /// has been made.
    struct AtThreadExit {
        AtThreadExit() = default;
        AtThreadExit(const AtThreadExit&) = delete;
        AtThreadExit& operator=(const AtThreadExit&) = delete;
        ~AtThreadExit()
        {
            has_ended = true;  // what another thread_local's destructor gives back later is not kept
            for (Class& entry : entries) {
                entry.most = 0;
                ::operator delete(std::exchange(entry.last, nullptr));
                while (Free* const frame = entry.first) {
                    entry.first = frame->next;
                    ::operator delete(frame);
                }
            }
        }
    };

    /// For one more than is kept, unless nothing has been kept yet of this size.
    AGDF_NOINLINE static void keep_first(Class& entry, void* frame) noexcept
    {
        if (entry.most > 0 || has_ended)
            return ::operator delete(frame);
        thread_local AtThreadExit at_thread_exit;
        static_cast<void>(at_thread_exit);
        entry.most = frames_per_class;
        entry.keep(frame);
    }

    static constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / granularity; }

    static thread_local constinit inline Class entries[classes]{};
    static thread_local constinit inline bool has_ended = false;
};

}  // namespace agdf::detail
