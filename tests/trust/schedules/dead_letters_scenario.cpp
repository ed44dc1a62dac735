// Items that fail for good, and the node that gets them, which may be slow, full, or fail as well.

#include "flow.hpp"

namespace schedules {

namespace {

class DeadLettersScenario final : public Flow {
public:
    using Flow::Flow;

private:
    using Letter = agdf::Failed<Item>;

    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        error_chance = random.between(20, 60);
        NodeBook& from = add_book("source", {}, true);
        from.items = random.between(1, 10);
        graph().add_node("source", source(from));
        letters_ = &add_book("letters", {.workers = static_cast<std::size_t>(random.between(1, 2)), .queue_size = static_cast<std::size_t>(random.between(1, 2))});
        letters_->halts = true;
        letters_are_lost_ = random.percent(20);
        auto letters = graph().add_node("letters", [this](Letter letter) { return take(*this, std::move(letter)); }, letters_->options);
        const int count = random.between(1, 2);
        NodeBook* before = &from;
        for (int i = 0; i < count; ++i) {
            agdf::NodeOptions options = some_options(true);
            options.on_error = agdf::OnError::skip;
            NodeBook& book = add_book(fmt::format("node{}", i), options);
            auto node = random.percent(50) ? graph().add_node(book.name, awaits(book), book.options) : graph().add_node(book.name, plain(book), book.options);
            connect(*before, book);
            graph().add_error_edge(node, letters);
            letters_->failing.push_back(&book);
            before = &book;
        }
        NodeBook& last = add_book("sink", some_options(false));
        graph().add_node("sink", sink(last), last.options);
        connect(*before, last);
    }

    static asio::awaitable<void> take(DeadLettersScenario& self, Letter letter)
    {
        Visit visit{self, *self.letters_, letter.item};
        self.world_.expect(letter.error != nullptr, "a letter without an error");
        co_await visit.wait();
        self.let_others_run();
        if (self.letters_are_lost_ && visit.roll(7) < 10)
            throw Planned{};
        visit.done();
    }

    void check_run(const agdf::RunReport&) override
    {
        for (const auto& [number, times] : letters_->seen)
            world_.expect(times <= 1, "item {} came to the dead letters {} times", number, times);
    }

    NodeBook* letters_ = nullptr;
    bool letters_are_lost_ = false;
};

const Enter<DeadLettersScenario> entry{"dead-letters", "failing nodes with error edges to one node, with retries"};

}  // namespace

}  // namespace schedules
