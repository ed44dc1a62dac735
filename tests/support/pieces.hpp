#pragma once

// What tests of the ready-made bodies share.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

namespace test {

[[nodiscard]] inline std::vector<int> up_to(int n)
{
    std::vector<int> numbers(static_cast<std::size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

/// Returns what a body makes of the items.
template <class Results, class Body, class Item>
[[nodiscard]] Results results_of(Body body, std::vector<Item> items, agdf::NodeOptions options = {})
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Results results;
    graph.add_node("items", agdf::from_range(std::move(items))) >> graph.add_node("piece", std::move(body), options) >>
        graph.add_node("results", agdf::collect(results));
    REQUIRE(graph.run().outcome == agdf::Outcome::completed);
    return results;
}

/// Yields each number at its time, in seconds since the beginning.
inline agdf::Stream<int> at(std::vector<std::pair<int, int>> times)
{
    int passed = 0;
    for (const auto& [second, number] : times) {
        if (second > passed)
            co_await agdf::sleep_for(std::chrono::seconds(second - passed));
        passed = second;
        co_yield number;
    }
}

/// Returns what a body makes of items that come at certain times, with the second in which each result came.
template <class Result, class Body>
[[nodiscard]] std::vector<std::pair<long, Result>> timed_results_of(Body body, std::vector<std::pair<int, int>> times)
{
    Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::pair<long, Result>> results;
    auto sink = graph.add_node<Result>("sink", [&](Result result) {
        results.emplace_back(std::chrono::duration_cast<std::chrono::seconds>(time.elapsed()).count(), std::move(result));
    });
    graph.add_node("items", [times] { return at(times); }) >> graph.add_node("piece", std::move(body)) >> sink;
    REQUIRE(graph.run().outcome == agdf::Outcome::completed);
    return results;
}

}  // namespace test
