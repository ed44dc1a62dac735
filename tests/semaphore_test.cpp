#include <agdf/semaphore.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/graph.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using agdf::Permit;
using agdf::Semaphore;
using test::Counted;
using test::Watchdog;

static_assert(!std::is_copy_constructible_v<Permit> && std::is_nothrow_move_constructible_v<Permit>);
static_assert(std::is_copy_constructible_v<Semaphore> && !std::is_convertible_v<std::size_t, Semaphore>);

namespace {

/// Takes a permit, says so, and keeps it.
asio::awaitable<void> take(Semaphore semaphore, int who, std::vector<int>& log, std::deque<Permit>& kept)
{
    const Counted alive{who};
    Permit permit = co_await semaphore.acquire();
    log.push_back(who);
    kept.push_back(std::move(permit));
}

/// Takes a permit and gives it back some handlers later.
asio::awaitable<void> pass(Semaphore semaphore, int handlers)
{
    const Counted alive{0};
    const Permit permit = co_await semaphore.acquire();
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < handlers; ++i)
        co_await asio::post(executor, asio::use_awaitable);
}

/// An executor whose `execute` comes back late: after its context has begun to die.
class Lingering {
public:
    struct Context {
        std::atomic<bool> lingers{false};
        std::atomic<bool> has_work{false};
        std::atomic<bool> is_dying{false};
        std::atomic<bool> is_gone{false};
        bool was_there = false;
    };
    struct Service : asio::execution_context::service {
        using key_type = Service;
        inline static asio::execution_context::id id;
        explicit Service(asio::execution_context& io) : asio::execution_context::service(io) {}
        ~Service() override { context->is_gone = true; }
        void shutdown() noexcept override { context->is_dying = true; }
        Context* context = nullptr;
    };

    Lingering(asio::io_context& io, Context& context) : io_(&io), context_(&context) {}

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept { return *io_; }
    [[nodiscard]] static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept { return asio::execution::blocking.never; }
    friend bool operator==(const Lingering&, const Lingering&) = default;

    template <class F>
    void execute(F&& function) const
    {
        asio::post(*io_, std::forward<F>(function));
        if (!context_->lingers)
            return;
        context_->has_work = true;
        while (!context_->is_dying)
            std::this_thread::yield();
        for (int i = 0; i < 30'000 && !context_->is_gone; ++i)  // as long as it takes to go, if nothing keeps it
            std::this_thread::yield();
        context_->was_there = !context_->is_gone;
    }

private:
    asio::io_context* io_;
    Context* context_;
};

}  // namespace

TEST_CASE("a semaphore gives out as many permits as it has and lets the rest wait in order", "[semaphore]")
{
    asio::io_context io;
    const Semaphore semaphore{2};
    std::vector<int> log;
    std::deque<Permit> kept;
    CHECK(semaphore.permits() == 2);
    CHECK(semaphore.available() == 2);
    for (int i = 0; i < 5; ++i)
        asio::co_spawn(io, take(semaphore, i, log, kept), asio::detached);
    io.poll();
    CHECK(log == std::vector{0, 1});
    CHECK(semaphore.available() == 0);
    CHECK(semaphore.waiting() == 3);
    CHECK_FALSE(semaphore.try_acquire());
    kept.pop_back();
    CHECK(log.size() == 2);  // nobody is resumed inside the call of another
    CHECK_FALSE(semaphore.try_acquire());  // nobody overtakes the one who waited
    io.poll();
    CHECK(log == std::vector{0, 1, 2});
    kept.clear();
    io.poll();
    CHECK(log == std::vector{0, 1, 2, 3, 4});
    CHECK(semaphore.waiting() == 0);
    kept.clear();
    CHECK(semaphore.available() == 2);
    CHECK(semaphore.permits() == 2);
}

TEST_CASE("a permit is released once: early, by its destruction, or when another takes its place", "[semaphore]")
{
    const Semaphore semaphore{2};
    {
        std::optional<Permit> permit = semaphore.try_acquire();
        REQUIRE(permit);
        CHECK(*permit);
        CHECK(semaphore.available() == 1);
        permit->release();
        CHECK_FALSE(*permit);
        CHECK(semaphore.available() == 2);
        permit->release();
        CHECK(semaphore.available() == 2);
    }
    CHECK(semaphore.available() == 2);
    Permit first = *semaphore.try_acquire();
    Permit second = *semaphore.try_acquire();
    CHECK(semaphore.available() == 0);
    first = std::move(second);
    CHECK(first);
    CHECK_FALSE(second);  // NOLINT: a moved-from permit holds nothing
    CHECK(semaphore.available() == 1);
    Permit& itself = first;
    first = std::move(itself);
    CHECK(semaphore.available() == 1);
    const Permit third{std::move(first)};
    CHECK(semaphore.available() == 1);
}

TEST_CASE("an empty semaphore has no limit", "[semaphore]")
{
    const Semaphore none;
    CHECK_FALSE(none);
    CHECK(Semaphore{1});
    CHECK(none.try_acquire());
    CHECK(none.permits() == none.available());
    CHECK(none.waiting() == 0);
    asio::io_context io;
    std::vector<int> log;
    std::deque<Permit> kept;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(io, take(none, i, log, kept), asio::detached);
    io.run();
    CHECK(log == std::vector{0, 1, 2});
    CHECK_FALSE(kept.front());
}

TEST_CASE("copies of a semaphore share its permits, which may outlive them", "[semaphore]")
{
    auto semaphore = std::make_unique<Semaphore>(1);
    const Semaphore copy = *semaphore;
    std::optional<Permit> permit = semaphore->try_acquire();
    CHECK_FALSE(copy.try_acquire());
    semaphore.reset();
    permit.reset();
    CHECK(copy.available() == 1);

    std::optional<Permit> last = Semaphore{1}.try_acquire();
    CHECK(last);
    last.reset();

    asio::io_context io;
    const auto from_a_temporary = []() -> asio::awaitable<void> {
        auto acquire = Semaphore{1}.acquire();
        const Permit own = co_await std::move(acquire);
        CHECK(own);
    };
    asio::co_spawn(io, from_a_temporary, asio::detached);
    io.run();
}

TEST_CASE("a number of permits that cannot be is refused in a sentence", "[semaphore]")
{
    CHECK(test::graph_error_of([] { const Semaphore semaphore{0}; }) ==
          "agdf::Semaphore: the number of permits is 0. Expected: from 1 to 1000000. Pass such a number, or take "
          "agdf::Semaphore{} for no limit.");
    CHECK(test::graph_error_of([] { const Semaphore semaphore{1'000'001}; }).find("permits is 1000001.") != std::string::npos);
    const Semaphore largest{1'000'000};
    CHECK(largest.available() == 1'000'000);
}

TEST_CASE("an acquire that is cancelled takes no permit, and those behind it keep their order", "[semaphore][cancellation]")
{
    asio::io_context io;
    const Semaphore semaphore{1};
    std::vector<int> log;
    std::deque<Permit> kept;
    std::array<asio::cancellation_signal, 4> signals;
    std::string text;
    for (int i = 0; i < 4; ++i)
        asio::co_spawn(io, take(semaphore, i, log, kept),
                       asio::bind_cancellation_slot(signals[static_cast<std::size_t>(i)].slot(), [&](std::exception_ptr error) {
                           if (error)
                               text = agdf::describe(error);
                       }));
    io.poll();
    CHECK(semaphore.waiting() == 3);
    signals[2].emit(asio::cancellation_type::terminal);
    io.poll();
    CHECK(text.find("agdf::Semaphore::acquire") != std::string::npos);
    CHECK(semaphore.waiting() == 2);
    kept.clear();
    io.poll();
    kept.clear();
    io.poll();
    CHECK(log == std::vector{0, 1, 3});
    kept.clear();
    CHECK(semaphore.available() == 1);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("an acquire that has its permit is not undone by a cancellation that comes too late", "[semaphore][cancellation]")
{
    asio::io_context io;
    const Semaphore semaphore{1};
    std::vector<int> log;
    std::deque<Permit> kept;
    asio::cancellation_signal signal;
    kept.push_back(*semaphore.try_acquire());
    asio::co_spawn(io, take(semaphore, 7, log, kept), asio::bind_cancellation_slot(signal.slot(), asio::detached));
    io.poll();
    kept.clear();
    signal.emit(asio::cancellation_type::terminal);
    io.poll();
    CHECK(log == std::vector{7});
    kept.clear();
    CHECK(semaphore.available() == 1);
}

TEST_CASE("a crowd that is cancelled at any moment loses no permit", "[semaphore][cancellation]")
{
    const Watchdog watchdog;
    for (int steps = 0; steps < 60; ++steps) {
        asio::io_context io;
        const Semaphore semaphore{2};
        std::array<asio::cancellation_signal, 6> signals;
        for (auto& signal : signals)
            asio::co_spawn(io, pass(semaphore, 3), asio::bind_cancellation_slot(signal.slot(), asio::detached));
        for (int i = 0; i < steps; ++i)
            io.poll_one();
        for (std::size_t i = 0; i < signals.size(); i += 2)
            signals[i].emit(asio::cancellation_type::terminal);
        io.poll();
        REQUIRE(semaphore.available() == 2);
        REQUIRE(semaphore.waiting() == 0);
        REQUIRE(Counted::alive() == 0);
    }
}

TEST_CASE("a context that is destroyed at any step gives every permit back", "[semaphore][lifetime]")
{
    const Watchdog watchdog;
    bool more = true;
    for (int steps = 0; more; ++steps) {
        const Semaphore semaphore{2};
        {
            asio::io_context io;
            for (int i = 0; i < 6; ++i)
                asio::co_spawn(asio::make_strand(io), pass(semaphore, 2), asio::detached);
            for (int i = 0; i < steps && more; ++i)
                more = io.run_one() != 0;
        }
        REQUIRE(Counted::alive() == 0);
        REQUIRE(semaphore.available() == 2);
        REQUIRE(semaphore.waiting() == 0);
    }
}

TEST_CASE("a permit that was given to a coroutine of a context that dies goes to one of another context", "[semaphore][lifetime]")
{
    const Semaphore semaphore{1};
    asio::io_context survivor;
    std::vector<int> log;
    std::deque<Permit> kept;
    auto dying = std::make_unique<asio::io_context>();
    std::optional<Permit> permit = semaphore.try_acquire();
    asio::co_spawn(*dying, take(semaphore, 1, log, kept), asio::detached);
    dying->poll();
    asio::co_spawn(survivor, take(semaphore, 2, log, kept), asio::detached);
    survivor.poll();
    permit.reset();  // belongs to 1 from now on, which has not been resumed
    dying.reset();
    survivor.poll();
    CHECK(log == std::vector{2});
    kept.clear();
    CHECK(semaphore.available() == 1);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("thousands may wait, and go with their context without a trace", "[semaphore][lifetime]")
{
    const Watchdog watchdog;
    constexpr int crowd = 20'000;
    const Semaphore semaphore{3};
    {
        asio::io_context io;
        std::vector<int> log;
        std::deque<Permit> kept;
        for (int i = 0; i < crowd; ++i)
            asio::co_spawn(asio::make_strand(io), take(semaphore, i, log, kept), asio::detached);
        io.poll();
        CHECK(semaphore.waiting() == crowd - 3);
        while (!kept.empty()) {
            kept.pop_front();
            io.poll();
        }
        CHECK(log.size() == crowd);
        CHECK(std::is_sorted(log.begin(), log.end()));
        io.restart();
        for (int i = 0; i < crowd; ++i)
            asio::co_spawn(io, pass(semaphore, 1'000'000'000), asio::detached);
        for (int i = 0; i < 2 * crowd; ++i)
            io.run_one();
        CHECK(semaphore.waiting() > 0);
    }
    CHECK(semaphore.available() == 3);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("a semaphore that several graphs and threads share is never exceeded", "[semaphore][threads]")
{
    const Watchdog watchdog{std::chrono::seconds(50)};
    constexpr int items = 2'000;
    const Semaphore semaphore{3};
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> done{0};
    const auto work = [&, semaphore](int) -> asio::awaitable<void> {
        const Permit permit = co_await semaphore.acquire();
        const int now = ++inside;
        int before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        const auto executor = co_await asio::this_coro::executor;
        co_await asio::post(executor, asio::use_awaitable);
        --inside;
        ++done;
    };
    const auto run = [&] {
        asio::io_context io;
        agdf::Graph graph{io, test::quiet({.threads = 2})};
        auto numbers = graph.add_node("numbers", [&]() -> agdf::Stream<int> {
            for (int i = 0; i < items; ++i)
                co_yield i;
        });
        auto worker = graph.add_node("work", work, {.workers = 8});
        graph.add_edge(numbers, worker);
        const agdf::RunReport report = graph.run();
        if (report.exit_code() != 0)
            std::abort();
    };
    std::thread other{run};
    run();
    other.join();
    CHECK(done == 2 * items);
    CHECK(most == 3);
    CHECK(semaphore.available() == 3);
}

TEST_CASE("a context that ends because a permit came from another thread lives until that thread has let go of it", "[semaphore][threads]")
{
    const Watchdog watchdog;
    Lingering::Context context;
    const Semaphore semaphore{1};
    std::optional<Permit> permit = semaphore.try_acquire();
    auto io = std::make_unique<asio::io_context>();
    asio::co_spawn(Lingering{*io, context}, pass(semaphore, 1), asio::detached);
    io->poll();
    context.lingers = true;
    std::thread other{[&] { permit.reset(); }};
    while (!context.has_work)
        std::this_thread::yield();
    asio::use_service<Lingering::Service>(*io).context = &context;
    io.reset();
    other.join();
    CHECK(context.was_there);
    CHECK(Counted::alive() == 0);
}

TEST_CASE("acquires on two threads that are cancelled while permits come lose none", "[semaphore][threads][cancellation]")
{
    const Watchdog watchdog{std::chrono::seconds(50)};
    const Semaphore semaphore{1};
    asio::thread_pool pool{2};
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    for (int i = 0; i < 400; ++i) {
        auto strand = asio::make_strand(pool);
        signals.push_back(std::make_unique<asio::cancellation_signal>());
        asio::co_spawn(strand, pass(semaphore, 2), asio::bind_cancellation_slot(signals.back()->slot(), asio::detached));
        if (i % 2 == 0)
            asio::post(strand, [signal = signals.back().get()] { signal->emit(asio::cancellation_type::terminal); });
    }
    pool.join();
    CHECK(semaphore.available() == 1);
    CHECK(semaphore.waiting() == 0);
    CHECK(Counted::alive() == 0);
}
