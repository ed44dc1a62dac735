#pragma once

// The header fields of a request or of a response.

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agdf::http {

/// One header field.
struct Header {
    Header(std::string field, std::string content) : name(std::move(field)), value(std::move(content)) {}

    std::string name;
    std::string value;
};

/// Header fields in their order; names are compared without regard to case, repeated ones are kept.
///
///     agdf::http::Headers headers{{"Accept", "application/json"}};
///     headers.set("X-Page", "7");
class Headers {
public:
    using const_iterator = std::vector<Header>::const_iterator;

    Headers() = default;
    Headers(std::initializer_list<Header> fields) : fields_(fields) {}

    /// Adds a field after those that are there, also if one of the same name is among them.
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

    /// Puts a field in the place of all fields of the same name.
    void set(std::string name, std::string value)
    {
        remove(name);
        add(std::move(name), std::move(value));
    }

    /// Removes all fields of a name.
    void remove(std::string_view name)
    {
        std::erase_if(fields_, [name](const Header& field) { return is_same_name(field.name, name); });
    }

    /// Returns the value of the first field of a name, or nothing if there is none.
    [[nodiscard]] std::optional<std::string> get(std::string_view name) const
    {
        const auto field = find(name);
        return field == end() ? std::nullopt : std::optional<std::string>{field->value};
    }

    /// Returns the values of all fields of a name, in their order.
    [[nodiscard]] std::vector<std::string> get_all(std::string_view name) const
    {
        std::vector<std::string> values;
        for (const Header& field : fields_) {
            if (is_same_name(field.name, name))
                values.push_back(field.value);
        }
        return values;
    }

    /// Says whether there is a field of this name.
    [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name) != end(); }

    /// Counts the fields, repeated ones as often as they are there.
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }

    /// Says whether there is no field at all.
    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }

    /// Removes all fields.
    void clear() noexcept { fields_.clear(); }

    /// Starts a walk over all fields, in their order.
    [[nodiscard]] const_iterator begin() const noexcept { return fields_.begin(); }

    /// Ends that walk.
    [[nodiscard]] const_iterator end() const noexcept { return fields_.end(); }

private:
    [[nodiscard]] const_iterator find(std::string_view name) const noexcept
    {
        return std::find_if(begin(), end(), [name](const Header& field) { return is_same_name(field.name, name); });
    }

    // Not std::tolower, which depends on the locale.
    [[nodiscard]] static char lower(char c) noexcept
    {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }

    [[nodiscard]] static bool is_same_name(std::string_view a, std::string_view b) noexcept
    {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
    }

    std::vector<Header> fields_;
};

}  // namespace agdf::http
