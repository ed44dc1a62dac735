#pragma once

// What a graph should make of any order of edits, said as plainly as possible: names, edges, and a search for cycles that
// starts anew each time.

#include <algorithm>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

namespace fuzz {

/// What an edge carries: numbers, or items that can only be moved.
enum class Kind { source, step, sink, letters, movable_source, movable_step, movable_sink, whole, zip, zip_input };

class Model {
public:
    struct Node {
        std::string name;
        Kind kind;
    };
    struct Edge {
        std::size_t from, to;
        std::string label;
        int group;  // which partition or balance drew it; 0 = none
    };

    [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
    [[nodiscard]] const std::vector<Edge>& edges() const noexcept { return edges_; }

    [[nodiscard]] std::size_t find(const std::string& name) const
    {
        const auto found =
            std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.name == name; });
        return static_cast<std::size_t>(found - nodes_.begin());
    }
    [[nodiscard]] bool knows(const std::string& name) const { return find(name) < nodes_.size(); }

    std::size_t add_node(const std::string& name, Kind kind)
    {
        nodes_.push_back({name, kind});
        return nodes_.size() - 1;
    }

    void add_edge(std::size_t from, std::size_t to, const std::string& label, int group = 0)
    {
        edges_.push_back({from, to, label, group});
    }

    [[nodiscard]] bool has_edge(std::size_t from, std::size_t to, const std::string& label) const
    {
        return std::any_of(edges_.begin(), edges_.end(),
                           [&](const Edge& edge) { return edge.from == from && edge.to == to && edge.label == label; });
    }

    [[nodiscard]] bool is_joined(const std::string& from, const std::string& to) const
    {
        return std::any_of(edges_.begin(), edges_.end(), [&](const Edge& edge) {
            return nodes_[edge.from].name == from && nodes_[edge.to].name == to;
        });
    }

    /// Whether an edge would close a cycle: whether there is a way back.
    [[nodiscard]] bool closes_cycle(std::size_t from, std::size_t to) const
    {
        std::vector<bool> seen(nodes_.size());
        return reaches(to, from, seen);
    }

    [[nodiscard]] static bool moves_only(Kind kind)
    {
        return kind == Kind::movable_source || kind == Kind::movable_step;
    }

    /// Whether an edge for these items would need a copy that nobody can make.
    [[nodiscard]] bool needs_copy(std::size_t from, int group) const
    {
        return moves_only(nodes_[from].kind) && std::any_of(edges_.begin(), edges_.end(), [&](const Edge& edge) {
                   return edge.from == from && edge.label != "error" && !(group != 0 && edge.group == group);
               });
    }

    [[nodiscard]] bool is_fed(std::size_t node) const
    {
        return std::any_of(edges_.begin(), edges_.end(),
                           [&](const Edge& edge) { return edge.to == node && edge.label != "input"; });
    }

private:
    [[nodiscard]] bool reaches(std::size_t at, std::size_t goal, std::vector<bool>& seen) const
    {
        if (at == goal)
            return true;
        seen[at] = true;
        return std::any_of(edges_.begin(), edges_.end(), [&](const Edge& edge) {
            return edge.from == at && !seen[edge.to] && reaches(edge.to, goal, seen);
        });
    }

    std::vector<Node> nodes_;
    std::vector<Edge> edges_;
};

}  // namespace fuzz
