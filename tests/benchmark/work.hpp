#pragma once

// The work itself, the same in every system that is compared, and the sums that must come out.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

namespace benchmark {

using Int = std::int64_t;

/// What a program is asked to do.
struct Setup {
    Int items = 300'000;
    std::size_t queue_size = 1'024;
    std::size_t threads = 1;
};

// Objects, as the bodies of most nodes are, and not pointers: so the compiler sees what is called, in every system as in the limit.
inline constexpr auto f1 = [](Int x) { return x + 1; };
inline constexpr auto f2 = [](Int x) { return x * 3; };
inline constexpr auto f3 = [](Int x) { return x ^ 0x5bd1e995; };

/// W3: a node of so many workers, in which each item awaits a timer.
inline constexpr std::size_t timers = 1'000;
inline constexpr std::chrono::milliseconds timer_delay{10};

/// W4: about a microsecond of arithmetic, each step of which needs the one before.
[[gnu::noinline]] inline Int compute(Int x)
{
    auto y = static_cast<std::uint64_t>(x);
    for (int i = 0; i < 1'150; ++i)
        y = y * 6364136223846793005u + 1442695040888963407u;
    return static_cast<Int>(y >> 33);
}

/// W5: what moves is a pointer to 256 bytes.
struct Payload {
    Int value = 0;
    std::array<std::byte, 256 - sizeof(Int)> rest{};
};
using Heavy = std::unique_ptr<Payload>;

inline Heavy make_heavy(Int x)
{
    Heavy heavy = std::make_unique<Payload>();
    heavy->value = x;
    return heavy;
}

template <auto function>
inline constexpr auto on_payload = [](Heavy heavy) {
    heavy->value = function(heavy->value);
    return heavy;
};

/// What counts of an item, and how an item is made of a number.
inline Int value_of(Int x) { return x; }
inline Int value_of(const Heavy& heavy) { return heavy->value; }

template <class T>
T make_item(Int x);
template <>
inline Int make_item<Int>(Int x) { return x; }
template <>
inline Heavy make_item<Heavy>(Int x) { return make_heavy(x); }

/// W6: an input becomes so many outputs.
inline constexpr Int outputs_per_input = 100;
inline Int output_of(Int x, Int i) { return x * outputs_per_input + i; }

/// W7: so many calls at a time that block their thread.
inline constexpr std::size_t blocking_calls = 64;
inline constexpr std::chrono::milliseconds blocking_time{1};
inline Int block(Int x)
{
    std::this_thread::sleep_for(blocking_time);
    return f1(x);
}

template <class Function>
Int sum_of(Int items, Function function)
{
    Int sum = 0;
    for (Int i = 0; i < items; ++i)
        sum += function(i);
    return sum;
}

inline Int sum_of_chain(Int items) { return sum_of(items, [](Int x) { return f3(f2(f1(x))); }); }
inline Int sum_of_branches(Int items) { return sum_of(items, [](Int x) { return f1(x) + f2(x); }); }

}  // namespace benchmark
