// Items that travel together: batches that are flushed by number, by time, at the end and by a stop.

#include "flow.hpp"

namespace schedules {

namespace {

class BatchScenario final : public Flow {
public:
    using Flow::Flow;

private:
    using Batch = std::vector<Item>;

    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        source_ = &add_book("source", {}, true);
        source_->items = random.between(0, 15);
        graph().add_node("source", source(*source_));
        NodeBook* before = source_;
        if (random.percent(40)) {
            before = &add_book("between", some_options(true));
            graph().add_node(before->name, awaits(*before), before->options);
            connect(*source_, *before);
        }
        most_ = static_cast<std::size_t>(random.between(1, 4));
        delay_ = random.percent(60) ? 500us * random.between(1, 4) : 0us;
        const auto workers = static_cast<std::size_t>(random.between(1, 2));
        batch_ = &add_book("batch", {.workers = workers, .queue_size = static_cast<std::size_t>(random.between(1, 4))});
        batch_->balances = false;
        agdf::BatchOptions<Item> options{.max_items = most_, .max_delay = delay_};
        if (random.percent(25)) {
            options.max_weight = 3;
            options.weight = [](const Item& item) { return static_cast<std::size_t>(item.number() % 5); };
        }
        auto batches = graph().add_node("batch", agdf::batch<Item>(options), batch_->options);
        connect(*before, *batch_);
        sink_ = &add_book("sink", {.queue_size = static_cast<std::size_t>(random.percent(50) ? 100 : 1)});
        sink_->producers = {batch_};
        is_slow_ = random.percent(30);
        batches >> graph().add_node("sink", [this](Batch batch) { return take(*this, std::move(batch)); }, sink_->options);
        world_.note("batches of {}, after {} us", most_, delay_.count());
    }

    void begin_books() override { received_.clear(); }

    static asio::awaitable<void> take(BatchScenario& self, Batch batch)
    {
        World& world = self.world_;
        world.expect(!batch.empty(), "a batch is empty");
        world.expect(batch.size() <= self.most_, "a batch has {} items, and may have {}", batch.size(), self.most_);
        Visit visit{self, *self.sink_, batch.front()};
        for (const Item& item : batch) {
            world.expect(item.number() != Item::none, "an item in a batch was moved from");
            const bool is_new = self.received_.emplace(item.number(), world.time().elapsed()).second;
            world.expect(is_new, "item {} is in two batches", item.number());
            world.note("batch: {}", item.number());
        }
        bool is_sorted = true;
        for (std::size_t i = 1; i < batch.size(); ++i)
            is_sorted = is_sorted && batch[i - 1].number() < batch[i].number();
        world.expect(is_sorted || !self.batch_->is_sorted, "the items of a batch are not in their order");
        if (self.is_slow_)
            co_await visit.wait();
        visit.done();
    }

    void check_run(const agdf::RunReport& report) override
    {
        const agdf::NodeStats& stats = report.node("batch");
        const std::uint64_t counted = stats.err + stats.dropped + stats.undelivered;
        const bool discards = report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled;
        if (discards)
            world_.expect(received_.size() + counted <= stats.in, "{} items are in batches and {} are counted, of {}", received_.size(), counted, stats.in);
        else
            world_.expect(received_.size() == stats.in && counted == 0, "{} items are in batches and {} are counted, of {}", received_.size(), counted, stats.in);
        if (stats.out == report.node("sink").in - report.node("sink").undelivered)
            world_.expect(received_.size() + counted == stats.in, "{} items are in batches and {} are counted, of {}, and no batch is lost", received_.size(), counted, stats.in);
    }

    NodeBook* source_ = nullptr;
    NodeBook* batch_ = nullptr;
    NodeBook* sink_ = nullptr;
    std::size_t most_ = 1;
    std::chrono::microseconds delay_{};
    bool is_slow_ = false;
    std::map<int, Duration> received_;
};

const Enter<BatchScenario> entry{"batch", "batches by number, time and weight, with one or two workers"};

}  // namespace

}  // namespace schedules
