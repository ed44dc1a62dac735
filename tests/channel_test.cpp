#include <agdf/channel.hpp>
#include <agdf/testing.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using agdf::Channel;
using test::Counted;

namespace {

asio::awaitable<void> send_into(Channel<int>& channel, int item, std::vector<std::string>& log)
{
    const bool sent = co_await channel.send(item);
    log.push_back((sent ? "sent " : "refused ") + std::to_string(item));
}

asio::awaitable<void> receive_from(Channel<int>& channel, int who, std::vector<std::string>& log)
{
    const auto item = co_await channel.receive();
    log.push_back(std::to_string(who) + (item ? " got " + std::to_string(*item) : std::string{" ended"}));
}

}  // namespace

TEST_CASE("a channel delivers in the order of sending and says when it has ended", "[channel]")
{
    Channel<int> channel{4};
    REQUIRE(channel.try_send(1));
    REQUIRE(channel.try_send(2));
    REQUIRE(channel.size() == 2);
    REQUIRE(channel.capacity() == 4);
    channel.close();
    REQUIRE_FALSE(channel.is_open());
    REQUIRE_FALSE(channel.try_send(3));
    asio::io_context io;
    std::vector<std::string> log;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(io, receive_from(channel, i, log), asio::detached);
    io.run();
    REQUIRE(log == std::vector<std::string>{"0 got 1", "1 got 2", "2 ended"});
}

TEST_CASE("send waits while the channel is full, and waiting senders are served in order", "[channel][backpressure]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::vector<std::string> log;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(io, send_into(channel, i, log), asio::detached);
    io.poll();
    REQUIRE(log == std::vector<std::string>{"sent 0"});
    REQUIRE_FALSE(channel.try_send(9));  // nobody overtakes those who wait
    REQUIRE(channel.try_receive() == std::optional{0});
    REQUIRE_FALSE(channel.try_send(9));
    io.poll();
    REQUIRE(channel.try_receive() == std::optional{1});
    REQUIRE(channel.try_receive() == std::optional{2});
    io.poll();
    REQUIRE(log == std::vector<std::string>{"sent 0", "sent 1", "sent 2"});
}

TEST_CASE("waiting receivers are served in order and nobody takes the item of another", "[channel]")
{
    asio::io_context io;
    Channel<int> channel{2};
    std::vector<std::string> log;
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(io, receive_from(channel, i, log), asio::detached);
    io.poll();
    REQUIRE(channel.try_send(10));
    REQUIRE(channel.try_send(11));
    REQUIRE(channel.try_receive() == std::nullopt);  // both belong to those who waited
    io.poll();
    REQUIRE(log == std::vector<std::string>{"0 got 10", "1 got 11"});
}

TEST_CASE("closing tells waiting senders so and lets the buffer drain", "[channel]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::vector<std::string> log;
    asio::co_spawn(io, send_into(channel, 0, log), asio::detached);
    asio::co_spawn(io, send_into(channel, 1, log), asio::detached);
    io.poll();
    channel.close();
    channel.close();
    io.poll();
    REQUIRE(log == std::vector<std::string>{"sent 0", "refused 1"});
    REQUIRE(channel.try_receive() == std::optional{0});
    REQUIRE(channel.try_receive() == std::nullopt);
}

TEST_CASE("closing ends waiting receivers", "[channel]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::vector<std::string> log;
    asio::co_spawn(io, receive_from(channel, 0, log), asio::detached);
    io.poll();
    channel.close();
    io.poll();
    REQUIRE(log == std::vector<std::string>{"0 ended"});
}

TEST_CASE("a channel resumes nobody inside the call of another", "[channel]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::vector<std::string> log;
    asio::co_spawn(io, receive_from(channel, 0, log), asio::detached);
    io.poll();
    REQUIRE(channel.try_send(1));
    REQUIRE(log.empty());
    io.poll();
    REQUIRE(log.size() == 1);
}

TEST_CASE("a cancelled receive takes no item, and a cancelled send leaves none", "[channel][cancellation]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::vector<std::string> log;
    asio::cancellation_signal signal;
    std::exception_ptr error;
    const auto keep = [&](std::exception_ptr e) { error = e; };

    asio::co_spawn(io, receive_from(channel, 0, log), asio::bind_cancellation_slot(signal.slot(), keep));
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
    io.poll();
    REQUIRE(agdf::describe(error).find("agdf::Channel::receive") != std::string::npos);
    REQUIRE(channel.try_send(1));
    REQUIRE(channel.size() == 1);

    error = nullptr;
    io.restart();
    asio::co_spawn(io, send_into(channel, 2, log), asio::bind_cancellation_slot(signal.slot(), keep));
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
    io.poll();
    REQUIRE(error);
    REQUIRE(channel.try_receive() == std::optional{1});
    REQUIRE(channel.try_receive() == std::nullopt);
    REQUIRE(log.empty());
}

TEST_CASE("a receive that has its item is not undone by a cancellation that comes too late", "[channel][cancellation]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::vector<std::string> log;
    asio::cancellation_signal signal;
    asio::co_spawn(io, receive_from(channel, 0, log), asio::bind_cancellation_slot(signal.slot(), asio::detached));
    io.poll();
    REQUIRE(channel.try_send(1));
    signal.emit(asio::cancellation_type::terminal);
    io.poll();
    REQUIRE(log == std::vector<std::string>{"0 got 1"});
}

TEST_CASE("a receive and a send that time out say so and move nothing", "[channel][timeout]")
{
    asio::io_context io;
    Channel<int> channel{1};
    std::string text;
    const auto receive = [&]() -> asio::awaitable<void> {
        auto item = co_await channel.receive_for(1ms);
        (void)item;
    };
    asio::co_spawn(io, receive, [&](std::exception_ptr e) { text = agdf::describe(e); });
    io.run();
    REQUIRE(text.find("agdf::Channel::receive_for: the time was over") == 0);

    REQUIRE(channel.try_send(1));
    const auto send = [&]() -> asio::awaitable<void> {
        auto sent = co_await channel.send_for(2, 1ms);
        (void)sent;
    };
    io.restart();
    asio::co_spawn(io, send, [&](std::exception_ptr e) { text = agdf::describe(e); });
    io.run();
    REQUIRE(text.find("agdf::Channel::send_for: the time was over") == 0);
    REQUIRE(channel.try_receive() == std::optional{1});
    REQUIRE(channel.try_receive() == std::nullopt);
}

TEST_CASE("time-outs that race with items lose none and double none", "[channel][timeout]")
{
    asio::io_context io;
    Channel<int> channel{1};
    long received = 0;
    long sent = 0;
    const auto receive = [&]() -> asio::awaitable<void> {
        for (;;) {
            std::optional<int> item;
            bool late = false;
            try {
                item = co_await channel.receive_for(50us);
            } catch (const agdf::TimeoutError&) {
                late = true;
            }
            if (late)
                continue;
            if (!item)
                break;
            received += *item;
        }
    };
    asio::co_spawn(io, receive, asio::detached);
    const auto sender = [&]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        asio::steady_timer timer{executor};
        for (int i = 1; i <= 300; ++i) {
            timer.expires_after(50us);
            co_await timer.async_wait(asio::use_awaitable);
            auto stored = co_await channel.send(i);
            sent += stored ? i : 0;
        }
        channel.close();
    };
    asio::co_spawn(io, sender, asio::detached);
    io.run();
    REQUIRE(sent == 300L * 301 / 2);
    REQUIRE(received == sent);
}

TEST_CASE("a time-out that comes before the wait has begun, on another thread, is not lost", "[channel][timeout]")
{
    using Message = agdf::detail::Envelope<int>;
    using Receive = agdf::detail::ReceiveOperation<Message>;
    agdf::detail::ChannelCore<Message> channel{1, agdf::detail::Refill::first_place, agdf::detail::Sharing::many_strands};
    asio::io_context io;
    asio::io_context of_the_timer;
    bool timed_out = false;
    const auto receive = [&]() -> asio::awaitable<void> {
        Receive operation{channel};
        const agdf::detail::Deadline<Receive> deadline{of_the_timer.get_executor(), -1s, operation};
        of_the_timer.run();
        co_await operation.suspend();
        timed_out = operation.has_timed_out();
    };
    asio::co_spawn(io, receive, asio::detached);
    io.poll();
    REQUIRE(timed_out);
}

TEST_CASE("try_send leaves an item that finds no room untouched", "[channel]")
{
    Channel<std::unique_ptr<int>> channel{1};
    REQUIRE(channel.try_send(std::make_unique<int>(1)));
    auto item = std::make_unique<int>(2);
    REQUIRE_FALSE(channel.try_send(std::move(item)));
    REQUIRE(item);
    REQUIRE(*item == 2);
}

TEST_CASE("a channel without room is refused in a sentence", "[channel]")
{
    REQUIRE_THROWS_WITH(Channel<int>{0}, Catch::Matchers::ContainsSubstring("agdf::Channel: the capacity is 0"));
}

TEST_CASE("many producers and consumers on many threads lose nothing and double nothing", "[channel][threads]")
{
    constexpr int producers = 4;
    constexpr int each = 5'000;
    asio::thread_pool pool{4};
    Channel<int> channel{7};
    std::atomic<int> alive{producers};
    std::atomic<long> total{0};
    std::atomic<int> count{0};
    const auto produce = [&]() -> asio::awaitable<void> {
        for (int i = 1; i <= each; ++i) {
            const bool sent = co_await channel.send(i);
            if (!sent)
                std::abort();
        }
        if (--alive == 0)
            channel.close();
    };
    const auto consume = [&]() -> asio::awaitable<void> {
        while (auto item = co_await channel.receive()) {
            total += *item;
            ++count;
        }
    };
    for (int i = 0; i < producers; ++i) {
        asio::co_spawn(pool, produce, asio::detached);
        asio::co_spawn(pool, consume, asio::detached);
    }
    pool.join();
    REQUIRE(count == producers * each);
    REQUIRE(total == long{producers} * each * (each + 1) / 2);
}

TEST_CASE("destroying a channel, or its context, destroys who waits in it", "[channel][lifetime]")
{
    const auto wait_with = [](Channel<int>& channel) -> asio::awaitable<void> {
        const Counted held{1};
        auto item = co_await channel.receive();
        (void)item;
    };
    SECTION("the channel first")
    {
        asio::io_context io;
        Channel<int> channel{1};
        asio::co_spawn(io, wait_with(channel), asio::detached);
        io.poll();
        REQUIRE(Counted::alive() == 1);
    }
    SECTION("the context first")
    {
        Channel<int> channel{1};
        asio::io_context io;
        asio::co_spawn(io, wait_with(channel), asio::detached);
        io.poll();
        REQUIRE(Counted::alive() == 1);
    }
    REQUIRE(Counted::alive() == 0);
}

namespace {

/// A channel in memory that is no channel's any more once it was destroyed, so that a lock there fails in every build.
class ShortLived {
public:
    ShortLived() { new (memory_) Channel<int>(1); }
    [[nodiscard]] Channel<int>& get() noexcept { return *std::launder(reinterpret_cast<Channel<int>*>(memory_)); }
    void destroy() noexcept
    {
        std::destroy_at(&get());
        std::memset(memory_, 0xff, sizeof memory_);
    }

private:
    alignas(Channel<int>) unsigned char memory_[sizeof(Channel<int>)];
};

}  // namespace

TEST_CASE("who was served by a channel does not need it any more, though it is yet to be resumed", "[channel][lifetime]")
{
    ShortLived channel;
    int received = 0;
    asio::cancellation_signal signal;
    const auto receive = [&](auto how) -> asio::awaitable<void> {
        const Counted held{1};
        auto item = co_await how(channel.get());
        received = item ? *item : -1;
    };
    const auto serve_and_destroy = [&](asio::io_context& io, auto how) {
        asio::co_spawn(io, receive(how), asio::bind_cancellation_slot(signal.slot(), asio::detached));
        io.poll();
        REQUIRE(channel.get().try_send(7));
        channel.destroy();
    };
    const auto plainly = [](Channel<int>& from) { return from.receive(); };
    {
        asio::io_context io;
        SECTION("when its context goes")
        {
            serve_and_destroy(io, plainly);
        }
        SECTION("when it is cancelled too late")
        {
            serve_and_destroy(io, plainly);
            signal.emit(asio::cancellation_type::terminal);
            io.poll();
            REQUIRE(received == 7);
        }
        SECTION("when its time-out comes too late")
        {
            agdf::testing::VirtualTime time{io};
            const auto hold = time.hold();
            serve_and_destroy(io, [](Channel<int>& from) { return from.receive_for(1s); });
            time.advance(1s);
            io.poll();
            REQUIRE(received == 7);
        }
    }
    REQUIRE(Counted::alive() == 0);
}

namespace {

using IntMessage = agdf::detail::Envelope<int>;

struct WaitingSend final : agdf::detail::Putting<IntMessage> {
    explicit WaitingSend(int item) { message.emplace(IntMessage{item}); }
    void wake() noexcept override { woken = true; }
    void abandon() noexcept override {}
    bool woken = false;
};

struct Taken final : agdf::detail::Getting<IntMessage> {
    void wake() noexcept override {}
    void abandon() noexcept override {}
};

}  // namespace

TEST_CASE("a node's queue lets a waiting producer in when it is half empty, and nobody before it", "[channel][backpressure]")
{
    using namespace agdf::detail;
    ChannelCore<IntMessage> queue{4, Refill::half_empty, Sharing::one_strand};
    for (int i = 1; i <= 4; ++i) {
        IntMessage message{i};
        REQUIRE(queue.try_put(message) == Put::stored);
    }
    WaitingSend waiting{5};
    REQUIRE(queue.put(waiting) == Put::waiting);
    Taken taken;
    REQUIRE(queue.try_get(taken) == Got::item);
    IntMessage late{6};
    REQUIRE_FALSE(waiting.woken);
    REQUIRE(queue.try_put(late) == Put::waiting);  // there is room, but the other one was first
    REQUIRE(queue.try_get(taken) == Got::item);
    REQUIRE(waiting.woken);
    for (int i = 3; i <= 5; ++i) {
        REQUIRE(queue.try_get(taken) == Got::item);
        REQUIRE(taken.message->value == i);
    }
}

namespace agdf::detail {
class Acknowledgement {};
}  // namespace agdf::detail

TEST_CASE("an acknowledgement stays with its item: in the buffer, in a wait, and next to a bound of weight", "[channel]")
{
    using namespace agdf::detail;
    const bool is_weighed = GENERATE(false, true);
    CAPTURE(is_weighed);
    constexpr int count = 100;  // more than the buffer takes without growing
    std::vector<Acknowledgement> asked(count);
    ChannelCore<IntMessage> queue{count - 1, Refill::first_place, Sharing::many_strands};
    if (is_weighed)
        queue.limit_weight(1'000'000, [](const void* message) { return static_cast<std::size_t>(static_cast<const IntMessage*>(message)->value); });
    else
        queue.carry_acknowledgements();
    const auto of = [&](int i) { return i % 3 == 0 ? nullptr : &asked[static_cast<std::size_t>(i)]; };
    WaitingSend waiting{count - 1};
    waiting.message->acknowledgement = of(count - 1);
    for (int i = 0; i < count - 1; ++i) {
        IntMessage message{i, of(i)};
        REQUIRE(queue.try_put(message) == Put::stored);
    }
    REQUIRE(queue.put(waiting) == Put::waiting);
    std::vector<IntMessage> batch;
    queue.take_many(batch, 7);
    REQUIRE(batch.empty());  // such a queue gives them one by one
    Taken taken;
    for (int next = 0; next < count; ++next) {
        REQUIRE(queue.try_get(taken) == Got::item);
        REQUIRE(taken.message->value == next);
        REQUIRE(taken.message->acknowledgement == of(next));
    }
    REQUIRE(waiting.woken);
}

TEST_CASE("each message that was taken with others gives its place to a sender when it begins, and not when all have", "[channel]")
{
    using namespace agdf::detail;
    const Refill refill = GENERATE(Refill::first_place, Refill::half_empty);
    ChannelCore<IntMessage> queue{8, refill, Sharing::many_strands};
    for (int i = 0; i < 8; ++i) {
        IntMessage message{i};
        REQUIRE(queue.try_put(message) == Put::stored);
    }
    WaitingSend waiting{8};
    REQUIRE(queue.put(waiting) == Put::waiting);
    std::vector<IntMessage> batch;
    queue.take_many(batch, 64);
    REQUIRE(batch.size() == 8);
    CHECK(queue.size() == 8);
    CHECK_FALSE(waiting.woken);
    const std::size_t begun = refill == Refill::first_place ? 1 : 4;
    queue.give_back(begun - 1);
    CHECK_FALSE(waiting.woken);
    queue.give_back();
    CHECK(waiting.woken);
    CHECK(queue.size() == 8 - begun + 1);
    CHECK(queue.peak() == 8);
    CHECK(queue.discard() == 8 - begun + 1);  // what nobody has begun is not forgotten
    CHECK(queue.size() == 0);
}

TEST_CASE("the most that waited counts what was taken with others and not begun, and never goes back", "[channel]")
{
    using namespace agdf::detail;
    ChannelCore<IntMessage> queue{8, Refill::half_empty, Sharing::many_strands};
    const auto put = [&](int count) {
        for (int i = 0; i < count; ++i) {
            IntMessage message{i};
            REQUIRE(queue.try_put(message) == Put::stored);
        }
    };
    put(3);
    std::vector<IntMessage> batch;
    queue.take_many(batch, 64);
    put(4);
    CHECK(queue.peak() == 7);
    queue.give_back();
    CHECK(queue.peak() == 7);
    put(2);
    WaitingSend waiting{9};
    REQUIRE(queue.put(waiting) == Put::waiting);
    queue.give_back(2);
    CHECK(queue.size() == 6);
    CHECK(queue.peak() == 8);
    queue.abandon_waiters();
}

TEST_CASE("how much was offered never goes back, whoever looks while a message that waited is let in", "[channel][threads]")
{
    using namespace agdf::detail;
    const Sharing sharing = GENERATE(Sharing::one_strand, Sharing::many_strands);
    ChannelCore<IntMessage> queue{1, Refill::first_place, sharing};
    std::atomic<bool> done{false};
    std::atomic<int> backwards{0};
    std::atomic<std::uint64_t> looks{0};
    std::thread watcher{[&] {
        for (std::uint64_t before = 0; !done; ++looks) {
            const std::uint64_t offered = queue.offered();
            backwards += offered < before;
            before = offered;
        }
    }};
    Taken taken;
    int wrong = 0;  // REQUIRE would take most of the time
    for (std::uint64_t i = 0; i < 100'000 || looks < 1'000; ++i) {
        IntMessage first{1};
        wrong += queue.try_put(first) != Put::stored;
        WaitingSend second{2};
        wrong += queue.put(second) != Put::waiting;
        wrong += queue.try_get(taken) != Got::item;
        wrong += queue.try_get(taken) != Got::item;
        wrong += queue.offered() != 2 * (i + 1);
    }
    done = true;
    watcher.join();
    REQUIRE(wrong == 0);
    REQUIRE(backwards == 0);
}

TEST_CASE("try_send takes an item that can be copied but not assigned", "[channel]")
{
    struct Fixed {
        const int value;
    };
    agdf::Channel<Fixed> channel{1};
    CHECK(channel.try_send(Fixed{1}));
    CHECK_FALSE(channel.try_send(Fixed{2}));
    const auto received = channel.try_receive();
    REQUIRE(received);
    CHECK(received->value == 1);
}

TEST_CASE("a channel may go once it has served the one who waits, also while that one is cancelled", "[channel][threads]")
{
    const test::Watchdog watchdog;
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::thread thread{[&] { io.run(); }};
    int answers = 0;
    constexpr int rounds = 3'000;
    for (int round = 0; round < rounds; ++round) {
        auto channel = std::make_unique<agdf::Channel<int>>(1);
        asio::cancellation_signal signal;
        std::atomic<bool> is_waiting{false}, is_sending{false};
        std::promise<void> done;
        const auto answered = [&](const std::exception_ptr&, const std::optional<int>&) {
            ++answers;
            done.set_value();
        };
        asio::co_spawn(io, channel->receive(), asio::bind_cancellation_slot(signal.slot(), answered));
        asio::post(io, [&] {
            asio::post(io, [&] {
                is_waiting = true;
                for (int looks = 0; !is_sending; ++looks)
                    if (looks > 1'000'000)  // the other thread has no processor
                        std::this_thread::yield();
                signal.emit(asio::cancellation_type::terminal);
            });
        });
        while (!is_waiting)
            std::this_thread::yield();
        is_sending = true;
        if (channel->try_send(1) && channel->size() == 0)
            channel.reset();  // nobody waits there any more
        done.get_future().get();
    }
    work.reset();
    thread.join();
    CHECK(answers == rounds);
}
