// Keys that cannot be hashed: the ready-made bodies that keep items by key lose none of them silently.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Key {
    int number;
    bool operator==(const Key&) const = default;

    static inline int hashes = 0;
    static inline int fails_at = 0;
};

Key key_of(const int& n) { return {n % 4}; }
Key key_of_text(const std::string& text) { return {static_cast<int>(text.size()) % 4}; }

}  // namespace

template <>
struct std::hash<Key> {
    std::size_t operator()(const Key& key) const
    {
        if (++Key::hashes == Key::fails_at)
            throw std::runtime_error("no hash");
        return static_cast<std::size_t>(key.number);
    }
};

namespace {

std::vector<int> twelve()
{
    std::vector<int> numbers(12);
    std::iota(numbers.begin(), numbers.end(), 1);
    return numbers;
}

/// Runs a graph in which each hash fails in turn, up to the last item; `build` adds a node "keeps" and counts what comes of it.
template <class Build>
void fail_each_hash(Build build)
{
    int n = 1;
    for (bool failed = true; failed; ++n) {
        Key::hashes = 0;
        Key::fails_at = n;
        asio::io_context io;
        agdf::testing::VirtualTime time{io};
        agdf::Graph graph{io, test::quiet()};
        std::uint64_t left = 0;
        build(graph, left);
        const auto report = graph.run();
        failed = Key::hashes >= n;
        const auto& node = report.node("keeps");
        CAPTURE(n, left, node.err, node.undelivered);
        REQUIRE(node.err == (failed ? 1 : 0));
        REQUIRE(node.in == left + node.err + node.undelivered);
    }
    CHECK(n > 10);
}

}  // namespace

TEST_CASE("a key that cannot be hashed in reduce costs no item silently, and none is counted twice", "[reduce]")
{
    const test::Watchdog watchdog;
    fail_each_hash([](auto& graph, std::uint64_t& left) {
        auto body = agdf::reduce<int>(key_of, 0, [](int& count, int) { ++count; }, {.max_keys = 3});
        auto node = graph.add_node("keeps", std::move(body));
        graph.add_node("source", agdf::from_range(twelve())) >> node;
        node >> graph.add_node("sink", [&left](const std::pair<Key, int>& value) { left += static_cast<std::uint64_t>(value.second); });
    });
}

TEST_CASE("a key that cannot be hashed in a batch by key costs no item silently, and none is counted twice", "[batch]")
{
    const test::Watchdog watchdog;
    fail_each_hash([](auto& graph, std::uint64_t& left) {
        auto node = graph.add_node("keeps", agdf::batch_by_key<int>(key_of, {.max_items = 2, .max_keys = 3}));
        graph.add_node("source", agdf::from_range(twelve())) >> node;
        node >> graph.add_node("sink", [&left](const std::pair<Key, std::vector<int>>& batch) { left += batch.second.size(); });
    });
}

TEST_CASE("a key that cannot be hashed in a join costs no item silently, and none is counted twice", "[join]")
{
    const test::Watchdog watchdog;
    fail_each_hash([](auto& graph, std::uint64_t& left) {
        auto node = graph.add_node("keeps", agdf::join<int, std::string>(key_of, key_of_text, {.max_waiting = 2}));
        graph.add_node("numbers", agdf::from_range(twelve())) >> node;
        graph.add_node("texts", agdf::from_range(std::vector<std::string>{"a", "bb", "ccc", "dddd", "eeeee"})) >> node;
        node >> graph.add_node("pairs", [&left](const std::pair<int, std::string>&) { left += 2; });
        node >> graph.add_node("alone", [&left](const agdf::Unmatched<int>&) { ++left; });
        node >> graph.add_node("alone too", [&left](const agdf::Unmatched<std::string>&) { ++left; });
    });
}
