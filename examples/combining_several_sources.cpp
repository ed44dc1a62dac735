// Three sources are joined item by item.
//
// Prints three times "threes yielding 3", four times "fours yielding 4", five times "fives yielding 5", three times
// "Final node received 3, 4, 5", as long as all three have an item, and what found no partner: "Left over: 0, 1, 2".

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <chrono>
#include <string>

agdf::Stream<int> repeat(std::string name, int number) {
    for (int i = 0; i < number; ++i) {
        co_await agdf::sleep_for(std::chrono::milliseconds(1));
        fmt::print("{} yielding {}\n", name, number);
        co_yield number;
    }
}

void final_node(int first, int second, int third) {  // a tuple is unpacked
    fmt::print("Final node received {}, {}, {}\n", first, second, third);
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto threes = graph.add_node("threes", [] { return repeat("threes", 3); });
    auto fours = graph.add_node("fours", [] { return repeat("fours", 4); });
    auto fives = graph.add_node("fives", [] { return repeat("fives", 5); });
    auto combined = graph.add_node("combine", agdf::zip<int, int, int>());
    graph.add_edge(threes, combined.input<0>());  // each input has a queue of its own
    graph.add_edge(fours, combined.input<1>());
    graph.add_edge(fives, combined.input<2>());
    combined >> graph.add_node("final_node", final_node);

    const agdf::RunReport report = graph.run();
    const auto left_over = [&report](const char* input) { return report.node(input).undelivered; };
    fmt::print("Left over: {}, {}, {}\n", left_over("combine"), left_over("combine[1]"), left_over("combine[2]"));
    return report.exit_code();
}
