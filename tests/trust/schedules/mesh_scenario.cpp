// A graph of chance: sources, nodes of all kinds and options behind them, broadcasts and merges.

#include "flow.hpp"

namespace schedules {

namespace {

class MeshScenario : public Flow {
public:
    using Flow::Flow;

private:
    void build() override
    {
        Random& random = world_.random;
        make_graph({.on_error = random.percent(10) ? agdf::OnError::halt : agdf::OnError::skip});
        sources_ = static_cast<std::size_t>(random.between(1, 2));
        for (std::size_t i = 0; i < sources_; ++i) {
            NodeBook& book = add_book(fmt::format("source{}", i), {}, true);
            book.items = random.between(0, random.percent(20) ? 40 : 10);
            graph().add_node(book.name, source(book));
            from_.push_back(&book);
        }
        const int inner = random.between(1, 3);
        for (int i = 0; i < inner; ++i)
            add_inner(i);
        const int sinks = random.between(1, 2);
        for (int i = 0; i < sinks; ++i)
            add_sink(i);
    }

    /// Now and then somewhere in the middle, with a few items.
    agdf::StartItems start_items() override
    {
        agdf::StartItems items;
        if (!world_.random.percent(8))
            return items;
        NodeBook& book = *books_[from_.front()->index + sources_ + world_.random.below(books_.size() - sources_)];
        for (int i = world_.random.between(1, 5); i > 0; --i) {
            const int number = 9'000 - i;
            book.starts.push_back(number);
            items.push_back(agdf::start(book.name, Item{number}));
        }
        return items;
    }

    void add_inner(int i)
    {
        const int kind = world_.random.between(0, 3);
        NodeBook& book = add_book(fmt::format("node{}", i), some_options(kind > 1));
        if (kind == 0)
            graph().add_node(book.name, plain(book), book.options);
        else if (kind == 1)
            graph().add_node(book.name, filter(book), book.options);
        else if (kind == 2)
            graph().add_node(book.name, stream(book), book.options);
        else
            graph().add_node(book.name, awaits(book), book.options);
        connect_some(book);
        from_.push_back(&book);
    }

    void add_sink(int i)
    {
        const bool is_slow = world_.random.percent(50);
        NodeBook& book = add_book(fmt::format("sink{}", i), some_options(is_slow));
        if (is_slow)
            graph().add_node(book.name, slow_sink(book), book.options);
        else
            graph().add_node(book.name, sink(book), book.options);
        connect_some(book);
    }

    /// From the last one as a rule, and from another now and then.
    void connect_some(NodeBook& to)
    {
        NodeBook* const first = world_.random.percent(70) ? from_.back() : from_[world_.random.below(from_.size())];
        NodeBook* const second = from_[world_.random.below(from_.size())];
        connect(*first, to);
        if (second != first && world_.random.percent(40))
            connect(*second, to);
    }

    std::size_t sources_ = 1;
    std::vector<NodeBook*> from_;
};

/// The same, and always something is done from within.
class WithinScenario final : public MeshScenario {
public:
    explicit WithinScenario(World& world) : MeshScenario(world) { within_chance = 100; }
};

const Enter<MeshScenario> entry{"mesh", "graphs of chance with options of chance, stopped, cancelled and paused"};
const Enter<WithinScenario> within_entry{"within", "the same, stopped, cancelled, paused and destroyed by its own bodies, keys and log"};

}  // namespace

}  // namespace schedules
