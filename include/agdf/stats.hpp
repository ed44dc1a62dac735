#pragma once

// Floor 1: the numbers of one node.

#include <agdf/detail/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace agdf {

/// What one node has done so far in one run; a snapshot.
///
/// Shape:  for a node with edges, `in` = items finished + `err` + `undelivered` + `dropped` + items `queued` or
///         under way. Start items are not part of `in`. An error that belongs to no item, of a source or of a body with
///         Receivers beyond its items, is one of `err` all the same.
/// Units:  counts are items; times are summed over the node's workers.
struct NodeStats {
    std::string name;                        ///< the node's name
    std::uint64_t in = 0;                    ///< items offered to it by other nodes
    std::uint64_t out = 0;                   ///< items it yielded, whatever the number of edges
    std::uint64_t err = 0;                   ///< items that failed for good
    std::uint64_t retried = 0;               ///< attempts that failed and were tried again
    std::uint64_t dropped = 0;               ///< items given up because the queue was full
    std::uint64_t undelivered = 0;           ///< items discarded: the run was cut short, or a body left them unread or gave them up
    std::size_t queued = 0;                  ///< items waiting now
    std::size_t queue_size = 0;              ///< items that may wait
    std::size_t queue_peak = 0;              ///< most items that ever waited
    std::size_t workers = 0;                 ///< invocations that may be under way at once
    std::size_t active = 0;                  ///< workers that are on an item now
    std::chrono::nanoseconds busy{};         ///< time its workers spent on items, permits and pauses before a retry among it; real time, as the next two
    std::chrono::nanoseconds idle{};         ///< time its workers waited for input
    std::chrono::nanoseconds blocked{};      ///< time its workers waited for room further down, or for their turn in an order
};

}  // namespace agdf
