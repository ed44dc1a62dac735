#pragma once

// Floor 3: how a node and a graph are set up.

#include <agdf/error.hpp>

#include <cstddef>

namespace agdf {

/// What happens to the run when an item fails.
enum class OnError {
    inherit,  ///< as the graph says
    skip,     ///< the item is recorded, logged and skipped; the run goes on
    halt      ///< the run ends now; what is queued is discarded and counted as undelivered
};

/// The options of a node. An aggregate: write only what differs, `{.workers = 4}`.
struct NodeOptions {
    std::size_t workers = 1;            ///< invocations of the body that may be under way at once
    std::size_t queue_size = 1'024;     ///< items that may wait at this node
    OnError on_error = OnError::inherit;
};

/// The options of a graph. An aggregate: `Graph graph{io, {.threads = 2}}`.
struct GraphOptions {
    /// 1 = all bodies on one strand, never two at the same time; n = the workers of a node may run in parallel.
    std::size_t threads = 1;
    OnError on_error = OnError::skip;
    std::size_t max_exceptions = 1'000;  ///< exceptions kept per node, the newest
    Log log = {};                        ///< where log lines go; empty = to stderr
    std::size_t blocking_threads = 32;   ///< calls in the blocking pool that may be under way at once
};

}  // namespace agdf
