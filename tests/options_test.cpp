// Options out of range are refused in a sentence that names the place, the value and the range.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <limits>
#include <string>

namespace {

using Catch::Matchers::ContainsSubstring;
using test::graph_error_of;

std::string error_of_node(agdf::NodeOptions options)
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    return graph_error_of([&] { graph.add_node("parse", [](int) {}, options); });
}

std::string error_of_graph(const agdf::GraphOptions& options)
{
    asio::io_context io;
    return graph_error_of([&] { const agdf::Graph graph{io, options}; });
}

}  // namespace

TEST_CASE("an option of a node that is out of range is refused with the range", "[options]")
{
    CHECK(error_of_node({.workers = 0}) ==
          "agdf::Graph::add_node: node 'parse': the option .workers is 0. Expected: from 1 to 1000000. Set it in this range.");
    CHECK_THAT(error_of_node({.queue_size = 0}), ContainsSubstring("node 'parse': the option .queue_size is 0"));
    CHECK_THAT(error_of_node({.workers = std::numeric_limits<std::size_t>::max()}), ContainsSubstring("the option .workers is"));
    CHECK_THAT(error_of_node({.queue_size = std::numeric_limits<std::size_t>::max()}), ContainsSubstring("the option .queue_size is"));
    CHECK(error_of_node({.workers = 1, .queue_size = 1'000'000'000}).empty());
}

TEST_CASE("an option of a node that cannot work with another, or with its body, is refused with the reason", "[options]")
{
    using namespace std::chrono_literals;
    CHECK(error_of_node({.timeout = -1s}) ==
          "agdf::Graph::add_node: node 'parse': the option .timeout is negative. Expected: a duration, or zero for no limit. Set it in "
          "this range.");
    const auto sees_all = [](agdf::Receiver<int>) -> asio::awaitable<void> { co_return; };
    for (const agdf::NodeOptions& options :
         {agdf::NodeOptions{.retry = {.attempts = 2}}, agdf::NodeOptions{.timeout = 1s}, agdf::NodeOptions{.ordered = true}}) {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        CHECK_THAT(graph_error_of([&] { graph.add_node("sum", sees_all, options); }),
                   ContainsSubstring("node 'sum'") && ContainsSubstring("are about single items, but the body sees its whole stream. Expected: "
                                                                        "none of them here. Set them at a node whose body is called for each item."));
    }
}

TEST_CASE("an option of a graph that is out of range is refused with the range", "[options]")
{
    CHECK(error_of_graph({.threads = 0}) == "agdf::Graph: the option .threads is 0. Expected: from 1 to 1024. Set it in this range.");
    CHECK_THAT(error_of_graph({.blocking_threads = 0}), ContainsSubstring("agdf::Graph: the option .blocking_threads is 0"));
    CHECK(error_of_graph({.threads = 2, .on_error = agdf::OnError::inherit, .max_exceptions = 0}).empty());
}

TEST_CASE("a queue that may be huge costs nothing while it is empty", "[options]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const agdf::NodeOptions huge{.queue_size = 1'000'000'000};
    graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3})) >> graph.add_node("sink", [](int) {}, huge);
    CHECK(graph.run().exit_code() == 0);
}
