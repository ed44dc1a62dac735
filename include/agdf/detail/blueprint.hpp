#pragma once

// Floor 5: what a graph consists of, without the types of its items: nodes, edges, and that they form no cycle.

#include <agdf/detail/node_spec.hpp>
#include <agdf/error.hpp>
#include <agdf/node.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace agdf::detail {

/// Throws with a text that says what is wrong.
using Fail = std::function<void(const std::string& what)>;

/// Calls `fail` if an option is out of its range.
AGDF_DECL void check_range(const Fail& fail, std::string_view option, std::size_t value, std::size_t least, std::size_t most);

/// The nodes and edges of a graph. What is refused changes nothing; all else stays.
class Blueprint {
public:
    Blueprint();
    Blueprint(const Blueprint&) = delete;
    Blueprint& operator=(const Blueprint&) = delete;
    ~Blueprint();

    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] const NodeSpec& node(std::size_t index) const noexcept { return *nodes_[index]; }
    [[nodiscard]] const std::shared_ptr<const NodeSpec>& shared_node(std::size_t index) const noexcept { return nodes_[index]; }
    [[nodiscard]] const std::vector<EdgeSpec>& edges_of(std::size_t index) const noexcept { return edges_[index]; }
    [[nodiscard]] const std::vector<std::size_t>& producers_of(std::size_t index) const noexcept { return producers_[index]; }
    /// The place of each among all nodes in an order in which all edges point forward.
    [[nodiscard]] std::vector<std::size_t> positions() const;
    [[nodiscard]] bool has_producers(std::size_t index) const noexcept { return edges_to_[index] > 0; }

    /// The nodes that take one item from each of their inputs at a time, as long as somebody wants to look at them.
    [[nodiscard]] std::vector<std::size_t>& zips() noexcept { return zips_; }
    /// Is called after each new edge while there are such nodes.
    void on_edge(std::function<void()> look) { on_edge_ = std::move(look); }

    /// Adds a node whose body has so many receivers beside the first; `add_input` must then succeed for each of them.
    std::size_t add_node(std::unique_ptr<const NodeSpec> node, std::size_t more_inputs = 0);

    [[nodiscard]] static std::string input_name(std::string_view node, std::size_t input);

    /// Adds a further queue of a node whose body has several receivers.
    std::size_t add_input(std::size_t node, std::unique_ptr<const NodeSpec> input);

    void add_edge(std::size_t from, std::size_t to, EdgeLabel label, std::unique_ptr<const EdgeMaker> maker);
    void add_edge(std::string_view from_name, std::string_view to_name);

    /// Calls what draws several edges, and takes them back if one of them is refused.
    void draw_all_or_none(const std::function<void()>& draw);

    void add_error_edge(std::size_t from, std::size_t to, std::unique_ptr<const EdgeMaker> maker);
    void add_error_edge(std::string_view from_name, std::string_view to_name);

    [[nodiscard]] std::size_t index_of(std::string_view function, std::string_view name) const;

    /// What is known of the nodes before any of them has run.
    ///
    /// Thread-safety: safe, also while nodes are added.
    [[nodiscard]] std::vector<NodeStats> stats() const;

private:
    static void check_policies(const Fail& fail, const NodeSpec& node);
    void add_checked(std::size_t from, std::size_t to, EdgeLabel label, std::unique_ptr<const EdgeMaker> maker, const Fail& fail);
    void take_back_last_edge();
    [[nodiscard]] const EdgeSpec* rival_of(std::size_t from, const EdgeMaker& maker) const;
    [[nodiscard]] std::string put_in_order(std::size_t from, std::size_t to);
    [[nodiscard]] std::string path(const std::unordered_map<std::size_t, std::size_t>& came_from, std::size_t from,
                                   std::size_t to, std::size_t node) const;

    mutable std::mutex growing_;
    std::vector<std::shared_ptr<const NodeSpec>> nodes_;
    std::vector<std::vector<EdgeSpec>> edges_;
    std::vector<std::vector<std::size_t>> producers_;
    std::vector<std::size_t> edges_to_;                       // how many, not those from further inputs
    std::vector<std::pair<std::size_t, std::size_t>> drawn_;  // all edges, in the order in which they were
    std::vector<std::size_t> zips_;
    std::function<void()> on_edge_;
    // Numbers that grow along all edges, with gaps, and the least and the greatest of them.
    std::vector<std::int64_t> order_;
    std::int64_t least_ = 0, greatest_ = 0;
    std::unordered_map<std::string, std::size_t> by_name_;
    std::unordered_set<std::uint64_t> plain_edges_;  // both ends in one number
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/blueprint.ipp>
#endif
