#include "support/catch.hpp"
#include "support/graph.hpp"

#include <list>
#include <memory>
#include <ranges>
#include <set>
#include <string>
#include <vector>

using agdf::Outcome;
using test::Watchdog;

TEST_CASE("from_range yields the same elements in each run, whatever became of the range", "[range]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    {
        const std::list<std::string> range{"a", "b"};
        graph.add_node("letters", agdf::from_range(range)) >> graph.add_node("results", agdf::collect(results));
    }
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == std::vector<std::string>{"a", "b", "a", "b"});
}

TEST_CASE("from_range keeps elements in braces", "[range]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    const auto body = [] {
        const std::initializer_list<std::string> elements{"a", "b"};
        return agdf::from_range(elements);  // which are gone when it runs
    }();
    graph.add_node("letters", body) >> graph.add_node("results", agdf::collect(results));
    std::vector<bool> flags;
    graph.add_node("flags", agdf::from_range({true, false})) >> graph.add_node("all flags", agdf::collect(flags));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == std::vector<std::string>{"a", "b", "a", "b"});
    REQUIRE(flags == std::vector{true, false, true, false});
}

TEST_CASE("from_range moves elements out that cannot be copied", "[range]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::unique_ptr<int>> range;
    range.push_back(std::make_unique<int>(5));
    std::vector<std::unique_ptr<int>> results;
    graph.add_node("boxes", agdf::from_range(std::move(range))) >> graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results.size() == 1);
    REQUIRE(*results.front() == 5);
}

TEST_CASE("from_range fails in a second run, instead of yielding what is left of elements that were moved out", "[range]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::unique_ptr<int>> range;
    std::vector<std::unique_ptr<int>> results;
    SECTION("after a first that moved them out")
    {
        range.push_back(std::make_unique<int>(5));
        graph.add_node("boxes", agdf::from_range(std::move(range))) >> graph.add_node("results", agdf::collect(results));
        REQUIRE(graph.run().outcome == Outcome::completed);
        const auto report = graph.run();
        CHECK(report.outcome == Outcome::completed_with_errors);
        CHECK_THAT(test::text_of(report.first_error),
                   Catch::Matchers::ContainsSubstring("from_range") && Catch::Matchers::ContainsSubstring("Expected:"));
        CHECK(results.size() == 1);
    }
    SECTION("but not if there are none, or a view makes them anew")
    {
        graph.add_node("none", agdf::from_range(std::move(range))) >> graph.add_node("nothing", agdf::collect(results));
        auto made = std::views::iota(1, 3) | std::views::transform([](int n) { return std::make_unique<int>(n); });
        graph.add_node("made", agdf::from_range(made)) >> graph.add_node("results", agdf::collect(results));
        REQUIRE(graph.run().outcome == Outcome::completed);
        REQUIRE(graph.run().outcome == Outcome::completed);
        REQUIRE(results.size() == 4);
        CHECK(*results.back() == 2);
    }
}

TEST_CASE("collect fills any container that inserts", "[range]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::set<int> results;
    graph.add_node("numbers", agdf::from_range(std::vector{3, 1, 3})) >> graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == Outcome::completed);
    REQUIRE(results == std::set{1, 3});
}
