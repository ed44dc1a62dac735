#include "allocations.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

// `operator new` is replaced, and aligned_alloc, which Asio calls directly, is wrapped by the linker (--wrap). Frees that
// do not come through `operator delete` are Asio's of such blocks.

extern "C" {
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
void __wrap_free(void* block);
void __real_free(void* block);
}

namespace {

std::atomic<std::size_t> count{0};
std::atomic<std::size_t> failed{0};
std::atomic<std::size_t> first_to_fail{0};
std::atomic<bool> shortage_lasts{false};
std::atomic<long> live{0};
std::atomic<long> bytes{0};
std::atomic<long> most_bytes{std::numeric_limits<long>::max()};
thread_local int plenty = 0;

bool must_fail(std::size_t size) noexcept
{
    if (plenty > 0)
        return false;
    const std::size_t number = count.fetch_add(1) + 1;
    const std::size_t first = first_to_fail.load();
    if (first == 0 || number < first)
        return false;
    if (number == first) {
        if (shortage_lasts)
            most_bytes = bytes.load();
    } else if (bytes + static_cast<long>(size) <= most_bytes) {
        return false;
    }
    ++failed;
    return true;
}

void* allocate(std::size_t size, std::size_t alignment) noexcept
{
    if (must_fail(size))
        return nullptr;
    void* block = nullptr;
    if (alignment <= alignof(std::max_align_t))
        block = std::malloc(std::max<std::size_t>(size, 1));
    else if (posix_memalign(&block, alignment, std::max<std::size_t>(size, 1)) != 0)
        block = nullptr;
    if (block) {
        std::memset(block, 0xA5, size);  // so that what reads it before it has a value does not do so by luck
        ++live;
        bytes += static_cast<long>(malloc_usable_size(block));
    }
    return block;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment)
{
    void* const block = allocate(size, alignment);
    if (!block)
        throw std::bad_alloc{};
    return block;
}

void release(void* block) noexcept
{
    if (block) {
        --live;
        const std::size_t size = malloc_usable_size(block);
        bytes -= static_cast<long>(size);
        std::memset(block, 0x5A, size);
    }
    __real_free(block);
}

}  // namespace

namespace faults {

void begin_shortage(Shortage shortage) noexcept
{
    count = 0;
    failed = 0;
    shortage_lasts = shortage.lasts;
    most_bytes = std::numeric_limits<long>::max();
    first_to_fail = shortage.first;
}

std::size_t end_shortage() noexcept
{
    first_to_fail = 0;
    most_bytes = std::numeric_limits<long>::max();
    return count;
}

std::size_t failed_allocations() noexcept { return failed; }

long live_allocations() noexcept { return live; }

Plenty::Plenty() noexcept { ++plenty; }
Plenty::~Plenty() { --plenty; }

}  // namespace faults

extern "C" {
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size)
{
    return allocate(size, std::max(alignment, 2 * alignof(std::max_align_t)));
}
void __wrap_free(void* block) { release(block); }
}

void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) { return allocate_or_throw(size, static_cast<std::size_t>(alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return allocate_or_throw(size, static_cast<std::size_t>(alignment)); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept
{
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete[](void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { release(block); }
