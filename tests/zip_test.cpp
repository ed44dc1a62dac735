// Zip takes one item of each of its inputs at a time, and each input has a queue of its own.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::graph_error_of;
using test::quiet;
using test::Watchdog;

agdf::Stream<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i)
        co_yield i;
}

auto counting_to(int last)
{
    return [last]() { return count_to(last); };
}

struct Zipped {
    agdf::RunReport report;
    std::vector<std::tuple<int, int>> rows;
};

Zipped zip_of(int left, int right, agdf::ZipOptions<int, int> options = {}, agdf::NodeOptions node = {})
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    Zipped zipped;
    auto numbers = graph.add_node("left", counting_to(left));
    auto others = graph.add_node("right", counting_to(right));
    auto zip = graph.add_node("zip", agdf::zip<int, int>(options), node);
    graph.add_edge(numbers, zip.input<0>());
    graph.add_edge(others, zip.input<1>());
    zip >> graph.add_node("collect", agdf::collect(zipped.rows));
    zipped.report = graph.run();
    return zipped;
}

std::vector<std::tuple<int, int>> pairs_to(int last)
{
    std::vector<std::tuple<int, int>> rows;
    for (int i = 1; i <= last; ++i)
        rows.emplace_back(i, i);
    return rows;
}

}  // namespace

TEST_CASE("a zip pairs the first items, the second ones, and so on", "[zip]")
{
    const Watchdog watchdog;
    const Zipped zipped = zip_of(2'500, 2'500);
    CHECK(zipped.rows == pairs_to(2'500));
    CHECK(zipped.report.outcome == agdf::Outcome::completed);
    CHECK(zipped.report.node("zip").in == 2'500);
    CHECK(zipped.report.node("zip[1]").in == 2'500);
    CHECK(zipped.report.node("zip").out == 2'500);
}

TEST_CASE("a zip ends with its shortest input, and counts what is left on the others", "[zip]")
{
    const Watchdog watchdog;
    const auto [left, right] = GENERATE(std::pair{10, 3}, std::pair{3, 10}, std::pair{5'000, 3}, std::pair{3, 5'000}, std::pair{0, 4},
                                        std::pair{4, 0}, std::pair{0, 0});
    const Zipped zipped = zip_of(left, right, {}, {.queue_size = 4});
    CHECK(zipped.rows == pairs_to(std::min(left, right)));
    CHECK(zipped.report.outcome == agdf::Outcome::completed);
    const auto& first = zipped.report.node("zip");
    const auto& second = zipped.report.node("zip[1]");
    CHECK(first.in == static_cast<std::uint64_t>(left));
    CHECK(second.in == static_cast<std::uint64_t>(right));
    CHECK(first.undelivered == static_cast<std::uint64_t>(left - std::min(left, right)));
    CHECK(second.undelivered == static_cast<std::uint64_t>(right - std::min(left, right)));
}

TEST_CASE("a long zip pads the shorter input", "[zip]")
{
    const Watchdog watchdog;
    const Zipped zipped = zip_of(2, 4, {.mode = agdf::ZipMode::longest, .padding = std::tuple{-1, -2}});
    CHECK(zipped.rows == std::vector<std::tuple<int, int>>{{1, 1}, {2, 2}, {-1, 3}, {-1, 4}});
    CHECK(zipped.report.node("zip").undelivered + zipped.report.node("zip[1]").undelivered == 0);
}

TEST_CASE("a strict zip of unequal inputs fails once, and says after how many items", "[zip]")
{
    const Watchdog watchdog;
    const Zipped zipped = zip_of(2, 4, {.mode = agdf::ZipMode::strict});
    CHECK(zipped.rows == pairs_to(2));
    CHECK(zipped.report.outcome == agdf::Outcome::completed_with_errors);
    REQUIRE(zipped.report.node("zip").err == 1);
    CHECK(test::text_of(zipped.report.first_error) ==
          "agdf::zip: an input has ended after 2 items, and another has not. Expected: the same number on all of them. Look for "
          "what drops items, or choose another mode.");
    CHECK(zipped.report.node("zip[1]").undelivered == 2);
    CHECK(zip_of(3, 3, {.mode = agdf::ZipMode::strict}).report.outcome == agdf::Outcome::completed);
}

TEST_CASE("a strict zip whose inputs a stop has ended is no error, and its rows arrive", "[zip][stop]")
{
    const Watchdog watchdog;
    asio::io_context io;
    const agdf::testing::VirtualTime time{io};
    agdf::Graph graph{io, test::quiet({.on_error = agdf::OnError::halt})};
    std::vector<std::tuple<int, int>> rows;
    const auto every_second_from = [](std::chrono::milliseconds start) -> agdf::Stream<int> {
        co_await agdf::sleep_for(start);
        for (int i = 1;; ++i) {
            co_yield i;
            co_await agdf::sleep_for(1s);
        }
    };
    auto zip = graph.add_node("zip", agdf::zip<int, int>({.mode = agdf::ZipMode::strict}));
    graph.add_edge(graph.add_node("left", [&] { return every_second_from(0ms); }), zip.input<0>());
    graph.add_edge(graph.add_node("right", [&] { return every_second_from(500ms); }), zip.input<1>());
    zip >> graph.add_node("rows", agdf::collect(rows));
    const auto stop_between = [&]() -> asio::awaitable<void> {
        co_await agdf::sleep_for(2'250ms);
        graph.stop();
    };
    asio::co_spawn(io, stop_between, asio::detached);
    const agdf::RunReport report = graph.run();
    CHECK(report.outcome == agdf::Outcome::stopped);
    CHECK(rows == pairs_to(2));
    CHECK(report.node("zip").err == 0);
    CHECK(report.node("zip").undelivered == 1);
}

TEST_CASE("a zip of three inputs takes items that cannot be copied", "[zip]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto one = graph.add_node("one", counting_to(3));
    auto two = graph.add_node("two", []() -> agdf::Stream<std::unique_ptr<int>> {
        for (int i = 1; i <= 3; ++i) {
            auto item = std::make_unique<int>(10 * i);
            co_yield std::move(item);
        }
    });
    auto three = graph.add_node("three", counting_to(3));
    auto zip = graph.add_node("zip", agdf::zip<int, std::unique_ptr<int>, int>());
    graph.add_edge(one, zip.input<0>());
    graph.add_edge(two, zip.input<1>());
    graph.add_edge(three, zip.input<2>());
    std::vector<int> sums;
    zip >> graph.add_node("sum", [&](int a, std::unique_ptr<int> b, int c) { sums.push_back(a + *b + c); });
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(sums == std::vector{12, 24, 36});
}

TEST_CASE("a side that is far ahead waits, and its queue stays bounded", "[zip]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto fast = graph.add_node("fast", counting_to(1'000));
    auto slow = graph.add_node("slow", []() -> agdf::Stream<int> {
        for (int i = 1; i <= 1'000; ++i) {
            co_await asio::post(asio::use_awaitable);
            co_yield i;
        }
    });
    auto zip = graph.add_node("zip", agdf::zip<int, int>(), {.queue_size = 8});
    graph.add_edge(fast, zip.input<0>());
    graph.add_edge(slow, zip.input<1>());
    std::size_t rows = 0;
    zip >> graph.add_node("count", [&](int, int) { ++rows; });
    const agdf::RunReport report = graph.run();
    CHECK(rows == 1'000);
    CHECK(report.node("zip").queue_peak <= 8);
    CHECK(report.node("zip").queue_size == 8);
    CHECK(report.node("zip[1]").queue_size == 8);
}

TEST_CASE("a zip that is halted or cancelled leaves nothing behind", "[zip]")
{
    const Watchdog watchdog;
    {
        asio::io_context io;
        agdf::Graph graph{io, quiet()};
        const auto source = []() -> agdf::Stream<test::Counted> {
            for (int i = 0;; ++i)
                co_yield test::Counted{i};
        };
        auto left = graph.add_node("left", source);
        auto right = graph.add_node("right", source);
        auto zip = graph.add_node("zip", agdf::zip<test::Counted, test::Counted>());
        graph.add_edge(left, zip.input<0>());
        graph.add_edge(right, zip.input<1>());
        const bool halts = GENERATE(true, false);
        int rows = 0;
        zip >> graph.add_node("sink", [&](const test::Counted&, const test::Counted&) {
            if (++rows < 100)
                return;
            if (halts)
                throw std::runtime_error("enough");
            graph.cancel();
        }, {.on_error = agdf::OnError::halt});
        CHECK(graph.run().outcome == (halts ? agdf::Outcome::halted : agdf::Outcome::cancelled));
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("a zip that is halted or cancelled counts the item it had for an unfinished row as undelivered", "[zip][cancel][halt]")
{
    const auto mode = GENERATE(agdf::ZipMode::shortest, agdf::ZipMode::longest, agdf::ZipMode::strict);
    const bool halts = GENERATE(false, true);
    Watchdog watchdog;
    asio::io_context io;
    agdf::testing::VirtualTime time{io};
    agdf::Graph<> graph{io, quiet()};
    std::vector<std::tuple<int, int>> rows;
    const auto then_wait = [](int last) {
        return [last]() -> agdf::Stream<int> {
            for (int i = 1; i <= last; ++i)
                co_yield i;
            co_await agdf::sleep_for(std::chrono::hours(1));
        };
    };
    graph.add_node("ends it", [&]() -> agdf::Stream<int> {
        co_await agdf::sleep_for(std::chrono::seconds(1));
        if (halts)
            throw std::runtime_error("ends it");
        graph.cancel();
    }, {.on_error = agdf::OnError::halt});
    auto zip = graph.add_node("zip", agdf::zip<int, int>({.mode = mode, .padding = std::tuple{0, 0}}));
    graph.add_edge(graph.add_node("left", then_wait(3)), zip.input<0>());
    graph.add_edge(graph.add_node("right", then_wait(1)), zip.input<1>());
    zip >> graph.add_node("collect", agdf::collect(rows));
    const agdf::RunReport report = graph.run();
    CHECK(rows == pairs_to(1));
    CHECK(report.node("zip").in == 3);
    CHECK(report.node("zip").out == 1);
    CHECK(report.node("zip").undelivered == 2);
    CHECK(report.node("zip[1]").in == 1);
    CHECK(report.node("zip[1]").undelivered == 0);
}

TEST_CASE("a zip has one worker, since several would mix up the pairs", "[zip]")
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    CHECK_THAT(graph_error_of([&] { graph.add_node("zip", agdf::zip<int, int>(), {.workers = 2}); }),
               ContainsSubstring("node 'zip': the option .workers is 2, but the body takes one item from each of its inputs"));
    CHECK_THAT(graph_error_of([] { (void)agdf::zip<int, int>({.mode = agdf::ZipMode::longest}); }),
               ContainsSubstring("agdf::zip: the mode is longest, but there is no padding"));
}

TEST_CASE("an input of a zip without an edge is an error before the run", "[zip]")
{
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto source = graph.add_node("source", counting_to(1));
    auto zip = graph.add_node("zip", agdf::zip<int, int>());
    graph.add_edge(source, zip.input<1>());
    CHECK_THAT(graph_error_of([&] { (void)graph.run(); }), ContainsSubstring("node 'zip' takes int, but has neither an edge nor a start item"));
}

TEST_CASE("a broadcast that meets again in a zip behind a filter is warned about when the graph is built", "[zip]")
{
    asio::io_context io;
    std::vector<std::string> lines;
    agdf::Graph graph{io, {.log = [&](agdf::LogLevel level, std::string_view line) {
                               if (level == agdf::LogLevel::warning)
                                   lines.emplace_back(line);
                           }}};
    auto source = graph.add_node("source", counting_to(1));
    auto straight = graph.add_node("straight", [](int x) { return x; });
    auto zip = graph.add_node("zip", agdf::zip<int, int>());
    source >> straight;
    graph.add_edge(straight, zip.input<0>());

    SECTION("in a body that may drop items")
    {
        auto even = graph.add_node("even", [](int x) { return x % 2 == 0 ? std::optional{x} : std::nullopt; });
        source >> even;
        CHECK(lines.empty());
        graph.add_edge(even, zip.input<1>());
        REQUIRE(lines.size() == 1);
        CHECK(lines[0] == "agdf::Graph: node 'source' reaches the zip 'zip' on two ways, and on one of them 'even' may drop or add items. "
                          "Expected: as many items on both ways. Else pairs do not belong together, and the graph can stand still when a "
                          "queue is full: join the two by a key instead (agdf::join).");
        graph.add_edge(straight, graph.add_node("print", [](int) {}));
        CHECK(lines.size() == 1);
    }
    SECTION("on an edge")
    {
        graph.add_edge(source, zip.input<1>(), agdf::where([](int x) { return x > 0; }));
        REQUIRE(lines.size() == 1);
        CHECK_THAT(lines[0], ContainsSubstring("the edge from 'source' to 'zip[1]' may drop"));
    }
    SECTION("but not when both ways are one to one")
    {
        auto other = graph.add_node("other", [](int x) -> asio::awaitable<int> { co_return x; });
        source >> other;
        graph.add_edge(other, zip.input<1>());
        CHECK(lines.empty());
    }
    SECTION("and not when the filter is before the two ways part")
    {
        auto filtered = graph.add_node("filtered", [](int x) { return std::optional{x}; });
        auto second = graph.add_node("second", [](int x) { return x; });
        auto fresh = graph.add_node("zip of its own", agdf::zip<int, int>());
        source >> filtered;
        filtered >> second;
        graph.add_edge(filtered, fresh.input<0>());
        graph.add_edge(second, fresh.input<1>());
        CHECK(lines.empty());
    }
}

TEST_CASE("items that fail before one input of a zip only are warned about at the end of the run", "[zip]")
{
    asio::io_context io;
    std::vector<std::string> lines;
    agdf::Graph graph{io, {.log = [&](agdf::LogLevel level, std::string_view line) {
                               if (level == agdf::LogLevel::warning)
                                   lines.emplace_back(line);
                           }}};
    const auto fails_at_2 = [](int x) {
        if (x == 2)
            throw std::runtime_error("2");
        return x;
    };
    auto source = graph.add_node("source", counting_to(3));
    auto zip = graph.add_node("zip", agdf::zip<int, int>());
    std::vector<std::tuple<int, int>> rows;
    zip >> graph.add_node("rows", agdf::collect(rows));

    SECTION("with the node and the number")
    {
        auto parse = graph.add_node("parse", fails_at_2);
        source >> parse;
        graph.add_edge(source, zip.input<0>());
        graph.add_edge(parse, zip.input<1>());
        CHECK(graph.run().outcome == agdf::Outcome::completed_with_errors);
        CHECK(rows == std::vector<std::tuple<int, int>>{{1, 1}, {2, 3}});
        REQUIRE(lines.size() == 1);
        CHECK(lines[0] == "agdf: node 'zip': it may have put together items that do not belong together, since items were lost before its inputs, "
                          "in node 'parse': 1 failed, 0 dropped. Expected: as many items at each input. Pass on a place holder for an item that "
                          "fails, or join by a key (agdf::join).");
    }
    SECTION("also if an edge from a node before both of them loses one")
    {
        auto other = graph.add_node("other", [](int x) { return x; });
        graph.add_edge(source, other, agdf::map(fails_at_2));
        graph.add_edge(source, zip.input<0>());
        graph.add_edge(other, zip.input<1>());
        CHECK(graph.run().outcome == agdf::Outcome::completed_with_errors);
        REQUIRE(lines.size() == 1);
        CHECK_THAT(lines[0], ContainsSubstring("in node 'source': 1 failed"));
    }
    SECTION("but not if an error edge leads to a replacement")
    {
        auto parse = graph.add_node("parse", fails_at_2);
        auto replace = graph.add_node("replace", [](const agdf::Failed<int>&) { return 0; });
        source >> parse;
        graph.add_error_edge(parse, replace);
        graph.add_edge(source, zip.input<0>());
        graph.add_edge(parse, zip.input<1>());
        graph.add_edge(replace, zip.input<1>());
        CHECK(graph.run().outcome == agdf::Outcome::completed_with_errors);
        CHECK(rows.size() == 3);
        CHECK(std::none_of(lines.begin(), lines.end(), [](const std::string& line) { return line.find("may have put") != std::string::npos; }));
    }
    SECTION("but not those that fail before both")
    {
        auto parse = graph.add_node("parse", fails_at_2);
        source >> parse;
        graph.add_edge(parse, zip.input<0>());
        graph.add_edge(parse, zip.input<1>());
        CHECK(graph.run().outcome == agdf::Outcome::completed_with_errors);
        CHECK(rows == std::vector<std::tuple<int, int>>{{1, 1}, {3, 3}});
        CHECK(lines.empty());
    }
    SECTION("nor those that fail behind it")
    {
        graph.add_edge(source, zip.input<0>());
        graph.add_edge(source, zip.input<1>());
        zip >> graph.add_node("check", [](int, int) { throw std::runtime_error("never right"); });
        CHECK(graph.run().outcome == agdf::Outcome::completed_with_errors);
        CHECK(lines.empty());
    }
}

TEST_CASE("a body of one's own may have several receivers, and be called by pictures and statistics by its queues", "[zip]")
{
    const Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, quiet()};
    auto numbers = graph.add_node("numbers", counting_to(3));
    auto words = graph.add_node("words", agdf::from_range(std::vector<std::string>{"a", "b"}));
    auto both = graph.add_node("both", [](agdf::Receiver<int> first, agdf::Receiver<std::string> second) -> agdf::Stream<std::string> {
        while (auto number = co_await first.next()) {
            std::string line = std::to_string(*number);
            co_yield line;
        }
        while (auto word = co_await second.next()) {
            std::string line = *word;
            co_yield line;
        }
    });
    graph.add_edge(numbers, both);
    graph.add_edge(words, both.input<1>());
    std::vector<std::string> lines;
    both >> graph.add_node("collect", agdf::collect(lines));
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(lines == std::vector<std::string>{"1", "2", "3", "a", "b"});
    CHECK_THAT(agdf::to_dot(graph), ContainsSubstring("[label=\"input\"]"));
}

TEST_CASE("a zip whose further input would have the name of another node is refused, and changes nothing", "[zip]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    auto other = graph.add_node("pairs[1]", agdf::from_range(std::vector{1, 2, 3}));
    CHECK_THAT(test::graph_error_of([&] { graph.add_node("pairs", agdf::zip<int, int>()); }),
               ContainsSubstring("node 'pairs': one of its inputs would be called 'pairs[1]'") && ContainsSubstring("Expected"));
    auto sink = graph.add_node("pairs", [](int) {});
    other >> sink;
    CHECK(graph.run().node("pairs").in == 3);
}
