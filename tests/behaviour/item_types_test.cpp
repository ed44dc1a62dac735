// Items of types that invite mistakes: lists of themselves, what converts from anything, and what acts on its own when it moves.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <any>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace {

using agdf::Outcome;
using List = std::vector<std::any>;  // which a list of lists is as well

agdf::Stream<List> three_lists()
{
    for (int i = 0; i < 3; ++i) {
        List list(static_cast<std::size_t>(i + 1), std::any{i});
        co_yield list;
    }
}

/// The sizes of the lists that arrive.
std::vector<std::size_t> sizes_after(agdf::NodeOptions source_options, agdf::NodeOptions step_options)
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::size_t> sizes;
    graph.add_node("source", three_lists, std::move(source_options)) >>
        graph.add_node("step", [](List list) { return list; }, std::move(step_options)) >>
        graph.add_node("sink", [&sizes](const List& list) { sizes.push_back(list.size()); });
    graph.run().throw_if_failed();
    return sizes;
}

/// As a value of JSON is: a container of its own type.
struct Tree : std::vector<Tree> {
    int number = 0;
};

/// Asks the graph for its statistics whenever it moves.
struct Asking {
    explicit Asking(std::function<void()>& ask_) : ask(&ask_) {}
    Asking(Asking&& other) noexcept : ask(other.ask)
    {
        if (*ask)
            (*ask)();
    }
    std::function<void()>* ask;
};

/// Its address is not to be had with `&`.
struct Hidden {
    int number = 0;
    Hidden* operator&() = delete;
    const Hidden* operator&() const = delete;
};

}  // namespace

TEST_CASE("an item that is a list stays as it is, also while it is kept back for a retry or for its turn", "[items][retry][ordered]")
{
    const std::vector<std::size_t> expected{1, 2, 3};
    CHECK(sizes_after({}, {}) == expected);
    CHECK(sizes_after({.retry = {.attempts = 2}}, {}) == expected);
    CHECK(sizes_after({}, {.retry = {.attempts = 2}}) == expected);
    CHECK(sizes_after({}, {.workers = 2, .ordered = true}) == expected);
}

TEST_CASE("an item may be a container of its own type, as a value of JSON is", "[items]")
{
    STATIC_REQUIRE(agdf::Item<Tree>);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto source = graph.add_node("source", [] {
        Tree tree;
        tree.number = 1;
        tree.push_back(tree);
        return tree;
    });
    source >> graph.add_node("left", [&sum](const Tree& tree) { sum += tree.number + tree.at(0).number; });
    source >> graph.add_node("right", [&sum](Tree tree) { sum += 10 * (tree.number + tree.at(0).number); });
    graph.run().throw_if_failed();
    CHECK(sum == 22);
}

TEST_CASE("an item that asks for the statistics while it moves gets them", "[items][stats]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int asked = 0;
    int arrived = 0;
    std::function<void()> ask = [&] { asked += graph.stats().size() == 2 ? 1 : 0; };
    auto source = graph.add_node("source", [&ask]() -> agdf::Stream<Asking> {
        for (int i = 0; i < 10; ++i) {
            Asking item{ask};
            co_yield std::move(item);
        }
    });
    source >> graph.add_node("sink", [&arrived](const Asking&) { ++arrived; }, {.queue_size = 1});
    graph.run().throw_if_failed();
    CHECK(arrived == 10);
    CHECK(asked > 10);
}

TEST_CASE("an item whose address is not to be had with & can be weighed, and ordered by key", "[items][weight][ordered]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<Hidden> {
        for (int i = 1; i <= 10; ++i) {
            Hidden item{i};
            co_yield std::move(item);
        }
    });
    source >> graph.add_node("sink", [&sum](const Hidden& item) { sum += item.number; },
                             {.workers = 2,
                              .ordered_by_key = [](const Hidden& item) { return item.number % 3; },
                              .queue_weight = {12, [](const Hidden& item) { return static_cast<std::size_t>(item.number); }}});
    graph.run().throw_if_failed();
    CHECK(sum == 55);
}
