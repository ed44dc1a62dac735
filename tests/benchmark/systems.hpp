#pragma once

// Each workload in each system: a program that returns its sum.

#include "measure.hpp"
#include "work.hpp"

namespace benchmark {

/// By hand: ring buffers in a loop, batch by batch. Nothing that moves items through queues can be expected to beat it.
namespace limit {
Int w1(const Setup&);
Int w1_two_threads(const Setup&);
Int w2(const Setup&);
Int w3(const Setup&);
Int w4(const Setup&);
Int w4_serial(const Setup&);
Int w5(const Setup&);
Int w5_depth_first(const Setup&);
Int w6(const Setup&);
Int w7(const Setup&);
}  // namespace limit

namespace with_agdf {
Int w1(const Setup&);
Int w1_stream(const Setup&);
Int w1_awaitable(const Setup&);
Int w2(const Setup&);
Int w3(const Setup&);
Int w4(const Setup&);
Int w5(const Setup&);
Int w6(const Setup&);
Int w7(const Setup&);

/// How cost grows. These stop the meter themselves, so that they are about the flow and not about setting up.
Int chain(Int items, std::size_t hops, Meter&);
Int many_workers(Int items, std::size_t workers, Meter&);
/// W1 while another thread asks for the statistics a thousand times a second.
Int w1_watched(const Setup&);
Int w1_unwatched(const Setup&);
/// Heavy items from a source that is always ahead of a sink that sleeps.
Int producer_ahead(Int items);

/// Bytes in use while all wait: what another worker, and another edge, of a graph at rest costs.
double bytes_of_an_idle_worker();
double bytes_of_an_idle_edge();
/// A chain of so many nodes is built, run with one item and destroyed.
Int long_chain(Int nodes);
/// A graph is built, each node with edges to the next ten, and not run. Returns the number of edges.
Int build_edges(Int nodes);
}  // namespace with_agdf

/// Asio's channels as one writes them first.
namespace asio_naive {
Int w1(const Setup&);
Int w1_two_threads(const Setup&);
Int w2(const Setup&);
Int w3(const Setup&);
Int w4(const Setup&);
Int w5(const Setup&);
Int w6(const Setup&);
Int w7(const Setup&);
}  // namespace asio_naive

/// Asio's channels as an expert tunes them.
namespace asio_tuned {
Int w1(const Setup&);
Int w1_two_threads(const Setup&);
Int w2(const Setup&);
Int w3(const Setup&);
Int w4(const Setup&);
Int w5(const Setup&);
Int w6(const Setup&);
Int w7(const Setup&);
}  // namespace asio_tuned

#ifdef AGDF_BENCHMARK_TBB
namespace tbb_graph {
Int w1_lightweight(const Setup&);
Int w1_limited(const Setup&);
Int w2(const Setup&);
Int w3(const Setup&);
Int w4(const Setup&);
Int w5(const Setup&);
Int w6(const Setup&);
Int w7(const Setup&);
}  // namespace tbb_graph

namespace tbb_pipeline {
Int w1(const Setup&);
Int w4(const Setup&);
Int w5(const Setup&);
}  // namespace tbb_pipeline
#endif

}  // namespace benchmark
