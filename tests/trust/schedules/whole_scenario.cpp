// Bodies that see their whole stream: they wait with a deadline, give up, fail and are called again.

#include "flow.hpp"

namespace schedules {

namespace {

class WholeScenario final : public Flow {
public:
    using Flow::Flow;

private:
    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        NodeBook& from = add_book("source", {}, true);
        from.items = random.between(0, 12);
        graph().add_node("source", source(from));
        whole_ = &add_book("whole", {.workers = static_cast<std::size_t>(random.between(1, 3)), .queue_size = static_cast<std::size_t>(random.between(1, 4))});
        whole_->balances = false;
        gives_up_ = random.percent(20);
        if (random.percent(50))
            graph().add_node("whole", [this](agdf::Receiver<Item> items) { return pass(*this, items); }, whole_->options);
        else
            graph().add_node("whole", [this](agdf::Receiver<Item> items) { return keep(*this, items); }, whole_->options);
        connect(from, *whole_);
        NodeBook& last = add_book("sink", some_options(true));
        graph().add_node("sink", slow_sink(last), last.options);
        connect(*whole_, last);
    }

    void begin_books() override { received_ = 0; }

    /// Sends on each item.
    static agdf::Stream<Item> pass(WholeScenario& self, agdf::Receiver<Item> items)
    {
        const Alive frame;
        const int begun = static_cast<int>(self.whole_->visits++);
        for (int i = 0; !items.has_ended(); ++i) {
            const int chance = self.roll(*self.whole_, begun * 50 + i, 30);
            if (chance % 10 == 0 && chance < 2 * self.error_chance)
                throw Planned{};
            if (self.gives_up_ && chance == 99)
                co_return;
            const auto wait = std::chrono::microseconds(250 * (chance % 4));
            auto item = co_await items.next_for(wait);
            if (!item)
                continue;
            self.receive(*item);
            self.note_yield(*self.whole_, *item);
            co_yield std::move(*item);
        }
    }

    /// Keeps an item, and sends it on when the next one has come, or the end, or a drain.
    static agdf::Stream<Item> keep(WholeScenario& self, agdf::Receiver<Item> items)
    {
        const Alive frame;
        ++self.whole_->visits;
        std::optional<Item> kept;
        while (!items.has_ended()) {
            auto item = co_await items.next_until(std::chrono::steady_clock::time_point::max());
            if (item)
                self.receive(*item);
            if (kept) {
                self.note_yield(*self.whole_, *kept);
                co_yield std::move(*kept);
                kept.reset();
            }
            if (item)
                kept.emplace(std::move(*item));
            else
                self.world_.expect(items.has_ended() || items.is_draining(), "a wait without a deadline ended with nothing");
        }
    }

    void receive(const Item& item)
    {
        world_.note("received {}", item.number());
        world_.expect(item.number() != Item::none, "an item was received that was moved from");
        world_.expect(++whole_->seen[item.number()] == 1, "item {} was received twice", item.number());
        ++received_;
        let_others_run();
    }

    void check_run(const agdf::RunReport& report) override
    {
        const agdf::NodeStats& stats = report.node("whole");
        if (report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled)
            world_.expect(received_ + stats.undelivered <= stats.in + whole_->options.workers && received_ + stats.undelivered >= stats.in,
                          "of {} items {} were received and {} are undelivered", stats.in, received_, stats.undelivered);
        else
            world_.expect(received_ + stats.undelivered == stats.in, "of {} items {} were received and {} are undelivered", stats.in, received_, stats.undelivered);
        world_.expect(stats.out == whole_->yields, "{} items were sent, and {} yielded", stats.out, whole_->yields);
    }

    NodeBook* whole_ = nullptr;
    bool gives_up_ = false;
    std::size_t received_ = 0;
};

const Enter<WholeScenario> entry{"whole", "bodies that see their whole stream, with deadlines and errors"};

}  // namespace

}  // namespace schedules
