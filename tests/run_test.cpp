// The ways to start a run.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#if __has_include(<asio/any_completion_handler.hpp>)
#include <asio/any_completion_handler.hpp>
#endif
#if __has_include(<asio/as_tuple.hpp>)
#include <asio/as_tuple.hpp>
#else
#include <asio/experimental/as_tuple.hpp>
#endif
#if __has_include(<asio/cancel_after.hpp>)
#include <asio/cancel_after.hpp>
#endif
#if __has_include(<asio/deferred.hpp>)
#include <asio/deferred.hpp>
#else
#include <asio/experimental/deferred.hpp>
#endif
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

#if __has_include(<asio/as_tuple.hpp>)
using asio::as_tuple;
#else
using asio::experimental::as_tuple;
#endif

#if __has_include(<asio/deferred.hpp>)
using asio::deferred;
#else
using asio::experimental::deferred;
#endif

using namespace std::chrono_literals;
using agdf::Outcome;
using agdf::RunReport;
using test::Watchdog;
using Ints = std::vector<int>;

/// Adds 1, 2, 3 -> a short sleep -> results.
template <class Graph>
void add_three(Graph& graph, Ints& results)
{
    auto source = graph.add_node("source", agdf::from_range(Ints{1, 2, 3}));
    auto sink = graph.add_node("sink", [&](int n) -> asio::awaitable<void> {
        co_await agdf::sleep_for(1us);
        results.push_back(n);
    });
    source >> sink;
}

/// A token whose result is the executor of the operation.
template <class Handler>
struct TokenThatAsks {
    Handler handler;
};
template <class Handler>
TokenThatAsks(Handler) -> TokenThatAsks<Handler>;

}  // namespace

template <class Handler>
class asio::async_result<TokenThatAsks<Handler>, void(RunReport)> {
public:
    template <class Initiation>
    static typename Initiation::executor_type initiate(Initiation&& initiation, TokenThatAsks<Handler> token)
    {
        auto executor = initiation.get_executor();
        std::forward<Initiation>(initiation)(std::move(token.handler));
        return executor;
    }
};

TEST_CASE("a callback of async_run is called once, later, with the report", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    int calls = 0;
    graph.async_run([&, own = std::make_unique<int>(1)](RunReport report) {
        calls += *own;
        CHECK(report.outcome == Outcome::completed);
        CHECK(report.node("sink").in == 3);
    });
    CHECK(calls == 0);
    io.run();
    CHECK(calls == 1);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("the report of async_run comes on the executor of its handler", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    asio::io_context other;
    auto work = asio::make_work_guard(other);
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    bool called = false;
    graph.async_run(asio::bind_executor(other, [&](const RunReport&) { called = true; }));
    io.run();
    CHECK_FALSE(called);
    other.poll();
    CHECK(called);
}

TEST_CASE("run is refused on the strand that the graph shall run on, where it would wait for itself", "[run][error]")
{
    Watchdog watchdog;
    asio::thread_pool pool{1};
    asio::io_context io;
    std::string texts;
    int errors = 0;
    const auto run_on = [&](const auto& strand, auto graph, auto& context) {
        graph.add_node("source", [] { return 1; });
        const auto try_to_run = [&] {
            try {
                (void)graph.run();
            } catch (const agdf::GraphError& error) {
                ++errors;
                texts = error.what();
            }
        };
        asio::post(strand, try_to_run);
        if constexpr (requires { context.run(); }) {
            context.restart();
            context.run();
        } else {
            context.wait();
        }
    };
    const auto strand_of_context = asio::make_strand(io);
    const auto strand_of_pool = asio::make_strand(pool);
    run_on(strand_of_context, agdf::Graph{strand_of_context, test::quiet()}, io);
    run_on(strand_of_context, agdf::Graph<asio::strand<asio::io_context::executor_type>>{strand_of_context, test::quiet()}, io);
    run_on(strand_of_pool, agdf::Graph{strand_of_pool, test::quiet()}, pool);
    CHECK(errors == 3);
    CHECK(texts == "agdf::Graph::run: it was called on the strand that the graph shall run on, and would wait there for itself. "
                   "Expected: a call from elsewhere. Use co_await graph.async_run(asio::use_awaitable).");
}

TEST_CASE("a token that asks for the executor of its operation, as asio::cancel_after does, gets the graph's", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph<asio::io_context::executor_type> graph{io.get_executor(), test::quiet()};
    graph.add_node("source", [] { return 1; });
    bool called = false;
    const auto executor = graph.async_run(TokenThatAsks{[&](const RunReport&) { called = true; }});
    CHECK(executor == io.get_executor());
    io.run();
    CHECK(called);
}

#if __has_include(<asio/any_completion_handler.hpp>)
TEST_CASE("async_run takes a handler whose type has been erased", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    int calls = 0;
    const auto count = [&](const RunReport&) { ++calls; };
    graph.async_run(asio::any_completion_handler<void(RunReport)>{count});
    CHECK(calls == 0);
    io.run();
    io.restart();
    asio::thread_pool other{1};
    graph.async_run(asio::any_completion_handler<void(RunReport)>{asio::bind_executor(other, [&](const RunReport&) {
        calls += other.get_executor().running_in_this_thread() ? 1 : 0;
    })});
    io.run();
    other.wait();
    CHECK(calls == 2);
}
#endif

#if __has_include(<asio/cancel_after.hpp>)
TEST_CASE("asio::cancel_after stops a run", "[run][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    graph.add_node("source", []() -> agdf::Stream<int> { co_await agdf::sleep_for(1h); });
    std::optional<Outcome> outcome;
    graph.async_run(asio::cancel_after(1ms, asio::cancellation_type::terminal, [&](const RunReport& report) { outcome = report.outcome; }));
    io.run();
    CHECK(outcome == Outcome::cancelled);
}
#endif

TEST_CASE("async_run takes any handler that can be called with a report, and what is bound to one", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    int calls = 0;
    asio::cancellation_signal signal;
    const auto run_with = [&](auto&& token) {
        graph.async_run(std::forward<decltype(token)>(token));
        io.run();
        io.restart();
    };
    const std::function<void(RunReport)> kept = [&](const RunReport&) { ++calls; };
    run_with(kept);
    run_with([&](auto report) { calls += std::is_same_v<decltype(report), RunReport> ? 1 : 0; });
    run_with([&](const auto&...) { return ++calls; });
    run_with([&, own = std::make_unique<int>(1)](RunReport&&) mutable { calls += *own; });
    run_with(asio::bind_executor(io, asio::bind_cancellation_slot(signal.slot(), [&, own = std::make_unique<int>(1)](RunReport) { calls += *own; })));
    run_with(asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(io.get_executor(), kept)));
    run_with(as_tuple([&](std::tuple<RunReport>) { ++calls; }));
    run_with(asio::detached);
    CHECK(calls == 7);
    CHECK(results.size() == 24);
}

TEST_CASE("async_run works with use_future, use_awaitable and as_tuple", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    std::future<RunReport> future = graph.async_run(asio::use_future);
    io.run();
    CHECK(future.get().outcome == Outcome::completed);
    int completed = 0;
    const auto program = [&]() -> asio::awaitable<void> {
        auto report = co_await graph.async_run(asio::use_awaitable);
        completed += report.outcome == Outcome::completed ? 1 : 0;
        auto tuple = co_await graph.async_run(as_tuple(asio::use_awaitable));
        completed += std::get<0>(tuple).outcome == Outcome::completed ? 1 : 0;
        agdf::RunOptions options{.start = agdf::start("source")};
        auto again = co_await graph.async_run(std::move(options), asio::use_awaitable);
        completed += again.outcome == Outcome::completed ? 1 : 0;
    };
    io.restart();
    asio::co_spawn(io, program, asio::detached);
    io.run();
    CHECK(completed == 3);
    CHECK(results.size() == 12);
}

TEST_CASE("a run that was made earlier, and finds the graph running when it is awaited, is halted with the reason", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    std::vector<RunReport> reports;
    const auto keep = [&](const std::exception_ptr&, RunReport report) { reports.push_back(std::move(report)); };
    auto first = graph.async_run(asio::use_awaitable);
    auto second = graph.async_run(asio::use_awaitable);
    asio::co_spawn(io, std::move(first), keep);
    asio::co_spawn(io, std::move(second), keep);
    io.run();
    REQUIRE(reports.size() == 2);  // the refused one comes first
    CHECK(reports[0].outcome == Outcome::halted);
    CHECK(reports[0].exit_code() == 1);
    CHECK(reports[0].node("sink").in == 0);
    CHECK_THROWS_AS(reports[0].throw_if_failed(), agdf::GraphError);
    CHECK_THAT(test::text_of(reports[0].first_error), Catch::Matchers::ContainsSubstring("running already"));
    CHECK(reports[1].outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("a deferred run can be started once, and says so when it is started again", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    std::optional<RunReport> report;
    const auto keep = [&](RunReport result) { report = std::move(result); };
    auto operation = graph.async_run(deferred);
    operation(keep);
    io.run();
    REQUIRE(report);
    CHECK(report->outcome == Outcome::completed);
    io.restart();
    operation(keep);
    io.run();
    CHECK(report->outcome == Outcome::halted);
    CHECK_THAT(test::text_of(report->first_error),
               Catch::Matchers::ContainsSubstring("started before") && Catch::Matchers::ContainsSubstring("Expected:"));
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("to cancel a run that could not begin does nothing to the one that is under way", "[run][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    std::vector<RunReport> reports;
    const auto keep = [&](RunReport report) { reports.push_back(std::move(report)); };
    asio::cancellation_signal signal;
    const auto operation = graph.async_run(deferred);
    auto first = operation;
    auto second = operation;
    std::move(first)(keep);
    std::move(second)(asio::bind_cancellation_slot(signal.slot(), keep));
    signal.emit(asio::cancellation_type::terminal);
    io.run();
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].outcome == Outcome::halted);
    CHECK(reports[1].outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("a run under way refuses a second one and is not disturbed by it", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    std::optional<RunReport> first;
    graph.async_run([&](RunReport report) { first = std::move(report); });
    CHECK_THROWS_AS(graph.async_run([](const RunReport&) {}), agdf::GraphError);
    CHECK_THROWS_AS((void)graph.run(), agdf::GraphError);
    io.run();
    REQUIRE(first);
    CHECK(first->outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("each run has counters of its own", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    for (int i = 0; i < 3; ++i)
        CHECK(graph.run().node("sink").in == 3);
    CHECK(results.size() == 9);
}

TEST_CASE("the next run may start in the handler of the one before", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    int runs = 0;
    std::function<void(RunReport)> again = [&](const RunReport& report) {
        CHECK(report.outcome == Outcome::completed);
        if (++runs < 5)
            graph.async_run(again);
    };
    graph.async_run(again);
    io.run();
    CHECK(runs == 5);
    CHECK(results.size() == 15);
}

TEST_CASE("several graphs run at once on one context", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    std::vector<std::unique_ptr<agdf::Graph<>>> graphs;
    std::vector<Ints> results(4);
    int completed = 0;
    for (Ints& result : results) {
        graphs.push_back(std::make_unique<agdf::Graph<>>(io, test::quiet()));
        add_three(*graphs.back(), result);
        graphs.back()->async_run([&](const RunReport& report) { completed += report.exit_code() == 0 ? 1 : 0; });
    }
    io.run();
    CHECK(completed == 4);
    CHECK(results == std::vector<Ints>(4, Ints{1, 2, 3}));
}

TEST_CASE("two graphs joined by a channel run together on one context", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Channel<int> between{1};
    agdf::Graph front{io, test::quiet()};
    agdf::Graph back{io, test::quiet()};
    Ints results;
    front.add_node("source", agdf::from_range(Ints{1, 2, 3})) >> front.add_node("send", [&](int n) -> asio::awaitable<void> {
        auto sent = co_await between.send(n);
        if (!sent)
            throw std::runtime_error("closed");
    });
    auto receive = back.add_node("receive", [&]() -> agdf::Stream<int> {
        while (auto n = co_await between.receive())
            co_yield *n;
    });
    receive >> back.add_node("sink", agdf::collect(results));
    back.async_run([](const RunReport&) {});
    front.async_run([&](const RunReport&) { between.close(); });
    io.run();
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("run returns when the graph is done, although the context has other work", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    asio::steady_timer timer{io, 10h};
    bool other_done = false;
    timer.async_wait([&](const asio::error_code&) { other_done = true; });
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK_FALSE(other_done);
    timer.cancel();
    io.run();  // without restart(): run must not leave the context stopped
    CHECK(other_done);
}

TEST_CASE("run works on a context that was stopped before", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    io.stop();
    CHECK(graph.run().outcome == Outcome::completed);
    io.restart();
    io.run();  // runs out of work, which stops it as well
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(results.size() == 6);
}

TEST_CASE("run works while another thread runs the context, and leaves it running", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::thread thread{[&] { io.run(); }};
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    for (int i = 0; i < 20; ++i)
        CHECK(graph.run().outcome == Outcome::completed);
    CHECK(results.size() == 60);
    std::promise<void> posted;
    asio::post(io, [&] { posted.set_value(); });
    posted.get_future().wait();
    work.reset();
    thread.join();
}

TEST_CASE("run may be called inside a handler of its own context", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    std::optional<Outcome> outcome;
    asio::post(io, [&] { outcome = graph.run().outcome; });
    io.run();
    CHECK(outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("run waits for the end on a thread pool", "[run]")
{
    Watchdog watchdog;
    const std::size_t threads = GENERATE(1U, 2U);
    asio::thread_pool pool{2};
    agdf::Graph graph{pool, test::quiet({.threads = threads})};
    Ints results;
    add_three(graph, results);
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(results.size() == 6);
    pool.join();
}

TEST_CASE("a graph on a strand and one on the io_context's own executor type run", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    Ints results;
    agdf::Graph<asio::io_context::executor_type> typed{io.get_executor(), test::quiet()};
    add_three(typed, results);
    CHECK(typed.run().outcome == Outcome::completed);
    agdf::Graph on_strand{asio::make_strand(io), test::quiet()};
    add_three(on_strand, results);
    CHECK(on_strand.run().outcome == Outcome::completed);
    CHECK(results.size() == 6);
}

TEST_CASE("an empty graph, one without edges and a source that yields nothing all end", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph empty{io, test::quiet()};
    CHECK(empty.run().outcome == Outcome::completed);
    bool called = false;
    empty.async_run([&](const RunReport& report) { called = report.outcome == Outcome::completed; });
    CHECK_FALSE(called);
    io.restart();
    io.run();
    CHECK(called);

    agdf::Graph no_edges{io, test::quiet()};
    no_edges.add_node("a", agdf::from_range(Ints{1, 2}));
    no_edges.add_node("b", agdf::from_range(Ints{1}));
    const RunReport report = no_edges.run();
    CHECK(report.outcome == Outcome::completed);
    CHECK(report.node("a").out == 2);

    agdf::Graph nothing{io, test::quiet()};
    int ends = 0;
    nothing.add_node("nothing", agdf::from_range(Ints{})) >>
        nothing.add_node("relay", [](int n) { return n; }) >>
        nothing.add_node("whole", [&](agdf::Receiver<int> numbers) -> asio::awaitable<void> {
            auto n = co_await numbers.next();
            auto again = co_await numbers.next();
            ends += n || again ? 0 : 1;
        });
    CHECK(nothing.run().outcome == Outcome::completed);
    CHECK(ends == 1);
}

TEST_CASE("a graph that cannot run throws before anything starts", "[run]")
{
    Watchdog watchdog;
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    add_three(graph, results);
    auto lonely = graph.add_node("lonely", [](int) {});
    CHECK_THAT(test::graph_error_of([&] { (void)graph.run(); }), Catch::Matchers::ContainsSubstring("lonely"));
    CHECK_THROWS_AS(graph.async_run([](const RunReport&) {}), agdf::GraphError);
    io.restart();
    io.run();
    CHECK(results.empty());
    CHECK(graph.run({.start = {agdf::start("source"), agdf::start(lonely, 1)}}).outcome == Outcome::completed);
    CHECK(results == Ints{1, 2, 3});
}

TEST_CASE("cancelling the operation cancels the run, or stops it if the cancellation is mild", "[run]")
{
    Watchdog watchdog;
    const auto type = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::total, asio::cancellation_type::partial);
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        asio::cancellation_signal signal;
        auto source = graph.add_node("source", [&]() -> agdf::Stream<test::Counted> {
            const test::Counted item{1};
            asio::post(io, [&] { signal.emit(type); });
            for (;;) {
                co_yield item;
                co_await agdf::sleep_for(10h);
            }
        });
        source >> graph.add_node("sink", [](const test::Counted&) {});
        std::optional<Outcome> outcome;
        graph.async_run(asio::bind_cancellation_slot(signal.slot(), [&](const RunReport& report) { outcome = report.outcome; }));
        io.run();
        CHECK(outcome == (type == asio::cancellation_type::terminal ? Outcome::cancelled : Outcome::stopped));
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("a run that a node ends before the others have begun ends as it should, and no item has failed", "[run]")
{
    Watchdog watchdog;
    const auto end = GENERATE(Outcome::stopped, Outcome::cancelled);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    // Begun by a handler of the context, a worker may run as soon as it is spawned, before the next one is.
    graph.add_node("first", [&] { end == Outcome::stopped ? graph.stop() : graph.cancel(); });
    graph.add_node("second", agdf::from_range(Ints{1})) >> graph.add_node("sink", [](int) {});
    std::optional<RunReport> report;
    asio::post(io, [&] { graph.async_run([&](RunReport result) { report = std::move(result); }); });
    io.run();
    REQUIRE(report);
    CHECK(report->outcome == end);
    CHECK_FALSE(report->first_error);
    for (const char* const node : {"first", "second", "sink"})
        CHECK(report->exceptions(node).empty());
}

TEST_CASE("an edge that is drawn when a run is made already, or in a setup, belongs to the next run, and this one ends", "[run]")
{
    Watchdog watchdog;
    const bool in_setup = GENERATE(false, true);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    Ints results;
    const auto sink = graph.add_node("sink", agdf::collect(results));
    const auto late = graph.add_node("late", agdf::from_range(Ints{7}));
    const auto draw = [&] { graph.add_edge(late, sink); };
    graph.add_node("other", [] {}, {.setup = [&, drawn = false]() mutable {
                       if (in_setup && !std::exchange(drawn, true))
                           draw();
                   }});
    auto run = graph.async_run({.start = agdf::start(sink, 1)}, asio::use_awaitable);
    if (!in_setup)
        draw();
    asio::co_spawn(io, std::move(run), asio::detached);
    io.run();
    CHECK(results == Ints{1});
    CHECK(graph.run().outcome == Outcome::completed);
    CHECK(results == Ints{1, 7});
}
