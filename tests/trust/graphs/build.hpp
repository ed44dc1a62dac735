#pragma once

// From a plan to a graph.

#include "station.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace graphs {

/// Where a node is, whatever its types.
struct Place {
    std::size_t index = 0;
    std::size_t second = 0;  ///< its further input
};

/// A graph with all that its bodies note.
struct Built {
    std::shared_ptr<Common> common = std::make_shared<Common>();
    std::vector<std::shared_ptr<Station>> stations;
    std::vector<Place> places;
    std::optional<agdf::Graph<>> graph;

    /// Before each run.
    void begin_anew(bool threads);
    [[nodiscard]] agdf::detail::Blueprint& blueprint() { return graph->core()->blueprint; }
    template <class In, class Out>
    [[nodiscard]] agdf::Node<In, Out> node(Number index, Number port = 0)
    {
        const Place place = places[index];
        return {blueprint(), port == 0 ? place.index : place.second, place.index};
    }
};

/// Adds a node whose body is called for single items.
[[nodiscard]] Place add_item_node(Built& built, const std::shared_ptr<Station>& station, agdf::NodeOptions options);
/// Adds a node whose body sees its whole stream.
[[nodiscard]] Place add_whole_node(Built& built, const std::shared_ptr<Station>& station, agdf::NodeOptions options);
void add_edges(Built& built, const Plan& plan);

/// Makes the graph of a plan.
void build(Built& built, const Plan& plan, asio::io_context& io);
/// The start items of a plan.
[[nodiscard]] agdf::StartItems starts_of(Built& built, const Plan& plan);

}  // namespace graphs
