// What is not a template, compiled once: the source of the CMake target agdf::compiled.

#include <agdf/agdf.hpp>

#include <agdf/impl/blocking_pool.ipp>
#include <agdf/impl/blueprint.ipp>
#include <agdf/impl/body_worker.ipp>
#include <agdf/impl/error.ipp>
#include <agdf/impl/graph_core.ipp>
#include <agdf/impl/hook.ipp>
#include <agdf/impl/item_function.ipp>
#include <agdf/impl/lane.ipp>
#include <agdf/impl/node_run.ipp>
#include <agdf/impl/node_spec.ipp>
#include <agdf/impl/picture.ipp>
#include <agdf/impl/policies.ipp>
#include <agdf/impl/rate_limiter.ipp>
#include <agdf/impl/report.ipp>
#include <agdf/impl/retry.ipp>
#include <agdf/impl/run.ipp>
#include <agdf/impl/run_watch.ipp>
#include <agdf/impl/semaphore.ipp>
#include <agdf/impl/sequencer.ipp>
#include <agdf/impl/shutdown.ipp>
#include <agdf/impl/sleep.ipp>
#include <agdf/impl/sleep_queue.ipp>
#include <agdf/impl/start.ipp>
#include <agdf/impl/stats_logger.ipp>
#include <agdf/impl/timer.ipp>
#include <agdf/impl/worker_base.ipp>
#include <agdf/impl/worker_clock.ipp>

namespace agdf::detail {

template class Getting<Envelope<Unit>>;
template class Putting<Envelope<Unit>>;
template class Ring<Parcel<Unit>>;
template class ChannelCore<Envelope<Unit>>;
template class Inbox<Envelope<Unit>>;
template class NodeInput<void>;
template class PoliciesFor<void>;
template class Ring<std::size_t>;
template std::shared_ptr<Plain> share_shape(Plain);

template std::shared_ptr<Watch> make_signal_watch<bool>(const asio::any_io_executor&, std::chrono::steady_clock::duration,
                                                        std::weak_ptr<RunControl>);
template std::shared_ptr<Watch> make_stall_watch<StallAfter::Duration>(const asio::any_io_executor&, std::chrono::steady_clock::duration,
                                                                       std::weak_ptr<RunControl>);
template std::shared_ptr<SemaphoreState> make_semaphore<Token>(std::size_t);
template asio::awaitable<Permit> no_permit();
template std::shared_ptr<RateLimiterState> make_rate_limiter<Unit>(const RateLimit&);
template void set_rate_limit(RateLimiterState*, const RateLimit&);
template asio::awaitable<void> no_wait();
template asio::awaitable<void> sleep(std::chrono::steady_clock::duration);
template std::shared_ptr<Ticker> make_stats_ticker(std::shared_ptr<GraphCore>, const asio::any_io_executor&, StatsLoggerOptions);
template std::string draw_mermaid(const GraphCore&);
template std::string draw_dot(const GraphCore&);

}  // namespace agdf::detail

template class std::vector<agdf::detail::Envelope<agdf::detail::Unit>>;
template class std::unique_ptr<agdf::detail::BesideBuffer>;
template class std::unique_ptr<const agdf::detail::EdgeMaker>;
template class std::unique_ptr<const agdf::detail::NodeSpec>;
template class std::unique_ptr<agdf::detail::NodeRun>;
template class std::unique_ptr<agdf::detail::Policies>;
template class std::unique_ptr<agdf::detail::Sequencer>;
template class std::unique_ptr<agdf::detail::WorkerBase>;
