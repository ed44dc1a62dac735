#pragma once

// What the fuzzers share: taking decisions out of a string of bytes, and giving up with a sentence.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace fuzz {

/// Ends the program, which the fuzzer takes as a find.
[[noreturn]] inline void fail(std::string_view what)
{
    std::fprintf(stderr, "PROMISE BROKEN: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

inline void expect(bool holds, std::string_view what)
{
    if (!holds)
        fail(what);
}

/// Reads decisions from the front of the bytes; when they are used up, every decision is the first one.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

    [[nodiscard]] bool is_empty() const noexcept { return bytes_.empty(); }

    std::uint8_t byte()
    {
        if (bytes_.empty())
            return 0;
        const std::uint8_t first = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return first;
    }

    /// One of 0 to n - 1.
    std::size_t below(std::size_t n) { return byte() % n; }
    bool yes() { return (byte() & 1U) != 0; }

    std::uint64_t bits()
    {
        std::uint64_t number = 0;
        for (int i = 0; i < 8; ++i)
            number = number << 8U | byte();
        return number;
    }

    /// As many characters as the next byte says.
    std::string text()
    {
        const std::size_t size = byte();
        std::string chars;
        while (chars.size() < size && !bytes_.empty())
            chars += static_cast<char>(byte());
        return chars;
    }

    std::string rest()
    {
        std::string chars;
        while (!bytes_.empty())
            chars += static_cast<char>(byte());
        return chars;
    }

private:
    std::span<const std::uint8_t> bytes_;
};

}  // namespace fuzz
