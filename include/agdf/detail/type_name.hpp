#pragma once

// Floor 1: the identity and the readable name of a type, without RTTI.

#include <agdf/detail/config.hpp>

#include <string>
#include <string_view>

namespace agdf::detail {

template <class T>
inline constexpr char type_tag = 0;

/// Identifies a type for as long as the program runs.
using TypeId = const void*;

template <class T>
[[nodiscard]] constexpr TypeId type_id() noexcept
{
    return &type_tag<T>;
}

template <class T>
[[nodiscard]] constexpr std::string_view raw_type_name() noexcept
{
    const std::string_view function = __PRETTY_FUNCTION__;  // "... [with T = int; ...]" or "... [T = int]"
    const auto start = function.find("T = ") + 4;
    const auto end = function.find_first_of(";]", start);
    return function.substr(start, end == std::string_view::npos ? end : end - start);
}

/// Returns the name of a type as a person would write it, as far as the compiler tells.
template <class T>
[[nodiscard]] std::string type_name()
{
    std::string name{raw_type_name<T>()};
    const auto replace = [&name](std::string_view from, std::string_view to) {
        for (auto at = name.find(from); at != std::string::npos; at = name.find(from, at + to.size()))
            name.replace(at, from.size(), to);
    };
    replace("std::__cxx11::", "std::");
    replace("std::__1::", "std::");
    replace("std::basic_string<char>", "std::string");
    return name;
}

}  // namespace agdf::detail
