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
