// Calls in the blocking pool: their results come back at any time, or to nobody.

#include "flow.hpp"
#include "pool_calls.hpp"

#include <stop_token>

namespace schedules {

namespace {

/// Hears of each call that the time is held for, and is else the clock that is there.
class HeldClock final : public agdf::detail::VirtualClock {
public:
    HeldClock(std::shared_ptr<agdf::detail::VirtualClock> inner, PoolCalls& calls) : inner_(std::move(inner)), calls_(calls) {}

    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return inner_->now(); }
    [[nodiscard]] agdf::detail::WaitKey next_key(std::chrono::steady_clock::time_point deadline) override { return inner_->next_key(deadline); }
    void add(agdf::detail::WaitKey key, std::unique_ptr<agdf::detail::VirtualWait> wait) override { inner_->add(key, std::move(wait)); }
    void cancel(agdf::detail::WaitKey key) override { inner_->cancel(key); }
    void note_sleep(Duration duration) override { inner_->note_sleep(duration); }
    void hold() noexcept override
    {
        calls_.add_without_ticket();
        inner_->hold();
    }
    void release() noexcept override { inner_->release(); }

private:
    const std::shared_ptr<agdf::detail::VirtualClock> inner_;
    PoolCalls& calls_;
};

class BlockingScenario final : public Flow {
public:
    using Flow::Flow;

private:
    void build() override
    {
        Random& random = world_.random;
        uses_nodes_ = random.percent(40);
        const auto nodes = static_cast<std::size_t>(random.between(1, 2));
        // A node's call cannot be seen while it waits for a thread, so none has to, even beside those that nobody waits for any more.
        limit_ = uses_nodes_ ? 1'000 : static_cast<std::size_t>(random.between(1, 3));
        make_graph({.blocking_threads = limit_});
        calls_ = std::make_unique<PoolCalls>(world_, limit_);
        if (uses_nodes_)
            hear_of_holds();
        NodeBook* before = &add_book("source", {}, true);
        before->items = random.between(0, 10);
        graph().add_node("source", source(*before));
        for (std::size_t i = 0; i < nodes; ++i) {
            NodeBook& book = add_book(fmt::format("node{}", i), some_options(true));
            add(book);
            connect(*before, book);
            before = &book;
        }
        NodeBook& last = add_book("sink", some_options(true));
        graph().add_node("sink", slow_sink(last), last.options);
        connect(*before, last);
    }

    void hear_of_holds()
    {
        auto& service = asio::use_service<agdf::detail::TimeService>(static_cast<asio::execution_context&>(world_.context()));
        auto inner = service.clock();
        service.uninstall();
        (void)service.install(std::make_shared<HeldClock>(std::move(inner), *calls_));
    }

    void add(NodeBook& book)
    {
        const int kind = world_.random.between(0, 2);
        if (uses_nodes_)
            graph().add_node(book.name, agdf::blocking(NodeCall{*this, book}), book.options);
        else if (kind == 0)
            graph().add_node(book.name, [this, &book](Item item) { return call_once(*this, book, std::move(item)); }, book.options);
        else if (kind == 1)
            graph().add_node(book.name, [this, &book](Item item) { return call_twice(*this, book, std::move(item)); }, book.options);
        else
            graph().add_node(book.name, [this, &book](Item item) { return call_and_yield(*this, book, std::move(item)); }, book.options);
        book.is_stream = !uses_nodes_ && kind == 2;
        book.balances = !uses_nodes_;
    }

    void begin_books() override
    {
        ++run_;
        for (int i = world_.random.between(0, 2); i > 0; --i)  // by itself it stands still while there are calls
            plan(100, "time goes on", [this] {
                if (!is_running())
                    return;
                world_.time().advance(500us * world_.random.between(1, 3));
                has_advanced_ = true;
            });
    }

    /// What is called in the pool.
    class Call {
    public:
        Call(BlockingScenario& self, NodeBook& book, const Item& item, bool fails)
            : self_(self), ticket_(*self.calls_), number_(call_number(book, item)), item_(item.number()), fails_(fails)
        {
        }

        Item operator()() { return run(); }

    protected:
        Item run()
        {
            self_.calls_->stand_at_gate(number_);
            if (fails_)
                throw Planned{};
            return Item{item_};
        }

        BlockingScenario& self_;

    private:
        PoolCalls::Ticket ticket_;
        int number_;
        int item_;
        bool fails_;
    };

    /// The same, and hears whether anybody waits for it.
    class StoppableCall : public Call {
    public:
        using Call::Call;

        Item operator()(const std::stop_token& token)
        {
            constexpr int left_alone = 1;
            const Item result = run();
            if (!token.stop_requested())
                return result;
            self_.was_left_alone_ = true;
            return Item{result.number(), left_alone};
        }
    };

    /// A node's body. It is copied into the graph, and called on the pool's threads.
    struct NodeCall {
        BlockingScenario& self;
        NodeBook& book;
        Item operator()(const Item& item) const  // a copy would be made and counted while the search goes on
        {
            const int run = self.run_;
            self.calls_->stand_at_gate(call_number(book, item));
            // From here on the search waits.
            if (run != self.run_)
                return item;  // nobody has waited for a long time
            self.world_.expect(++book.seen[item.number()] <= static_cast<int>(book.options.retry.attempts), "node {} is called too often with item {}", book.name,
                               item.number());
            ++book.visits;
            if (self.roll(book, item.number(), 1) < self.error_chance)
                throw Planned{};
            ++book.done;
            return item;
        }
    };

    static int call_number(const NodeBook& book, const Item& item) { return static_cast<int>(book.index) * 10'000 + item.number(); }

    template <class AnyCall>
    static asio::awaitable<void> make(BlockingScenario& self, NodeBook& book, const Item& item, bool fails)
    {
        const auto began = self.world_.time().elapsed();
        AnyCall call{self, book, item, fails};
        const Item result = co_await agdf::run_blocking(std::move(call));
        self.world_.expect(result.source() == 0, "a call was told that nobody waits for it, and node {} does", book.name);
        self.world_.expect(result.number() == item.number(), "node {} called for item {} and got item {}", book.name, item.number(), result.number());
        const auto took = self.world_.time().elapsed() - began;
        self.world_.expect(took == Duration::zero() || self.has_advanced_ || !self.world_.is_punctual(), "time went on by {} us in a call", took.count() / 1'000);
    }

    static asio::awaitable<Item> call_once(BlockingScenario& self, NodeBook& book, Item item)
    {
        Visit visit{self, book, item};
        const bool fails = visit.roll(1) < self.error_chance;
        if (visit.roll(9) < 50)
            co_await make<Call>(self, book, item, fails);
        else
            co_await make<StoppableCall>(self, book, item, fails);
        self.let_others_run();
        visit.yields(item);
        visit.done();
        co_return item;
    }

    static asio::awaitable<Item> call_twice(BlockingScenario& self, NodeBook& book, Item item)
    {
        Visit visit{self, book, item};
        co_await make<StoppableCall>(self, book, item, false);
        co_await visit.wait();
        bool was_cancelled = false;
        try {
            co_await make<Call>(self, book, item, visit.roll(1) < self.error_chance);
        } catch (const asio::system_error&) {
            was_cancelled = true;
        }
        if (was_cancelled && visit.roll(5) >= 10)
            throw asio::system_error(asio::error::operation_aborted);
        visit.yields(item);
        visit.done();
        co_return item;
    }

    static agdf::Stream<Item> call_and_yield(BlockingScenario& self, NodeBook& book, Item item)
    {
        Visit visit{self, book, item};
        co_await make<Call>(self, book, item, visit.roll(1) < self.error_chance);
        self.let_others_run();
        visit.yields(item);
        co_yield std::move(item);
        visit.done();  // not before: its time may be over there
    }

    void check_more() override { world_.expect(calls_->at_gate() <= limit_, "{} calls are under way, and {} may be", calls_->at_gate(), limit_); }

    void check_run(const agdf::RunReport& report) override
    {
        may_leave_alone_ = may_leave_alone_ || was_cut_short() || report.outcome == agdf::Outcome::halted;
        for (const auto& book : books_)
            may_leave_alone_ = may_leave_alone_ || book->options.timeout > Duration::zero();
        world_.expect(may_leave_alone_ || !was_left_alone_, "a call was told that nobody waits for it, and all do");
        for (const auto& book : books_) {
            if (book->balances || book->is_source)
                continue;
            const agdf::NodeStats& stats = report.node(book->name);
            const bool discards = report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled;
            const std::uint64_t counted = stats.err + stats.dropped + stats.undelivered;
            world_.expect(stats.out + counted <= stats.in && (discards || stats.out + counted == stats.in),
                          "node {} was offered {} items, {} left it, {} are counted", book->name, stats.in, stats.out, counted);
            world_.expect(stats.out <= book->done, "node {} sent {} items, and {} calls returned one", book->name, stats.out, book->done);
        }
    }

    int run_ = 0;
    bool uses_nodes_ = false;
    std::size_t limit_ = 1;
    bool has_advanced_ = false;
    bool was_left_alone_ = false;
    bool may_leave_alone_ = false;
    std::unique_ptr<PoolCalls> calls_;
};

const Enter<BlockingScenario> entry{"blocking", "calls in the pool, whose results come back at any time or to nobody"};

}  // namespace

}  // namespace schedules
