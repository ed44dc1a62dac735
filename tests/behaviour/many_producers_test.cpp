// Channel<T> alone.

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using test::Watchdog;
using Ints = std::vector<int>;
using Channel = agdf::Channel<int>;

void spawn(asio::io_context& io, std::function<asio::awaitable<void>()> body)
{
    asio::co_spawn(io, std::move(body), [](const std::exception_ptr& error) {
        if (error)
            std::rethrow_exception(error);
    });
}

}  // namespace

TEST_CASE("a channel refuses a capacity of nothing", "[channel]")
{
    CHECK_THROWS_AS(Channel{0}, agdf::GraphError);
    asio::io_context io;
    Channel channel{io, 3};
    CHECK(channel.capacity() == 3);
    CHECK(channel.size() == 0);
    CHECK(channel.is_open());
}

TEST_CASE("waiting receivers are served in the order in which they came", "[channel]")
{
    Watchdog watchdog;
    asio::io_context io;
    Channel channel{2};
    Ints order;
    for (int i = 1; i <= 3; ++i)
        spawn(io, [&, i]() -> asio::awaitable<void> {
            auto item = co_await channel.receive();
            order.push_back(i * 10 + item.value());
        });
    io.poll();
    CHECK(order.empty());
    for (int i = 1; i <= 3; ++i)
        CHECK(channel.try_send(i));
    CHECK(order.empty());  // nobody is resumed inside a send
    io.run();
    CHECK(order == Ints{11, 22, 33});
}

TEST_CASE("waiting senders enter in the order in which they came, and nobody overtakes them", "[channel]")
{
    Watchdog watchdog;
    asio::io_context io;
    Channel channel{1};
    int sent = 0;
    for (int i = 1; i <= 3; ++i)
        spawn(io, [&, i]() -> asio::awaitable<void> {
            auto ok = co_await channel.send(i);
            sent += ok ? 1 : 0;
        });
    io.poll();
    CHECK(sent == 1);
    CHECK(channel.size() == 1);
    CHECK(channel.try_receive() == 1);
    CHECK_FALSE(channel.try_send(99));
    CHECK(channel.try_receive() == 2);
    CHECK(channel.try_receive() == 3);
    CHECK(channel.try_receive() == std::nullopt);
    io.run();
    CHECK(sent == 3);
    CHECK(channel.try_send(99));
}

TEST_CASE("an item that is promised to a waiting receiver is not taken by one that comes later", "[channel]")
{
    Watchdog watchdog;
    asio::io_context io;
    Channel channel{1};
    int got = 0;
    spawn(io, [&]() -> asio::awaitable<void> {
        auto item = co_await channel.receive();
        got = item.value();
    });
    io.poll();
    CHECK(channel.try_send(1));
    CHECK(channel.try_receive() == std::nullopt);
    io.run();
    CHECK(got == 1);
}

TEST_CASE("close drains the buffer, tells waiting senders false and receivers the end", "[channel]")
{
    Watchdog watchdog;
    asio::io_context io;
    Channel channel{2};
    Ints received;
    std::vector<bool> sent;
    for (int i = 1; i <= 4; ++i)
        spawn(io, [&, i]() -> asio::awaitable<void> {
            auto ok = co_await channel.send(i);
            sent.push_back(ok);
        });
    io.poll();
    channel.close();
    channel.close();
    CHECK_FALSE(channel.is_open());
    int item = 7;
    CHECK_FALSE(channel.try_send(std::move(item)));
    CHECK(item == 7);
    spawn(io, [&]() -> asio::awaitable<void> {
        while (auto n = co_await channel.receive())
            received.push_back(*n);
        auto late = co_await channel.send(5);
        sent.push_back(late);
    });
    io.restart();
    io.run();
    CHECK(received == Ints{1, 2});
    CHECK(sent == std::vector<bool>{true, true, false, false, false});
}

TEST_CASE("close wakes every waiting receiver with the end", "[channel]")
{
    Watchdog watchdog;
    asio::io_context io;
    Channel channel{1};
    int ended = 0;
    for (int i = 0; i < 3; ++i)
        spawn(io, [&]() -> asio::awaitable<void> {
            auto item = co_await channel.receive();
            ended += item ? 0 : 1;
        });
    io.poll();
    channel.close();
    io.run();
    CHECK(ended == 3);
}

TEST_CASE("a cancelled receive takes nothing, and one whose item had come keeps it", "[channel][cancel]")
{
    Watchdog watchdog;
    const bool send_first = GENERATE(false, true);
    asio::io_context io;
    Channel channel{1};
    asio::cancellation_signal signal;
    int got = 0;
    bool aborted = false;
    const auto body = [&]() -> asio::awaitable<void> {
        auto item = co_await channel.receive();
        got = item.value();
    };
    asio::co_spawn(io, body, asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) { aborted = error != nullptr; }));
    io.poll();
    if (send_first)
        CHECK(channel.try_send(1));
    signal.emit(asio::cancellation_type::terminal);
    if (!send_first)
        CHECK(channel.try_send(1));
    io.run();
    CHECK(aborted == !send_first);
    CHECK(got == (send_first ? 1 : 0));
    CHECK(channel.size() == (send_first ? 0 : 1));
}

TEST_CASE("a cancelled send sends nothing and lets the next one in", "[channel][cancel]")
{
    Watchdog watchdog;
    asio::io_context io;
    Channel channel{1};
    CHECK(channel.try_send(1));
    asio::cancellation_signal signal;
    bool aborted = false;
    const auto body = [&]() -> asio::awaitable<void> {
        auto ok = co_await channel.send(2);
        (void)ok;
    };
    asio::co_spawn(io, body, asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& error) { aborted = error != nullptr; }));
    spawn(io, [&]() -> asio::awaitable<void> {
        auto ok = co_await channel.send(3);
        (void)ok;
    });
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
    io.poll();
    CHECK(aborted);
    CHECK(channel.try_receive() == 1);
    CHECK(channel.try_receive() == 3);
    CHECK(channel.try_receive() == std::nullopt);
    io.run();
}

TEST_CASE("time-outs on both sides never lose or double an item", "[channel][timeout]")
{
    Watchdog watchdog;
    asio::thread_pool pool{3};
    Channel channel{2};
    const int producers = 3, items = 300;
    std::atomic<int> open{producers}, send_timeouts{0}, receive_timeouts{0};
    std::vector<std::atomic<int>> seen(producers * items);
    const auto wait = [](int i) { return std::chrono::microseconds(i % 40); };
    for (int p = 0; p < producers; ++p) {
        const auto producer = [&, p]() -> asio::awaitable<void> {
            for (int i = 0; i < items;) {
                try {
                    auto ok = co_await channel.send_for(p * items + i, wait(i));
                    i += ok ? 1 : items;
                } catch (const agdf::TimeoutError&) {
                    ++send_timeouts;
                }
            }
            if (--open == 0)
                channel.close();
        };
        asio::co_spawn(pool, producer, asio::detached);
        const auto consumer = [&, p]() -> asio::awaitable<void> {
            for (int i = p;; ++i) {
                try {
                    auto item = co_await channel.receive_for(wait(i));
                    if (!item)
                        break;
                    ++seen[static_cast<std::size_t>(*item)];
                } catch (const agdf::TimeoutError&) {
                    ++receive_timeouts;
                }
            }
        };
        asio::co_spawn(pool, consumer, asio::detached);
    }
    pool.join();
    CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE("many producers and consumers on many threads lose and double nothing, each producer in order", "[channel][threads]")
{
    Watchdog watchdog;
    const std::size_t capacity = GENERATE(1U, 16U);
    asio::thread_pool pool{4};
    Channel channel{capacity};
    const int producers = 4, consumers = 4, items = 2'000;
    std::atomic<int> open{producers};
    std::atomic<long> sum{0}, count{0};
    std::atomic<bool> ordered{true};
    for (int p = 0; p < producers; ++p) {
        const auto producer = [&, p]() -> asio::awaitable<void> {
            for (int i = 0; i < items; ++i) {
                auto ok = co_await channel.send(p * items + i);
                if (!ok)
                    ordered = false;
            }
            if (--open == 0)
                channel.close();
        };
        asio::co_spawn(pool, producer, asio::detached);
    }
    for (int c = 0; c < consumers; ++c) {
        const auto consumer = [&]() -> asio::awaitable<void> {
            Ints last(producers, -1);
            while (auto item = co_await channel.receive()) {
                int& before = last[static_cast<std::size_t>(*item / items)];
                if (*item <= before)
                    ordered = false;
                before = *item;
                sum += *item;
                ++count;
            }
        };
        asio::co_spawn(pool, consumer, asio::detached);
    }
    pool.join();
    const long total = producers * items;
    CHECK(count == total);
    CHECK(sum == total * (total - 1) / 2);
    CHECK(ordered);
}

TEST_CASE("move-only items travel, and a failed try_send leaves the item where it was", "[channel]")
{
    Watchdog watchdog;
    {
        using Owned = std::unique_ptr<test::Counted>;
        asio::io_context io;
        agdf::Channel<Owned> channel{1};
        auto second = std::make_unique<test::Counted>(2);
        CHECK(channel.try_send(std::make_unique<test::Counted>(1)));
        CHECK_FALSE(channel.try_send(std::move(second)));
        REQUIRE(second);
        int sum = 0;
        spawn(io, [&]() -> asio::awaitable<void> {
            auto ok = co_await channel.send(std::move(second));
            sum += ok ? 100 : 0;
            channel.close();
        });
        spawn(io, [&]() -> asio::awaitable<void> {
            while (auto item = co_await channel.receive())
                sum += (*item)->value();
        });
        io.run();
        CHECK(sum == 103);
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("coroutines that wait in a channel are destroyed with it or with their context, whichever goes first", "[channel]")
{
    Watchdog watchdog;
    const bool channel_first = GENERATE(true, false);
    {
        auto io = std::make_unique<asio::io_context>();
        auto channel = std::make_unique<agdf::Channel<test::Counted>>(1);
        auto other = std::make_unique<agdf::Channel<int>>(1);
        for (int i = 0; i < 3; ++i) {
            spawn(*io, [&]() -> asio::awaitable<void> {
                auto ok = co_await channel->send(test::Counted{1});
                (void)ok;
            });
            spawn(*io, [&]() -> asio::awaitable<void> {
                const test::Counted local;
                auto item = co_await other->receive_for(10h);
                (void)item;
            });
        }
        io->poll();
        if (channel_first) {
            channel.reset();
            other.reset();
        }
        io.reset();
    }
    CHECK(test::Counted::alive() == 0);
}

TEST_CASE("one end may live on another context", "[channel][threads]")
{
    Watchdog watchdog;
    asio::io_context here, there;
    Channel channel{4};
    long sum = 0;
    spawn(there, [&]() -> asio::awaitable<void> {
        for (int i = 1; i <= 1'000; ++i) {
            auto ok = co_await channel.send(i);
            (void)ok;
        }
        channel.close();
    });
    spawn(here, [&]() -> asio::awaitable<void> {
        while (auto item = co_await channel.receive())
            sum += *item;
    });
    std::thread thread{[&] { there.run(); }};
    here.run();
    thread.join();
    CHECK(sum == 500'500);
}
