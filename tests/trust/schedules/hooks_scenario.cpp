// What nodes do before their first item and after their last one, and a run that ends in the middle of that.

#include "flow.hpp"

namespace schedules {

namespace {

class HooksScenario final : public Flow {
public:
    using Flow::Flow;

private:
    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        fails_ = random.percent(40);
        nodes_ = static_cast<std::size_t>(random.between(1, 3));
        NodeBook& from = add_book("source", with_hooks({}, 0), true);
        from.items = random.between(0, 6);
        graph().add_node("source", source(from), from.options);
        NodeBook* before = &from;
        for (std::size_t i = 1; i <= nodes_; ++i) {
            NodeBook& book = add_book(fmt::format("node{}", i), with_hooks(some_options(true), i));
            graph().add_node(book.name, awaits(book), book.options);
            connect(*before, book);
            before = &book;
        }
    }

    agdf::NodeOptions with_hooks(agdf::NodeOptions options, std::size_t index)
    {
        if (world_.random.percent(80))
            options.setup = [this, index] { return set_up(*this, index); };
        if (world_.random.percent(80))
            options.teardown = [this, index] { return tear_down(*this, index); };
        return options;
    }

    void begin_books() override
    {
        was_set_up_.assign(nodes_ + 1, false);
        was_torn_down_.assign(nodes_ + 1, false);
        setup_failed_ = false;
        ++salt_of_run_;
    }

    [[nodiscard]] bool was_halted() const override { return setup_failed_; }
    [[nodiscard]] int chance(std::size_t index, int salt) const { return roll(*books_[index], salt_of_run_, salt); }

    static asio::awaitable<void> set_up(HooksScenario& self, std::size_t index)
    {
        const Alive frame;
        self.world_.note("sets up {}", index);
        for (std::size_t i = 0; i < self.books_.size(); ++i) {
            self.world_.expect(self.books_[i]->visits == 0, "node {} works although not all is set up", i);
            self.world_.expect(i <= index || !self.was_set_up_[i], "node {} was set up before node {}", i, index);
        }
        const int chance = self.chance(index, 20);
        if (chance < 50)
            co_await agdf::sleep_for(std::chrono::microseconds(500 * (chance % 3)));
        self.let_others_run();
        if (self.fails_ && chance % 10 == 0) {
            self.setup_failed_ = true;
            ++self.books_[index]->hook_errors;
            throw Planned{};
        }
        self.was_set_up_[index] = true;
        self.world_.note("has set up {}", index);
    }

    static asio::awaitable<void> tear_down(HooksScenario& self, std::size_t index)
    {
        const Alive frame;
        self.world_.note("tears down {}", index);
        self.world_.expect(!self.books_[index]->options.setup || self.was_set_up_[index], "node {} is torn down and was not set up", index);
        self.world_.expect(!self.was_torn_down_[index], "node {} is torn down twice", index);
        self.was_torn_down_[index] = true;
        for (std::size_t i = 0; i < self.books_.size(); ++i) {
            self.world_.expect(self.books_[i]->running == 0, "node {} is at work although node {} is torn down", i, index);
            self.world_.expect(i >= index || !self.was_torn_down_[i], "node {} was torn down before node {}", i, index);
        }
        const int chance = self.chance(index, 21);
        Errors errors{self.books_[index]->hook_errors};
        if (chance < 50)
            co_await agdf::sleep_for(std::chrono::microseconds(500 * (chance % 3)));
        self.let_others_run();
        if (self.fails_ && chance % 10 == 0)
            throw Planned{};
        errors.is_none = true;
        self.world_.note("has torn down {}", index);
    }

    /// Counts a teardown that did not come to its end: it failed, or a cancel ended it.
    struct Errors {
        std::size_t& count;
        bool is_none = false;
        ~Errors() { count += is_none ? 0 : 1; }
    };

    void check_run(const agdf::RunReport&) override
    {
        bool all = true;
        for (std::size_t i = 0; i < books_.size(); ++i) {
            const bool has_setup = static_cast<bool>(books_[i]->options.setup);
            if (has_setup && was_set_up_[i] && books_[i]->options.teardown)
                world_.expect(was_torn_down_[i], "node {} was set up and not torn down", i);
            all = all && (!has_setup || was_set_up_[i]);
        }
        for (const auto& book : books_)
            world_.expect(all || book->visits == 0, "node {} has worked although not all was set up", book->name);
    }

    bool fails_ = false;
    bool setup_failed_ = false;
    std::size_t nodes_ = 1;
    int salt_of_run_ = 0;
    std::vector<bool> was_set_up_;
    std::vector<bool> was_torn_down_;
};

const Enter<HooksScenario> entry{"hooks", "setups and teardowns that take time and fail, in a run that is cut short"};

}  // namespace

}  // namespace schedules
