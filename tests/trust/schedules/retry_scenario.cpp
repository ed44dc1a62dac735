// Attempts that fail together and are tried again after times of chance, of their own wish, or not at all.

#include "flow.hpp"

#include <algorithm>

namespace schedules {

namespace {

/// What the predicate says no to.
class Hopeless : public Planned {};

class RetryScenario final : public Flow {
public:
    using Flow::Flow;

private:
    enum class Kind { none, planned, wish, hopeless };

    /// How the last attempt with an item ended.
    struct Last {
        std::size_t attempts = 0;
        Kind kind = Kind::none;
        Duration at{};
    };

    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        error_chance = std::max(error_chance, random.between(10, 70));
        NodeBook* before = &add_book("source", {}, true);
        before->items = random.between(1, 12);
        graph().add_node("source", source(*before));
        const int nodes = random.between(1, 2);
        for (int i = 0; i < nodes; ++i) {
            NodeBook& book = add_book(fmt::format("node{}", i), retrying());
            if (i == 0 || book.options.limit || random.percent(60))  // a stream sends some items twice
                graph().add_node(book.name, [this, &book](Item item) { return attempt(*this, book, std::move(item)); }, book.options);
            else
                graph().add_node(book.name, stream(book), book.options);
            connect(*before, book);
            before = &book;
        }
        NodeBook& last = add_book("sink", some_options(true));
        can_tell_permits_ = !last.options.rate_limit;  // one may wait for its turn with a permit
        graph().add_node("sink", slow_sink(last), last.options);
        connect(*before, last);
    }

    agdf::NodeOptions retrying()
    {
        Random& random = world_.random;
        agdf::NodeOptions options{.workers = static_cast<std::size_t>(random.between(1, 4)), .queue_size = static_cast<std::size_t>(random.between(1, 4))};
        options.retry = {.attempts = static_cast<std::size_t>(random.between(2, 4)),
                         .delay = 700us * random.between(0, 3),
                         .factor = static_cast<double>(random.between(1, 3)),
                         .max_delay = 1'000us * random.between(1, 6),
                         .jitter = random.percent(75) ? agdf::Jitter::full : agdf::Jitter::none,
                         .when = {}};
        if (random.percent(50))
            options.retry.when = [](const std::exception_ptr& error) { return !is_hopeless(error); };
        options.ordered = random.percent(20);
        if (random.percent(30))
            options.limit = semaphore_;
        else if (random.percent(15))
            options.rate_limit = agdf::RateLimit{.rate = 4, .per = 1ms, .burst = 2};
        world_.note("delay {} us, times {}, at most {} us, {} jitter", options.retry.delay.count() / 1'000, options.retry.factor,
                    options.retry.max_delay.count() / 1'000, options.retry.jitter == agdf::Jitter::full ? "full" : "no");
        return options;
    }

    static bool is_hopeless(const std::exception_ptr& error)
    {
        try {
            std::rethrow_exception(error);
        } catch (const Hopeless&) {
            return true;
        } catch (...) {
            return false;
        }
    }

    void begin_books() override
    {
        attempts_.clear();
        parts_.clear();
    }

    static asio::awaitable<Item> attempt(RetryScenario& self, NodeBook& book, Item item)
    {
        Visit visit{self, book, item};
        Last& last = self.attempts_[{book.index, item.number()}];
        self.check_attempt(book, item, last);
        ++last.attempts;
        last.kind = Kind::none;
        co_await visit.wait();
        self.let_others_run();
        const int chance = visit.roll(1);
        if (chance < self.error_chance) {
            last.at = self.world_.time().elapsed();
            last.kind = chance % 10 < 2 ? Kind::wish : chance % 10 < 4 ? Kind::hopeless : Kind::planned;
            if (last.kind == Kind::wish)
                throw agdf::RetryLater("planned", wish);
            if (last.kind == Kind::hopeless)
                throw Hopeless{};
            throw Planned{};
        }
        visit.yields(item);
        visit.done();
        co_return item;
    }

    void check_attempt(const NodeBook& book, const Item& item, const Last& last)
    {
        const agdf::Retry& retry = book.options.retry;
        world_.expect(last.attempts < retry.attempts, "node {} tries item {} more than {} times", book.name, item.number(), retry.attempts);
        if (last.attempts == 0)
            return;
        world_.expect(last.kind != Kind::none, "node {} tries item {} again, which had not failed", book.name, item.number());
        world_.expect(last.kind != Kind::hopeless || !retry.when, "node {} tries item {} again against its predicate", book.name, item.number());
        if (was_cut_short())  // then nobody sleeps any more
            return;
        const Duration slept = world_.time().elapsed() - last.at;
        const Duration most = last.kind == Kind::wish ? std::min<Duration>(wish, retry.max_delay) : delay_after(retry, last.attempts);
        const bool is_exact = last.kind == Kind::wish || retry.jitter == agdf::Jitter::none;
        world_.note("{} us of {}", slept.count() / 1'000, most.count() / 1'000);
        world_.expect(!is_exact || slept >= most, "node {} tries item {} again after {} ns, and should wait {}", book.name, item.number(), slept.count(), most.count());
        if (!world_.is_punctual() || book.options.limit || book.options.rate_limit)
            return;
        world_.expect(slept <= most, "node {} tries item {} again after {} ns, and should wait {} at most", book.name, item.number(), slept.count(), most.count());
        if (!is_exact && most > Duration::zero())
            parts_.push_back(static_cast<double>(slept.count()) / static_cast<double>(most.count()));
    }

    static Duration delay_after(const agdf::Retry& retry, std::size_t failed)
    {
        Duration delay = retry.delay;
        for (std::size_t i = 1; i < failed; ++i)
            delay *= static_cast<int>(retry.factor);
        return std::min(delay, retry.max_delay);
    }

    void check_more() override
    {
        const std::size_t taken = semaphore_.permits() - semaphore_.available();
        if (can_tell_permits_ && world_.context().ready() == 0 && !was_cut_short())
            world_.expect(taken == permits_out_, "{} permits are taken, and {} bodies have one: somebody sleeps with one", taken, permits_out_);
    }

    void check_run(const agdf::RunReport&) override
    {
        constexpr std::size_t enough = 3;
        world_.expect(parts_.size() < enough || std::any_of(parts_.begin(), parts_.end(), [&](double part) { return part != parts_.front(); }),
                      "{} delays with jitter are all the same part of what they may be: {}", parts_.size(), parts_.empty() ? 0 : parts_.front());
    }

    static constexpr std::chrono::microseconds wish{1'500};

    bool can_tell_permits_ = true;
    std::map<std::pair<std::size_t, int>, Last> attempts_;
    std::vector<double> parts_;  // of the longest delay, where only chance decided
};

const Enter<RetryScenario> entry{"retry", "attempts that are tried again after a time of chance, or of their own wish"};

}  // namespace

}  // namespace schedules
