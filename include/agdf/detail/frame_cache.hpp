#pragma once

// Floor 1: memory for coroutine frames, used again as soon as it is free.

#include <agdf/detail/config.hpp>

#include <array>
#include <cstddef>
#include <new>

namespace agdf::detail {

/// Keeps freed frames of the calling thread for the next coroutine of about the same size.
///
/// A `Stream` body makes one frame per item; taking it from here costs a few nanoseconds where malloc and free
/// cost twenty. What is kept is bounded: `blocks_per_class` frames of each of `classes` sizes.
class FrameCache {
public:
    AGDF_NOINLINE static void* allocate(std::size_t size)  // not inlined: Clang keeps thread_local addresses across awaits
    {
#if !defined(AGDF_DISABLE_FRAME_RECYCLING)
        const std::size_t index = class_of(size);
        if (index < classes) {
            Class& entry = local().entries_[index];
            if (entry.count > 0)
                return entry.blocks[--entry.count];
            return ::operator new((index + 1) * granularity);
        }
#endif
        return ::operator new(size);
    }

    AGDF_NOINLINE static void deallocate(void* block, [[maybe_unused]] std::size_t size) noexcept
    {
#if !defined(AGDF_DISABLE_FRAME_RECYCLING)
        const std::size_t index = class_of(size);
        if (index < classes) {
            Class& entry = local().entries_[index];
            if (entry.count < blocks_per_class) {
                entry.blocks[entry.count++] = block;
                return;
            }
        }
#endif
        ::operator delete(block);
    }

    FrameCache(const FrameCache&) = delete;
    FrameCache& operator=(const FrameCache&) = delete;

private:
    static constexpr std::size_t granularity = 64;
    static constexpr std::size_t classes = 32;  // frames of up to 2 KiB
    static constexpr std::size_t blocks_per_class = 8;

    struct Class {
        std::array<void*, blocks_per_class> blocks;
        std::size_t count = 0;
    };

    FrameCache() = default;
    ~FrameCache()
    {
        for (Class& entry : entries_)
            while (entry.count > 0)
                ::operator delete(entry.blocks[--entry.count]);
    }

    static constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / granularity; }

    static FrameCache& local()
    {
        thread_local FrameCache cache;
        return cache;
    }

    std::array<Class, classes> entries_{};
};

}  // namespace agdf::detail
