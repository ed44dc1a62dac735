#include "plan.hpp"

#include <fmt/core.h>

#include <sstream>
#include <stdexcept>
#include <tuple>

namespace graphs {

namespace {

constexpr std::array<ShapeFacts, static_cast<std::size_t>(Shape::count)> shapes = {{
    {.name = "source", .takes = Takes::nothing, .yields = Yields::item, .streams = true, .sleeps = true},
    {.name = "make", .takes = Takes::nothing, .yields = Yields::item},
    {.name = "make_awaitable", .takes = Takes::nothing, .yields = Yields::item, .sleeps = true},
    {.name = "call", .takes = Takes::nothing, .yields = Yields::nothing},
    {.name = "stream", .takes = Takes::item, .yields = Yields::item, .streams = true, .sleeps = true},
    {.name = "awaitable", .takes = Takes::item, .yields = Yields::item, .sleeps = true},
    {.name = "awaitable_optional", .takes = Takes::item, .yields = Yields::item, .filters = true, .sleeps = true},
    {.name = "awaitable_void", .takes = Takes::item, .yields = Yields::nothing, .sleeps = true},
    {.name = "plain", .takes = Takes::item, .yields = Yields::item},
    {.name = "plain_ref", .takes = Takes::item, .yields = Yields::item},
    {.name = "plain_optional", .takes = Takes::item, .yields = Yields::item, .filters = true},
    {.name = "plain_void", .takes = Takes::item, .yields = Yields::nothing},
    {.name = "blocking", .takes = Takes::item, .yields = Yields::item, .blocking = true},
    {.name = "blocking_optional", .takes = Takes::item, .yields = Yields::item, .filters = true, .blocking = true},
    {.name = "blocking_void", .takes = Takes::item, .yields = Yields::nothing, .blocking = true},
    {.name = "whole", .takes = Takes::item, .yields = Yields::item, .whole = true, .streams = true, .sleeps = true},
    {.name = "whole_sink", .takes = Takes::item, .yields = Yields::nothing, .whole = true, .sleeps = true},
    {.name = "two", .takes = Takes::item, .yields = Yields::item, .whole = true, .two = true, .streams = true, .sleeps = true},
    {.name = "batch", .takes = Takes::item, .yields = Yields::items, .whole = true, .piece = true},
    {.name = "window", .takes = Takes::item, .yields = Yields::items, .whole = true, .piece = true},
    {.name = "reduce", .takes = Takes::item, .yields = Yields::total, .whole = true, .piece = true},
    {.name = "dedupe", .takes = Takes::item, .yields = Yields::item, .whole = true, .piece = true},
    {.name = "zip", .takes = Takes::item, .yields = Yields::pair, .whole = true, .two = true, .piece = true},
    {.name = "dead_sink", .takes = Takes::failed, .yields = Yields::nothing},
    {.name = "dead_stream", .takes = Takes::failed, .yields = Yields::item, .streams = true, .sleeps = true},
    {.name = "dead_void", .takes = Takes::failed_nothing, .yields = Yields::nothing},
}};

constexpr std::string_view edge_names[] = {"plain", "named", "where", "map", "partition", "balance", "error"};
constexpr std::string_view action_names[] = {"stop", "cancel", "pause", "resume", "stats", "destroy_graph", "destroy_context"};

/// Numbers that stand for a name are printed as one.
[[nodiscard]] std::string_view name_of_value(std::string_view part, std::string_view field, Number value)
{
    if (part == "node" && field == "shape" && value < shapes.size())
        return shapes[value].name;
    if (part == "edge" && field == "kind" && value < std::size(edge_names))
        return edge_names[value];
    if (part == "action" && field == "kind" && value < std::size(action_names))
        return action_names[value];
    return {};
}

[[nodiscard]] Number value_of(std::string_view part, std::string_view field, const std::string& text)
{
    for (Number i = 0; i < 64; ++i)
        if (name_of_value(part, field, i) == text)
            return i;
    std::size_t used = 0;
    const Number value = text.empty() || text.front() < '0' || text.front() > '9' ? 0 : std::stoull(text, &used);
    if (used == 0 || used != text.size())
        throw std::runtime_error(fmt::format("'{}={}' of a {}: the value is not known. Expected: a number or a name. Correct it.", field, text, part));
    return value;
}

template <class Part>
void print_part(std::string& text, std::string_view name, std::size_t index, const Part& part)
{
    text += name;
    if (name == "node")
        text += fmt::format(" {}", index);
    Part::each([&](std::string_view field, auto member) {
        const bool always = field == "shape" || field == "kind" || field == "from" || field == "to";
        if (part.*member == Part{}.*member && !always)
            return;
        const std::string_view known = name_of_value(name, field, part.*member);
        text += known.empty() ? fmt::format(" {}={}", field, part.*member) : fmt::format(" {}={}", field, known);
    });
    text += "\n";
}

template <class Part>
[[nodiscard]] Part parse_part(std::string_view name, std::istringstream& words)
{
    Part part;
    for (std::string word; words >> word;) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos)
            continue;  // the number of a node
        bool found = false;
        Part::each([&](std::string_view field, auto member) {
            if (field != word.substr(0, equals))
                return;
            found = true;
            part.*member = value_of(name, field, word.substr(equals + 1));
        });
        if (!found)
            throw std::runtime_error(fmt::format("'{}' of a {}: there is no such field. Expected: those of plan.hpp. Correct it.", word, name));
    }
    return part;
}

}  // namespace

const ShapeFacts& facts_of(Shape shape) { return shapes.at(static_cast<std::size_t>(shape)); }
std::string_view name_of(EdgeKind kind) { return edge_names[static_cast<std::size_t>(kind)]; }
std::string_view name_of(ActionKind kind) { return action_names[static_cast<std::size_t>(kind)]; }

std::string print(const Plan& plan)
{
    std::string text;
    print_part(text, "graph", 0, plan.options);
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        print_part(text, "node", i, plan.nodes[i]);
    for (const EdgePlan& edge : plan.edges)
        print_part(text, "edge", 0, edge);
    for (const ActionPlan& action : plan.actions)
        print_part(text, "action", 0, action);
    return text;
}

Plan parse(const std::string& text)
{
    Plan plan;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string part;
        words >> part;
        if (part == "graph")
            plan.options = parse_part<OptionsPlan>(part, words);
        else if (part == "node")
            plan.nodes.push_back(parse_part<NodePlan>(part, words));
        else if (part == "edge")
            plan.edges.push_back(parse_part<EdgePlan>(part, words));
        else if (part == "action")
            plan.actions.push_back(parse_part<ActionPlan>(part, words));
        else if (!part.empty() && part.front() != '#')
            throw std::runtime_error(fmt::format("'{}': not a line of a plan. Expected: graph, node, edge, action or #. Correct it.", line));
    }
    normalise(plan);
    return plan;
}

}  // namespace graphs
