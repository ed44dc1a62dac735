#pragma once

// An object that knows how many of its kind are alive, so that a test can tell that a coroutine left nothing behind.

#include <atomic>

namespace test {

class Counted {
public:
    explicit Counted(int value = 0) noexcept : value_(value) { ++alive_; }
    Counted(const Counted& other) noexcept : value_(other.value_)
    {
        ++alive_;
        ++copies_;
    }
    Counted(Counted&& other) noexcept : value_(other.value_) { ++alive_; }
    Counted& operator=(const Counted&) noexcept = default;
    Counted& operator=(Counted&&) noexcept = default;
    ~Counted() { --alive_; }

    [[nodiscard]] int value() const noexcept { return value_; }

    [[nodiscard]] static int alive() noexcept { return alive_; }
    [[nodiscard]] static int copies() noexcept { return copies_; }
    static void reset_copies() noexcept { copies_ = 0; }

private:
    static inline std::atomic<int> alive_{0};
    static inline std::atomic<int> copies_{0};
    int value_;
};

}  // namespace test
