// Every kind of body, on one thread.

#include "support.hpp"

#include <chrono>

using namespace faults;
using namespace std::chrono_literals;

namespace {

agdf::Stream<Counted> twice(Counted item)
{
    co_await agdf::sleep_for(0ms);
    co_yield item;
}

asio::awaitable<Counted> later(Counted item)
{
    co_await agdf::sleep_for(0ms);
    co_return item;
}

template <class Body>
void run_one(Body body, agdf::NodeOptions options = {}, std::size_t threads = 1)
{
    run_graph(quiet(threads), [&](agdf::Graph<>& graph, Sink& sink) {
        graph.add_node("source", source) >> graph.add_node("node", body, options) >>
            graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    });
}

const Add plain{"a plain function", [] { run_one([](Counted item) { return item; }); }};
const Add full_queue{"a plain function, queues of one", [] { run_one([](Counted item) { return item; }, {.queue_size = 1}); }};
const Add stream{"a stream", [] { run_one(twice); }};
const Add awaitable{"an awaitable", [] { run_one(later); }};
const Add blocking{"a blocking function", [] { run_one(agdf::blocking([](Counted item) { return item; })); }};
const Add whole_stream{"a body that sees its stream", [] { run_one(whole); }};

const Add plain_2{"a plain function, 2 threads", [] { run_one([](Counted item) { return item; }, {.workers = 2}, 2); }};
const Add stream_2{"a stream, 2 threads", [] { run_one(twice, {.workers = 2}, 2); }};
const Add awaitable_2{"an awaitable, 2 threads", [] { run_one(later, {.workers = 2}, 2); }};
const Add blocking_2{"a blocking function, 2 threads", [] { run_one(agdf::blocking([](Counted item) { return item; }), {.workers = 2}, 2); }};

}  // namespace
