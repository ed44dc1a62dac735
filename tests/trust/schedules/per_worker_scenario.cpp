// Bodies that each worker has for itself: made after the setup, never shared, gone before the teardown.

#include "flow.hpp"

#include <algorithm>
#include <set>

namespace schedules {

namespace {

class PerWorkerScenario final : public Flow {
public:
    using Flow::Flow;

private:
    /// What a body keeps for itself.
    class Desk {
    public:
        Desk(PerWorkerScenario& self, std::size_t node) : self_(self), node_(node)
        {
            self_.desks_.insert(this);
            ++self_.made_[node_];
            ++self_.living_[node_];
        }
        Desk(const Desk&) = delete;
        Desk& operator=(const Desk&) = delete;
        ~Desk()
        {
            self_.world_.expect(!is_busy_, "a body of node {} is destroyed while it is at work", node_);
            self_.desks_.erase(this);
            --self_.living_[node_];
        }

        [[nodiscard]] PerWorkerScenario& self() noexcept { return self_; }

        /// A call of the body, until the end of the frame.
        class Use {
        public:
            Use(PerWorkerScenario& self, Desk* desk) : self_(self), desk_(desk)
            {
                self_.world_.expect(is_there(), "a body is called that is gone");
                if (!is_there())
                    return;
                self_.world_.expect(!desk_->is_busy_, "a body of node {} is called while it is at work", desk_->node_);
                desk_->is_busy_ = true;
            }
            Use(const Use&) = delete;
            Use& operator=(const Use&) = delete;
            ~Use()
            {
                self_.world_.expect(is_there(), "a body is gone while it is at work");
                if (is_there())
                    desk_->is_busy_ = false;
            }

        private:
            [[nodiscard]] bool is_there() const { return self_.desks_.contains(desk_); }

            PerWorkerScenario& self_;
            Desk* const desk_;
        };

    private:
        PerWorkerScenario& self_;
        const std::size_t node_;
        bool is_busy_ = false;
        Alive alive_;
    };

    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        fails_ = random.percent(25);
        NodeBook* before = &add_book("source", with_hooks({}, 0), true);
        before->items = random.between(0, 12);
        graph().add_node("source", source(*before), before->options);
        const auto nodes = static_cast<std::size_t>(random.between(1, 3));
        made_.assign(nodes + 1, 0);
        living_.assign(nodes + 1, 0);
        for (std::size_t i = 1; i <= nodes; ++i) {
            NodeBook& book = add_node(i, i == nodes);
            connect(*before, book);
            before = &book;
        }
    }

    NodeBook& add_node(std::size_t i, bool is_last)
    {
        const int kind = world_.random.between(0, is_last ? 4 : 3);
        agdf::NodeOptions options;
        if (kind == 3)  // policies are for single items
            options = {.workers = static_cast<std::size_t>(world_.random.between(1, 3)), .queue_size = static_cast<std::size_t>(world_.random.between(1, 4))};
        else
            options = some_options(kind != 0);
        NodeBook& book = add_book(fmt::format("node{}", i), with_hooks(options, i));
        if (kind == 0)
            add(book, [this, call = plain(book)](Desk* desk, Item item) {
                const Desk::Use use{*this, desk};
                return call(std::move(item));
            });
        else if (kind == 1)
            add(book, [this, &book](Desk* desk, Item item) { return pass(*this, desk, book, std::move(item)); });
        else if (kind == 2)
            add(book, [this, &book](Desk* desk, Item item) { return spread(*this, desk, book, std::move(item)); });
        else if (kind == 3)
            add(book, [this, &book](Desk* desk, agdf::Receiver<Item> items) { return pass_all(*this, desk, book, items); });
        else
            add(book, [this, &book](Desk* desk, Item item) { return take(*this, desk, book, std::move(item)); });
        book.is_stream = kind == 2;
        book.balances = kind != 3;
        return book;
    }

    template <class Call>
    void add(NodeBook& book, Call call)
    {
        graph().add_node(book.name, agdf::per_worker([this, &book, call] {
            make_one(book);
            return body_of(std::make_shared<Desk>(*this, book.index), call, &Call::operator());
        }), book.options);
    }

    /// With a signature that the library can read.
    template <class Call, class Return, class In>
    static auto body_of(std::shared_ptr<Desk> desk, Call call, Return (Call::*)(Desk*, In) const)
    {
        return [desk = std::move(desk), call](In in) { return call(desk.get(), std::move(in)); };
    }

    void make_one(const NodeBook& book)
    {
        const std::size_t i = book.index;
        world_.note("makes a body of {}", book.name);
        world_.expect(!book.options.setup || was_set_up_[i], "a body of node {} is made before its setup", book.name);
        for (const auto& other : books_)
            world_.expect(other->visits == 0, "a body of node {} is made although node {} works", book.name, other->name);
        let_others_run();
        if (fails_ && roll(book, salt_of_run_, 40 + static_cast<int>(made_[i])) < 10) {
            make_failed_ = true;
            ++books_[i]->hook_errors;
            throw Planned{};
        }
    }

    agdf::NodeOptions with_hooks(agdf::NodeOptions options, std::size_t index)
    {
        if (world_.random.percent(50))
            options.setup = [this, index] { return set_up(*this, index); };
        if (world_.random.percent(50))
            options.teardown = [this, index] { return tear_down(*this, index); };
        return options;
    }

    static asio::awaitable<void> set_up(PerWorkerScenario& self, std::size_t index)
    {
        const Alive frame;
        self.world_.expect(self.made_[index] == 0, "node {} has bodies before its setup", index);
        self.let_others_run();
        self.was_set_up_[index] = true;
        co_return;
    }

    static asio::awaitable<void> tear_down(PerWorkerScenario& self, std::size_t index)
    {
        const Alive frame;
        self.world_.expect(self.living_[index] == 0, "node {} has {} bodies in its teardown", index, self.living_[index]);
        self.let_others_run();
        co_return;
    }

    static asio::awaitable<Item> pass(PerWorkerScenario& self, Desk* desk, NodeBook& book, Item item)
    {
        const Desk::Use use{self, desk};
        Visit visit{self, book, item};
        co_await visit.wait();
        visit.work();
        visit.yields(item);
        visit.done();
        co_return item;
    }

    static agdf::Stream<Item> spread(PerWorkerScenario& self, Desk* desk, NodeBook& book, Item item)
    {
        const Desk::Use use{self, desk};
        Visit visit{self, book, item};
        co_await visit.wait();
        visit.work();
        if (visit.roll(4) < 70) {
            visit.yields(item);
            co_yield std::move(item);
        }
        visit.done();
    }

    static agdf::Stream<Item> pass_all(PerWorkerScenario& self, Desk* desk, NodeBook& book, agdf::Receiver<Item> items)
    {
        const Desk::Use use{self, desk};
        const Alive frame;
        while (auto item = co_await items.next()) {
            ++book.visits;
            self.world_.expect(++book.seen[item->number()] == 1, "item {} was received twice", item->number());
            self.let_others_run();
            self.note_yield(book, *item);
            co_yield std::move(*item);
        }
    }

    static asio::awaitable<void> take(PerWorkerScenario& self, Desk* desk, NodeBook& book, Item item)
    {
        const Desk::Use use{self, desk};
        Visit visit{self, book, item};
        co_await visit.wait();
        visit.work();
        visit.done();
    }

    void begin_books() override
    {
        std::fill(made_.begin(), made_.end(), 0);
        was_set_up_.assign(made_.size(), false);
        make_failed_ = false;
        ++salt_of_run_;
    }

    [[nodiscard]] bool was_halted() const override { return make_failed_; }

    void check_run(const agdf::RunReport& report) override
    {
        bool are_all_made = true;
        for (const auto& book : books_) {
            const std::size_t i = book->index;
            world_.expect(living_[i] == 0, "node {} has {} bodies after the run", book->name, living_[i]);
            world_.expect(made_[i] <= book->options.workers, "{} bodies were made for {} workers of node {}", made_[i], book->options.workers, book->name);
            are_all_made = are_all_made && (book->is_source || made_[i] == book->options.workers);
            if (book->balances || book->is_source)
                continue;
            const agdf::NodeStats& stats = report.node(book->name);
            const bool discards = report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled;
            world_.expect(discards ? book->visits + stats.undelivered <= stats.in + book->options.workers : book->visits == stats.in,
                          "of {} items {} were received and {} are undelivered", stats.in, book->visits, stats.undelivered);
        }
        for (const auto& book : books_)
            world_.expect(are_all_made || book->visits == 0, "node {} has worked although not all bodies were made", book->name);
        world_.expect(are_all_made || was_cut_short() || make_failed_, "not all bodies were made");
    }

    bool fails_ = false;
    bool make_failed_ = false;
    int salt_of_run_ = 0;
    std::set<const Desk*> desks_;
    std::vector<std::size_t> made_;
    std::vector<std::size_t> living_;
    std::vector<bool> was_set_up_;
};

const Enter<PerWorkerScenario> entry{"per-worker", "bodies with a state for each worker, made and destroyed in a run that is cut short"};

}  // namespace

}  // namespace schedules
