// A graph and its context may be destroyed at any step of a run.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using test::Counted;
using test::Watchdog;

/// A body of each kind, broadcast, queues of one; each body holds a Counted that its frames use when they are destroyed.
struct Scenario {
    std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>();
    std::unique_ptr<agdf::Graph<>> graph;
    std::unique_ptr<agdf::StatsLogger> logger;
    int reports = 0;

    explicit Scenario(bool with_logger)
    {
        graph = std::make_unique<agdf::Graph<>>(*io, test::quiet({.on_error = agdf::OnError::skip}));
        const agdf::NodeOptions one{.workers = 2, .queue_size = 1};
        auto source = graph->add_node("source", [own = std::make_unique<Counted>(3)]() -> agdf::Stream<Counted> {
            for (int i = 0; i < own->value(); ++i) {
                Counted item{i};
                co_yield std::move(item);
                co_await agdf::sleep_for(1us);
            }
        });
        auto awaits = graph->add_node("awaits", [own = std::make_unique<Counted>(1)](Counted item) -> asio::awaitable<Counted> {
            const Guard guard{*own};
            co_await agdf::sleep_for(1us);
            co_return item;
        }, one);
        auto streams = graph->add_node("streams", [own = std::make_unique<Counted>(1)](const Counted& item) -> agdf::Stream<Counted> {
            const Guard guard{*own};
            co_yield item;
            co_await agdf::sleep_for(1us);
            co_yield item;
        }, one);
        auto blocks = graph->add_node("blocks", agdf::blocking([](Counted item) { return item; }), one);
        auto whole = graph->add_node("whole", [own = std::make_unique<Counted>(1)](agdf::Receiver<Counted> items) -> agdf::Stream<Counted> {
            const Guard guard{*own};
            while (auto item = co_await items.next())
                co_yield *item;
        }, one);
        auto sink = graph->add_node("sink", [own = std::make_unique<Counted>(1)](const Counted&) -> asio::awaitable<void> {
            const Guard guard{*own};
            co_await agdf::sleep_for(1us);
        }, {.queue_size = 1});
        graph->add_edge(source, awaits);
        graph->add_edge(source, streams);
        graph->add_edge(source, blocks);
        graph->add_edge(source, whole);
        graph->add_edge(awaits, sink);
        graph->add_edge(streams, sink);
        graph->add_edge(blocks, sink);
        graph->add_edge(whole, sink);
        if (with_logger)
            logger = std::make_unique<agdf::StatsLogger>(*graph, agdf::StatsLoggerOptions{.interval = 1ms, .sink = [](std::string_view) {}});
        graph->async_run([this, own = std::make_unique<Counted>()](const agdf::RunReport&) { ++reports; });
    }

    /// Touches what the body owns when the frame goes.
    struct Guard {
        explicit Guard(const Counted& counted) : owned(counted) {}
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        ~Guard() { (void)Counted{owned}; }
        const Counted& owned;
    };

    /// Runs handlers; false when the context ran out of them.
    bool run(int steps)
    {
        for (int i = 0; i < steps; ++i)
            if (io->run_one() == 0)
                return false;
        return true;
    }
};

/// Destroys at step 0, 1, 2 and so on until the run is over before it is destroyed.
template <class Destroy>
void destroy_at_each_step(Destroy destroy, bool with_logger = true)
{
    Watchdog watchdog{50s};
    int steps = 0;
    for (bool more = true; more; ++steps) {
        {
            Scenario scenario{with_logger};
            more = scenario.run(steps);
            destroy(scenario);
        }
        // A call that has begun in the pool finishes alone, and its item with it; whatever else stays is for the watchdog.
        while (Counted::alive() != 0)
            std::this_thread::yield();
    }
    CHECK(steps > 20);
}

}  // namespace

TEST_CASE("a graph destroyed at any step of its run, before its context, leaves nothing behind", "[lifetime]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.logger.reset();
        scenario.graph.reset();
        scenario.io.reset();
        CHECK(scenario.reports <= 1);
    });
}

TEST_CASE("a context destroyed at any step of a run, before its graph, leaves nothing behind", "[lifetime]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.io.reset();
        scenario.graph.reset();
        CHECK(scenario.reports <= 1);
    }, false);
}

TEST_CASE("a context destroyed while its run watches for signals and for stalls leaves nothing behind", "[lifetime]")
{
    Watchdog watchdog;
    auto io = std::make_unique<asio::io_context>();
    agdf::Channel<int> gate{1};
    {
        agdf::Graph graph{*io, test::quiet({.stall_after = std::chrono::hours(1)})};
        auto source = graph.add_node("source", [&]() -> agdf::Stream<Counted> {
            Counted item{1};
            co_yield item;
            auto opened = co_await gate.receive();
            (void)opened;
        });
        source >> graph.add_node("sink", [](const Counted&) {});
        graph.async_run({.stop_on_signals = true}, [](const agdf::RunReport&) { FAIL("a run whose context has gone was reported"); });
        io->poll();
        CHECK(graph.stats()[1].in == 1);
        io.reset();
        CHECK(Counted::alive() == 0);
        graph.stop();
    }
}

TEST_CASE("a graph whose context is gone may still be asked, stopped and cancelled", "[lifetime]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.io.reset();
        scenario.graph->stop();
        scenario.graph->cancel();
        CHECK(scenario.graph->stats().size() == 6);
    }, false);
}

TEST_CASE("a context destroyed at any step of a run, before its graph and a logger, does no harm", "[lifetime]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.io.reset();
        scenario.logger.reset();
        scenario.graph.reset();
    });
}

TEST_CASE("a graph destroyed at any step still tells its handler, once, and frees the context for other work", "[lifetime]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.logger.reset();
        scenario.graph.reset();
        scenario.io->run();
        CHECK(scenario.reports == 1);
    });
}

TEST_CASE("a cancel at any step ends the run and leaves no item behind but those of blocking calls that had begun", "[lifetime][cancel]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.graph->cancel();
        scenario.io->run();
        CHECK(scenario.reports == 1);
        while (Counted::alive() > 5)  // what the bodies own; a blocking call that had begun finishes alone
            std::this_thread::yield();
    });
}

TEST_CASE("a stop at any step ends the run after it carried everything to the end", "[lifetime][stop]")
{
    destroy_at_each_step([](Scenario& scenario) {
        scenario.graph->stop();
        scenario.io->run();
        CHECK(scenario.reports == 1);
        const auto stats = scenario.graph->stats();
        CHECK(stats[1].in == stats[0].out);
        CHECK(stats[5].in == stats[1].out + stats[2].out + stats[3].out + stats[4].out);
        CHECK(stats[2].out == 2 * stats[0].out);
    });
}

TEST_CASE("a graph that never ran is destroyed with its bodies", "[lifetime]")
{
    {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet()};
        graph.add_node("owns", [own = std::make_unique<Counted>()]() -> agdf::Stream<int> { co_yield own->value(); });
    }
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a graph may be moved before it runs", "[lifetime]")
{
    Watchdog watchdog;
    asio::io_context io;
    std::vector<int> results;
    const auto build = [&] {
        agdf::Graph graph{io, test::quiet()};
        graph.add_node("source", agdf::from_range(std::vector<int>{1, 2})) >> graph.add_node("sink", agdf::collect(results));
        return graph;
    };
    agdf::Graph graph = build();
    CHECK(graph.run().exit_code() == 0);
    CHECK(results == std::vector<int>{1, 2});
}

TEST_CASE("a context may go after a run whose statistics another thread looks at all the time", "[lifetime][stats]")
{
    // The last one to look at a run destroyed it, with its strands, perhaps when their context had gone.
    test::Watchdog watchdog;
    for (int round = 0; round < 200; ++round) {
        auto io = std::make_unique<asio::io_context>();
        agdf::Graph graph{*io, test::quiet()};
        for (int i = 0; i < 100; ++i)  // so that to look at them takes some time
            graph.add_node("node " + std::to_string(i), [] { return 1; });
        std::atomic<bool> has_looked{false};
        std::atomic<bool> is_over{false};
        std::thread watcher([&] {
            while (!is_over) {
                (void)graph.stats();
                has_looked = true;
            }
        });
        while (!has_looked)
            std::this_thread::yield();
        const auto report = graph.run();
        io.reset();
        is_over = true;
        watcher.join();
        REQUIRE(report.exit_code() == 0);
        REQUIRE(graph.stats().size() == 100);
    }
}
