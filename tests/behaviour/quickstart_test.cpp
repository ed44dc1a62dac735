// The first programs: the one of the README, and the quickstart of async-graph-data-flow.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <tuple>
#include <vector>

namespace {

std::vector<std::string> printed;

agdf::Stream<std::string> extract()
{
    co_yield "hello";
    co_yield "world";
}

agdf::Stream<std::string> transform(std::string text)
{
    co_await agdf::sleep_for(std::chrono::milliseconds(1));
    text.front() = static_cast<char>(std::toupper(text.front()));
    co_yield text;
}

asio::awaitable<void> load(std::string text)
{
    printed.push_back(text);
    co_return;
}

using Two = std::tuple<std::string, std::string>;

agdf::Stream<std::string> func1()
{
    for (int i = 0; i < 3; ++i) {
        std::string data = "data" + std::to_string(i);
        co_yield data;
    }
}

agdf::Stream<std::string> func2(std::string data)
{
    data += "-2";
    co_yield data;
}

agdf::Stream<Two> func3(std::string data)
{
    Two both{data + "-3", "2nd arg"};
    co_yield both;
}

agdf::Stream<Two> func4(std::string data)
{
    Two both{data + "-4", "2nd arg"};
    co_yield both;
}

asio::awaitable<void> func5(std::string data1, std::string data2)
{
    printed.push_back(data1 + "/" + data2);
    co_return;
}

}  // namespace

TEST_CASE("the first program of the design runs as it is written", "[quickstart]")
{
    test::Watchdog watchdog;
    printed.clear();
    asio::io_context io;
    agdf::Graph graph{io};

    auto extracted = graph.add_node("extract", extract, {.queue_size = 1'000});
    auto transformed = graph.add_node("transform", transform, {.workers = 2});
    auto loaded = graph.add_node("load", load);
    graph.add_edge(extracted, transformed);
    graph.add_edge(transformed, loaded);

    agdf::RunReport report = graph.run();
    CHECK(report.exit_code() == 0);
    std::sort(printed.begin(), printed.end());
    CHECK(printed == std::vector<std::string>{"Hello", "World"});
}

TEST_CASE("the original's quickstart, a diamond of five functions, gives the same results in any order of adding", "[quickstart]")
{
    test::Watchdog watchdog;
    const bool sink_first = GENERATE(false, true);
    printed.clear();
    asio::io_context io;
    agdf::Graph graph{io};
    if (sink_first) {
        graph.add_node("func5", func5);
        graph.add_node("func4", func4);
    }
    graph.add_node("func1", func1);
    graph.add_node("func2", func2);
    graph.add_node("func3", func3);
    if (!sink_first) {
        graph.add_node("func4", func4);
        graph.add_node("func5", func5);
    }
    graph.add_edge("func1", "func2");
    graph.add_edge("func2", "func3");
    graph.add_edge("func2", "func4");
    graph.add_edge("func3", "func5");
    graph.add_edge("func4", "func5");
    const agdf::RunReport report = graph.run();
    CHECK(report.exit_code() == 0);
    std::sort(printed.begin(), printed.end());
    CHECK(printed == std::vector<std::string>{"data0-2-3/2nd arg", "data0-2-4/2nd arg", "data1-2-3/2nd arg", "data1-2-4/2nd arg",
                                              "data2-2-3/2nd arg", "data2-2-4/2nd arg"});
    CHECK(report.node("func2").in == 3);
    CHECK(report.node("func2").out == 3);
    CHECK(report.node("func5").in == 6);
    CHECK(report.node("func5").out == 0);
}
