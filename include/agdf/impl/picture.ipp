#pragma once

// Floor 6: a graph as a picture.

#include <agdf/detail/fmt.hpp>
#include <agdf/picture.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace agdf::detail {

[[nodiscard]] inline std::string_view label_of(EdgeLabel label) noexcept
{
    switch (label) {
    case EdgeLabel::where:
        return "where";
    case EdgeLabel::map:
        return "map";
    case EdgeLabel::partition:
        return "partition";
    case EdgeLabel::balance:
        return "balance";
    case EdgeLabel::error:
        return "error";
    case EdgeLabel::input:
        return "input";
    case EdgeLabel::none:
        break;
    }
    return "";
}

[[nodiscard]] inline std::string counts_of(const NodeStats& stats)
{
    return fmt::format("in={} out={} err={}", stats.in, stats.out, stats.err);
}

/// Mermaid takes HTML entities in a quoted label, and nothing else that is safe: it looks there for HTML, for Markdown, for
/// formulas between $$, and for icons such as fa:fa-car.
[[nodiscard]] inline std::string escape_for_mermaid(std::string_view text)
{
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            escaped += "<br/>";
        else if (byte < 0x20 || byte == 0x7f)
            escaped += ' ';
        else if (byte < 0x80 && std::string_view{"\"#&<>;:`\\*_~[](){}|%@$"}.find(c) != std::string_view::npos)
            escaped += fmt::format("#{};", static_cast<unsigned>(byte));
        else
            escaped += c;
    }
    return escaped;
}

[[nodiscard]] inline std::string escape_for_dot(std::string_view text)
{
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            escaped += '\\';
        if (c == '\n')
            escaped += "\\n";
        else if (c == '&')
            escaped += "&amp;";  // Graphviz reads HTML's entities in every label
        else
            escaped += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
    return escaped;
}

template <class Core>
std::string draw_mermaid(const Core& core)
{
    const Blueprint& blueprint = core.blueprint;
    const std::vector<NodeStats> stats = core.has_run() ? core.stats() : std::vector<NodeStats>{};
    std::string text = "flowchart LR\n";
    for (std::size_t i = 0; i < blueprint.size(); ++i)
        text += fmt::format("    n{}[\"{}{}\"]\n", i, escape_for_mermaid(blueprint.node(i).name()),
                            i < stats.size() ? "<br/>" + counts_of(stats[i]) : "");
    for (std::size_t i = 0; i < blueprint.size(); ++i)
        for (const EdgeSpec& edge : blueprint.edges_of(i))
            text += edge.label == EdgeLabel::none ? fmt::format("    n{} --> n{}\n", i, edge.to)
                                                         : fmt::format("    n{} -- {} --> n{}\n", i, label_of(edge.label), edge.to);
    return text;
}

template <class Core>
std::string draw_dot(const Core& core)
{
    const Blueprint& blueprint = core.blueprint;
    const std::vector<NodeStats> stats = core.has_run() ? core.stats() : std::vector<NodeStats>{};
    std::string text = "digraph agdf {\n    rankdir=LR;\n    node [shape=box];\n";
    for (std::size_t i = 0; i < blueprint.size(); ++i)
        text += fmt::format("    n{} [label=\"{}{}\"];\n", i, escape_for_dot(blueprint.node(i).name()),
                            i < stats.size() ? "\\n" + counts_of(stats[i]) : "");
    for (std::size_t i = 0; i < blueprint.size(); ++i)
        for (const EdgeSpec& edge : blueprint.edges_of(i))
            text += edge.label == EdgeLabel::none ? fmt::format("    n{} -> n{};\n", i, edge.to)
                                                         : fmt::format("    n{} -> n{} [label=\"{}\"];\n", i, edge.to, label_of(edge.label));
    return text + "}\n";
}

}  // namespace agdf::detail
