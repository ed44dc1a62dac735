#pragma once

/// Async graph data flow: coroutines as the nodes of a graph, bounded channels between them.
///
/// This brings all of the core. Optional components, such as agdf/http/http.hpp, are included by themselves.

#include <agdf/channel.hpp>
#include <agdf/blocking.hpp>
#include <agdf/graph.hpp>
#include <agdf/picture.hpp>
#include <agdf/range.hpp>
#include <agdf/receiver.hpp>
#include <agdf/report.hpp>
#include <agdf/run.hpp>
#include <agdf/sleep.hpp>
#include <agdf/stats_logger.hpp>
#include <agdf/stream.hpp>
