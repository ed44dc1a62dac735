#pragma once

// Floor 1: what becomes of an item that finds a queue full.

#include <agdf/detail/config.hpp>

namespace agdf {

/// What happens when an item comes to a node whose queue is full. What is given up is counted as `dropped`.
enum class Overflow {
    wait,         ///< the producer suspends until there is room
    drop_newest,  ///< the item that comes is given up
    drop_oldest   ///< the item that has waited longest is given up for it
};

}  // namespace agdf
