// A graph whose calls go through the blocking pool, behind the one function that the library shows.

#include <agdf/agdf.hpp>

#include <chrono>

extern "C" [[gnu::visibility("default")]] int items_through_a_graph();

namespace {

constexpr int items = 5;

agdf::Stream<int> numbers()
{
    for (int i = 0; i < items; ++i) {
        co_await agdf::sleep_for(std::chrono::milliseconds(1));
        co_yield i;
    }
}

}  // namespace

int items_through_a_graph()
{
    asio::io_context io;
    agdf::Graph graph{io, {.threads = 2}};
    int arrived = 0;
    auto source = graph.add_node("source", numbers);
    auto call = graph.add_node("call", agdf::blocking([](int x) { return x; }), {.workers = 2});
    auto sink = graph.add_node("sink", [&arrived](int) { ++arrived; });
    source >> call >> sink;
    graph.run().throw_if_failed();
    return arrived == items ? 0 : 1;
}
