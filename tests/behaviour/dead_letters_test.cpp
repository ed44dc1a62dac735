// Items that failed for good go to a node of their own, with all that is known about them.

#include "support/bench.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using agdf::Failed;
using agdf::Jitter;
using agdf::Outcome;
using Catch::Matchers::ContainsSubstring;
using test::Bench;
using test::Body;
using test::Counted;
using test::Ints;
using test::up_to;
using Letters = std::vector<Failed<int>>;
using LetterBody = std::function<asio::awaitable<void>(Failed<int>)>;

/// Fails at even numbers.
Body odd_only()
{
    return [](int n) -> asio::awaitable<int> {
        const Counted local;
        if (n % 2 == 0)
            throw std::runtime_error("even " + std::to_string(n));
        co_return n;
    };
}

LetterBody keep(Letters& letters)
{
    return [&letters](Failed<int> letter) -> asio::awaitable<void> {
        letters.push_back(std::move(letter));
        co_return;
    };
}

Ints items_of(const Letters& letters)
{
    Ints items;
    for (const Failed<int>& letter : letters)
        items.push_back(letter.item);
    return items;
}

/// Adds a node with dead letters to a bench and runs it.
void run_with_letters(Bench& bench, LetterBody letters, int items, agdf::NodeOptions options = {}, agdf::NodeOptions letter_options = {}, Body body = odd_only())
{
    auto node = bench.graph.add_node("node", std::move(body), std::move(options));
    bench.graph.add_node("source", agdf::from_range(up_to(items))) >> node >> bench.graph.add_node("sink", agdf::collect(bench.results));
    bench.graph.add_error_edge(node, bench.graph.add_node("letters", std::move(letters), std::move(letter_options)));
    bench.report = bench.graph.run();
}

}  // namespace

TEST_CASE("a dead letter has the item, the node, the error, the attempts and the time", "[dead_letters]")
{
    Bench bench;
    Letters letters;
    const auto before = std::chrono::system_clock::now();
    run_with_letters(bench, keep(letters), 3);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].item == 2);
    CHECK(letters[0].node == "node");
    CHECK(test::text_of(letters[0].error) == "even 2");
    CHECK(letters[0].attempts == 1);
    CHECK(letters[0].time >= before);
    CHECK(letters[0].time <= std::chrono::system_clock::now());
    CHECK(bench.results == Ints{1, 3});
}

TEST_CASE("a dead-lettered item is still an error of its node and of the run", "[dead_letters]")
{
    Bench bench;
    Letters letters;
    run_with_letters(bench, keep(letters), 10);
    CHECK(bench.report.outcome == Outcome::completed_with_errors);
    CHECK(bench.report.exit_code() != 0);
    CHECK(bench.node().err == 5);
    CHECK(bench.node().out == 5);
    CHECK(bench.report.exceptions("node").size() == 5);
    CHECK(bench.report.node("letters").in == 5);
    CHECK(bench.report.node("letters").err == 0);
}

TEST_CASE("an error edge may be drawn by name, and its types are checked then", "[dead_letters]")
{
    Bench bench;
    Letters letters;
    bench.graph.add_node("source", agdf::from_range(up_to(4))) >> bench.graph.add_node("node", odd_only()) >> bench.graph.add_node("sink", [](int) {});
    bench.graph.add_node("letters", keep(letters));
    bench.graph.add_node("other", [](const std::string&) {});
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_error_edge("node", "other"); }), ContainsSubstring("'other'") && ContainsSubstring("Expected:"));
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_error_edge("node", "nowhere"); }), ContainsSubstring("nowhere"));
    bench.graph.add_error_edge("node", "letters");
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_error_edge("node", "letters"); }), ContainsSubstring("Expected:"));
    const agdf::RunReport report = bench.graph.run({.start = {agdf::start("source"), agdf::start("other", std::string{"x"})}});
    CHECK(items_of(letters) == Ints{2, 4});
    CHECK(report.node("node").err == 2);
}

TEST_CASE("a dead-letter node that fails halts the run", "[dead_letters]")
{
    Bench bench;
    run_with_letters(bench, [](Failed<int>) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1ms);
        throw std::runtime_error("the disk is full");
    }, 100, {}, {.queue_size = 1});
    CHECK(bench.report.outcome == Outcome::halted);
    CHECK(test::text_of(bench.report.first_error) == "the disk is full");
    CHECK(bench.report.first_error_node == "letters");
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a dead letter that fails goes along an error edge of the dead-letter node, if that has one", "[dead_letters]")
{
    Bench bench;
    Ints items;
    auto node = bench.graph.add_node("node", odd_only());
    bench.graph.add_node("source", agdf::from_range(up_to(10))) >> node >> bench.graph.add_node("sink", agdf::collect(bench.results));
    auto letters = bench.graph.add_node("letters", [](Failed<int>) { throw std::runtime_error("the disk is full"); });
    auto last = bench.graph.add_node("last", [&](const Failed<Failed<int>>& letter) {
        CHECK(letter.node == "letters");
        CHECK(letter.item.node == "node");
        items.push_back(letter.item.item);
    });
    bench.graph.add_error_edge(node, letters);
    bench.graph.add_error_edge(letters, last);
    bench.report = bench.graph.run();
    CHECK(bench.report.outcome == Outcome::completed_with_errors);
    CHECK(items == Ints{2, 4, 6, 8, 10});
    CHECK(bench.report.node("letters").err == 5);
    CHECK(bench.report.node("last").in == 5);
    CHECK(bench.results.size() == 5);
}

TEST_CASE("a full dead-letter queue makes the failing workers wait, and nothing is lost", "[dead_letters]")
{
    Bench bench;
    Ints items;
    run_with_letters(bench, [&](Failed<int> letter) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1s);
        items.push_back(letter.item);
    }, 40, {.workers = 3}, {.queue_size = 1});
    std::sort(items.begin(), items.end());
    CHECK(items.size() == 20);
    CHECK(std::adjacent_find(items.begin(), items.end()) == items.end());
    CHECK(bench.results.size() == 20);
    CHECK(bench.report.node("letters").queue_peak <= 1);
    CHECK(bench.report.elapsed == 20s);
    CHECK(bench.report.node("node").blocked > 0s);
}

TEST_CASE("a run that is cancelled while dead letters wait for room ends, and counts them", "[dead_letters]")
{
    Bench bench;
    bench.at(2500ms, [&] { bench.graph.cancel(); });
    run_with_letters(bench, [](Failed<int>) -> asio::awaitable<void> { co_await agdf::sleep_for(1s); }, 40, {.workers = 3}, {.queue_size = 1});
    CHECK(bench.report.outcome == Outcome::cancelled);
    CHECK(bench.report.elapsed == 2500ms);
    const agdf::NodeStats& letters = bench.report.node("letters");
    CHECK(letters.in == 2 + letters.undelivered);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("with retries only the last failure becomes a dead letter, with the item as it came", "[dead_letters]")
{
    Bench bench;
    Letters letters;
    const Body body = [](int n) -> asio::awaitable<int> {
        const int item = n;
        n = 0;
        if (item != 0)
            throw std::runtime_error("no");
        co_return n;
    };
    run_with_letters(bench, keep(letters), 2, {.retry = {.attempts = 4, .delay = 1s, .jitter = Jitter::none}}, {}, body);
    CHECK(items_of(letters) == Ints{1, 2});
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].attempts == 4);
    CHECK(bench.node().retried == 6);
    CHECK(bench.node().err == 2);
}

TEST_CASE("a body may take its item away, and the dead letter still has it", "[dead_letters]")
{
    Bench bench;
    std::vector<std::string> items;
    auto node = bench.graph.add_node("node", [](std::string text) -> int {
        const std::string taken = std::move(text);
        throw std::runtime_error(taken);
    });
    bench.graph.add_node("source", agdf::from_range(std::vector<std::string>{"a long text that is not stored in place", "b"})) >> node;
    bench.graph.add_error_edge(node, bench.graph.add_node("letters", [&](const Failed<std::string>& letter) { items.push_back(letter.item); }));
    CHECK(bench.graph.run().outcome == Outcome::completed_with_errors);
    CHECK(items == std::vector<std::string>{"a long text that is not stored in place", "b"});
}

TEST_CASE("a time-out is a failure like any other", "[dead_letters]")
{
    Bench bench;
    Letters letters;
    const Body body = [](int n) -> asio::awaitable<int> {
        co_await agdf::sleep_for(1h);
        co_return n;
    };
    run_with_letters(bench, keep(letters), 2, {.timeout = 1s}, {}, body);
    CHECK(items_of(letters) == Ints{1, 2});
    for (const Failed<int>& letter : letters)
        CHECK_THROWS_AS(std::rethrow_exception(letter.error), agdf::TimeoutError);
}

TEST_CASE("a source's failure is a dead letter without an item", "[dead_letters]")
{
    Bench bench;
    std::vector<Failed<void>> letters;
    auto source = bench.graph.add_node("source", []() -> agdf::Stream<int> {
        const int one = 1;
        co_yield one;
        throw std::runtime_error("the line went dead");
    });
    source >> bench.graph.add_node("sink", agdf::collect(bench.results));
    bench.graph.add_error_edge(source, bench.graph.add_node("letters", [&](Failed<void> letter) { letters.push_back(letter); }));
    CHECK(bench.graph.run().outcome == Outcome::completed_with_errors);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].node == "source");
    CHECK(test::text_of(letters[0].error) == "the line went dead");
    CHECK(bench.results == Ints{1});
}

TEST_CASE("an error edge from a body that sees its whole stream, from a chain or in a circle is refused", "[dead_letters]")
{
    Bench bench;
    auto whole = bench.graph.add_node("whole", [](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
        while (auto n = co_await numbers.next())
            (void)*n;
    });
    auto a = bench.graph.add_node("a", odd_only());
    auto b = bench.graph.add_node("b", odd_only());
    auto letters = bench.graph.add_node("letters", [](const Failed<int>& letter) { return letter.item; });
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_error_edge(whole, letters); }), ContainsSubstring("'whole'") && ContainsSubstring("Expected:"));
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_error_edge(a >> b, letters); }), ContainsSubstring("chain"));
    bench.graph.add_edge(letters, a);
    CHECK_THAT(test::graph_error_of([&] { bench.graph.add_error_edge(b, letters); }), ContainsSubstring("b -> letters"));
}

TEST_CASE("a node that halts on errors sends its failed item nowhere", "[dead_letters]")
{
    Bench bench;
    Letters letters;
    run_with_letters(bench, keep(letters), 10, {.on_error = agdf::OnError::halt});
    CHECK(bench.report.outcome == Outcome::halted);
    CHECK(letters.empty());
}

TEST_CASE("an item that halts the run is not offered to the dead letters, nor counted there", "[dead_letters][halt]")
{
    Bench bench;
    Letters letters;
    run_with_letters(bench, keep(letters), 10, {.on_error = agdf::OnError::halt});
    CHECK(bench.report.outcome == Outcome::halted);
    CHECK(bench.report.node("letters").in == 0);
    CHECK(bench.report.node("letters").undelivered == 0);
}
