#pragma once

/// Async graph data flow: coroutines as the nodes of a graph, bounded channels between them.
///
/// This brings all of the core. Optional components, such as agdf/http/http.hpp, are included by themselves.

#include <agdf/batch.hpp>
#include <agdf/blocking.hpp>
#include <agdf/channel.hpp>
#include <agdf/dedupe.hpp>
#include <agdf/distribute.hpp>
#include <agdf/failed.hpp>
#include <agdf/graph.hpp>
#include <agdf/hook.hpp>
#include <agdf/item_function.hpp>
#include <agdf/join.hpp>
#include <agdf/options.hpp>
#include <agdf/overflow.hpp>
#include <agdf/per_worker.hpp>
#include <agdf/picture.hpp>
#include <agdf/range.hpp>
#include <agdf/rate_limiter.hpp>
#include <agdf/receiver.hpp>
#include <agdf/reduce.hpp>
#include <agdf/report.hpp>
#include <agdf/retry.hpp>
#include <agdf/run.hpp>
#include <agdf/semaphore.hpp>
#include <agdf/sleep.hpp>
#include <agdf/start.hpp>
#include <agdf/stats_logger.hpp>
#include <agdf/stream.hpp>
#include <agdf/window.hpp>
#include <agdf/zip.hpp>
