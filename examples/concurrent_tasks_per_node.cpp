// More workers for a slow node: five items one after the other, then all at once.
//
// Prints "node2 received 0" to 4 and the time it took, first with one worker (0.5 s), then with five (0.1 s).

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <chrono>

asio::awaitable<void> node2(int i) {
    co_await agdf::sleep_for(std::chrono::milliseconds(100));
    fmt::print("node2 received {}\n", i);
}

agdf::RunReport run(std::size_t workers) {
    asio::io_context io;
    agdf::Graph graph{io};
    auto first = graph.add_node("node1", agdf::from_range({0, 1, 2, 3, 4}));
    auto second = graph.add_node("node2", node2, {.workers = workers});  // as many calls may be under way at once
    first >> second;
    return graph.run();  // on this one thread: a worker that sleeps is a suspended coroutine
}

int main() {
    for (const std::size_t workers : {1u, 5u}) {
        fmt::print("workers: {}\n", workers);
        const agdf::RunReport report = run(workers);
        fmt::print("execution time: {:.1f} s\n\n", std::chrono::duration<double>(report.elapsed).count());
        if (report.exit_code() != 0)
            return report.exit_code();
    }
}
