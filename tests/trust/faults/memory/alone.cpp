// Channels, sleeps and runs inside of a larger program.

#include "support.hpp"

#include <chrono>
#include <exception>
#include <memory>

using namespace faults;
using namespace std::chrono_literals;

namespace {

/// Runs coroutines to their end, and throws the first error.
class Program {
public:
    void add(asio::awaitable<void> work)
    {
        asio::co_spawn(io, std::move(work), [this](const std::exception_ptr& error) {
            ++ended;
            if (error && !first_error)
                first_error = error;
        });
        ++begun;
    }
    void run()
    {
        io.run();
        if (first_error)
            std::rethrow_exception(first_error);
        expect(begun == ended, "a coroutine did not end");
    }

    asio::io_context io;
    int begun = 0, ended = 0;
    std::exception_ptr first_error;
};

asio::awaitable<void> send_all(agdf::Channel<Counted>& channel)
{
    std::exception_ptr error;
    try {
        for (int i = 1; i <= items; ++i) {
            Counted item{i};
            co_await channel.send(std::move(item));
        }
    } catch (...) {
        error = std::current_exception();
    }
    channel.close();
    if (error)
        std::rethrow_exception(error);
}

asio::awaitable<void> receive_all(agdf::Channel<Counted>& channel, Sink& sink)
{
    std::exception_ptr error;
    try {
        while (auto item = co_await channel.receive())
            sink(*item);
    } catch (...) {
        error = std::current_exception();
    }
    channel.close();
    if (error)
        std::rethrow_exception(error);
}

const Add channel{"a channel of one place", [] {
    Program program;
    agdf::Channel<Counted> places{1};
    Sink sink;
    program.add(send_all(places));
    program.add(receive_all(places, sink));
    program.run();
    expect(sink.count() == items, "items are missing");
}};

const Add large_channel{"a channel that grows", [] {
    Program program;
    agdf::Channel<Counted> places{1'000};
    Sink sink;
    program.add(send_all(places));
    program.add(receive_all(places, sink));
    program.run();
    expect(sink.count() == items, "items are missing");
}};

const Add timed{"a receive that gives up", [] {
    Program program;
    agdf::Channel<Counted> places{1};
    bool late = false;
    const auto receive = [&]() -> asio::awaitable<void> {
        try {
            co_await places.receive_for(1us);
        } catch (const agdf::TimeoutError&) {
            late = true;
        }
    };
    program.add(receive());
    program.run();
    expect(late, "the time-out was lost");
}};

const Add async_run{"async_run", [] {
    Program program;
    Sink sink;
    agdf::Graph graph{program.io, quiet()};
    graph.add_node("source", source) >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    const auto run = [&]() -> asio::awaitable<void> {
        const agdf::RunReport report = co_await graph.async_run(asio::use_awaitable);
        judge(report, sink.count());
    };
    program.add(run());
    program.run();
}};

const Add run_blocking{"run_blocking", [] {
    Program program;
    int sum = 0;
    const auto call = [&]() -> asio::awaitable<void> {
        auto function = [] { return 1; };
        const int one = co_await agdf::run_blocking(std::move(function));
        sum += one;
    };
    program.add(call());
    program.add(call());
    program.run();
    expect(sum == 2, "a result is missing");
}};

const Add stop{"stop, cancel, pause and resume", [] {
    asio::io_context io;
    Sink sink;
    agdf::Graph graph{io, quiet()};
    graph.add_node("source", [&graph]() -> agdf::Stream<Counted> {
        graph.pause();
        graph.resume();
        graph.stop();
        co_await agdf::sleep_for(1h);
        co_yield Counted(1);
    }) >> graph.add_node("sink", [&sink](const Counted& item) { sink(item); });
    const agdf::RunReport report = graph.run();
    expect(report.outcome != agdf::Outcome::completed, "a stopped run says 'completed'");
}};

}  // namespace
