#pragma once

// What travels in the scenarios, and what stands for a frame that must not be left behind.

#include <cstddef>
#include <utility>

namespace schedules {

/// Knows how many of its kind are alive. The search has one thread, so a plain number will do.
class Alive {
public:
    Alive() noexcept { ++count_; }
    Alive(const Alive&) noexcept { ++count_; }
    Alive& operator=(const Alive&) noexcept = default;
    ~Alive() { --count_; }

    [[nodiscard]] static long count() noexcept { return count_; }
    static void forget() noexcept { count_ = 0; }

private:
    static inline long count_ = 0;
};

/// An item of a stream. One that was moved from has no number any more, so nobody can take it for an item.
class Item {
public:
    static constexpr int none = -1;

    explicit Item(int number = none, int source = 0) noexcept : number_(number), source_(source) {}
    Item(const Item&) noexcept = default;
    Item& operator=(const Item&) noexcept = default;
    Item(Item&& other) noexcept : number_(std::exchange(other.number_, none)), source_(other.source_) {}
    Item& operator=(Item&& other) noexcept
    {
        number_ = std::exchange(other.number_, none);
        source_ = other.source_;
        return *this;
    }
    ~Item() = default;

    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] int source() const noexcept { return source_; }

private:
    int number_;
    int source_;
    Alive alive_;
};

}  // namespace schedules
