#pragma once

// A small reader of the two notations in which a graph is drawn: what it does not know it refuses, and it knows only what a
// drawing without tricks consists of.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace fuzz {

struct Picture {
    std::vector<std::pair<std::size_t, std::string>> nodes;                  // number, label
    std::multiset<std::tuple<std::size_t, std::size_t, std::string>> edges;  // from, to, label
};

/// Takes a text apart from its front.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    [[nodiscard]] bool is_at_end() const noexcept { return text_.empty(); }

    bool take(std::string_view word)
    {
        if (!text_.starts_with(word))
            return false;
        text_.remove_prefix(word.size());
        return true;
    }

    std::optional<std::size_t> number()
    {
        std::size_t digits = 0;
        std::size_t value = 0;
        for (; digits < text_.size() && digits < 9 && text_[digits] >= '0' && text_[digits] <= '9'; ++digits)
            value = 10 * value + static_cast<std::size_t>(text_[digits] - '0');
        text_.remove_prefix(digits);
        return digits == 0 ? std::nullopt : std::optional{value};
    }

    std::optional<char> character()
    {
        if (text_.empty())
            return std::nullopt;
        const char c = text_.front();
        text_.remove_prefix(1);
        return c;
    }

    std::string letters()
    {
        std::string word;
        while (!text_.empty() && text_.front() >= 'a' && text_.front() <= 'z')
            word += *character();
        return word;
    }

private:
    std::string_view text_;
};

/// A node's or an edge's line begins with a node: "    n7".
inline std::optional<std::size_t> read_node(Scanner& scanner)
{
    return scanner.take("    n") ? scanner.number() : std::nullopt;
}

/// Reads a quoted label of Mermaid, after its first quote. A character that means anything in Mermaid, in Markdown, in
/// HTML, in TeX or as an icon must be an entity.
inline std::optional<std::string> read_mermaid_label(Scanner& scanner)
{
    std::string label;
    for (;;) {
        if (scanner.take("\"]"))
            return label;
        if (scanner.take("<br/>")) {
            label += '\n';
            continue;
        }
        if (scanner.take("#")) {
            const auto code = scanner.number();
            if (!code || *code < 0x20 || *code > 0x7e || !scanner.take(";"))
                return std::nullopt;
            label += static_cast<char>(*code);
            continue;
        }
        const auto c = scanner.character();
        if (!c || static_cast<unsigned char>(*c) < 0x20 ||
            std::string_view{"\"#&<>;`\\*_~[](){}|%@:$\x7f"}.find(*c) != std::string_view::npos)
            return std::nullopt;
        label += *c;
    }
}

/// Reads a flowchart; empty if it is none.
inline std::optional<Picture> read_mermaid(std::string_view text)
{
    Scanner scanner{text};
    Picture picture;
    if (!scanner.take("flowchart LR\n"))
        return std::nullopt;
    while (!scanner.is_at_end()) {
        const auto node = read_node(scanner);
        if (!node)
            return std::nullopt;
        if (scanner.take("[\"")) {
            auto label = read_mermaid_label(scanner);
            if (!label)
                return std::nullopt;
            picture.nodes.emplace_back(*node, std::move(*label));
        } else {
            std::string label;
            if (scanner.take(" -- "))
                label = scanner.letters();
            if (!scanner.take(" --> n"))
                return std::nullopt;
            const auto to = scanner.number();
            if (!to)
                return std::nullopt;
            picture.edges.emplace(*node, *to, label);
        }
        if (!scanner.take("\n"))
            return std::nullopt;
    }
    return picture;
}

/// Reads a quoted label of DOT, after its first quote: escapes of one letter, and HTML's entities, of which none but the
/// ampersand's is needed.
inline std::optional<std::string> read_dot_label(Scanner& scanner)
{
    std::string label;
    for (;;) {
        if (scanner.take("\""))
            return label;
        if (scanner.take("\\n")) {
            label += '\n';
            continue;
        }
        if (scanner.take("&")) {
            if (!scanner.take("amp;"))
                return std::nullopt;
            label += '&';
            continue;
        }
        if (scanner.take("\\")) {
            const auto c = scanner.character();
            if (!c || (*c != '"' && *c != '\\'))
                return std::nullopt;
            label += *c;
            continue;
        }
        const auto c = scanner.character();
        if (!c || static_cast<unsigned char>(*c) < 0x20 || *c == '\x7f')
            return std::nullopt;
        label += *c;
    }
}

/// Reads a digraph; empty if it is none.
inline std::optional<Picture> read_dot(std::string_view text)
{
    Scanner scanner{text};
    Picture picture;
    if (!scanner.take("digraph agdf {\n    rankdir=LR;\n    node [shape=box];\n"))
        return std::nullopt;
    while (!scanner.take("}\n")) {
        const auto node = read_node(scanner);
        if (!node)
            return std::nullopt;
        if (scanner.take(" [label=\"")) {
            auto label = read_dot_label(scanner);
            if (!label || !scanner.take("]"))
                return std::nullopt;
            picture.nodes.emplace_back(*node, std::move(*label));
        } else {
            const auto to = scanner.take(" -> n") ? scanner.number() : std::nullopt;
            if (!to)
                return std::nullopt;
            std::string label;
            if (scanner.take(" [label=\"")) {
                label = scanner.letters();
                if (!scanner.take("\"]"))
                    return std::nullopt;
            }
            picture.edges.emplace(*node, *to, label);
        }
        if (!scanner.take(";\n"))
            return std::nullopt;
    }
    if (!scanner.is_at_end())
        return std::nullopt;
    return picture;
}

}  // namespace fuzz
