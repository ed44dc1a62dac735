// The first program: two words go through three steps and come out with a capital.

#include <agdf/agdf.hpp>
#include <fmt/core.h>

agdf::Stream<std::string> extract() {            // a source: yields items, may co_await
    co_yield "hello";
    co_yield "world";
}

agdf::Stream<std::string> transform(std::string text) {   // 0..n outputs for each input
    co_await agdf::sleep_for(std::chrono::milliseconds(10));
    text.front() = static_cast<char>(std::toupper(text.front()));
    co_yield text;
}

asio::awaitable<void> load(std::string text) {   // a sink
    fmt::print("{}\n", text);
    co_return;
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};

    auto extracted   = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform, {.workers = 2});
    auto loaded      = graph.add_node("load", load);
    graph.add_edge(extracted, transformed);
    graph.add_edge(transformed, loaded);

    agdf::RunReport report = graph.run();        // runs io until the last item has left
    return report.exit_code();
}
