// A graph of chance: sources, nodes of all kinds and options behind them, broadcasts and merges.

#include "flow.hpp"

#include <map>
#include <utility>

namespace schedules {

namespace {

class MeshScenario : public Flow {
public:
    using Flow::Flow;

protected:
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

private:
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

/// The same, and its bodies, keys and log themselves stop, cancel, pause and resume it, look at it and destroy it.
class WithinScenario final : public MeshScenario {
public:
    using MeshScenario::MeshScenario;

private:
    void build() override
    {
        MeshScenario::build();
        for (int i = world_.random.between(1, 3); i > 0; --i)
            acts_.emplace(world_.random.between(1, 40), world_.random.between(0, 99));
        acts_when_logged_ = world_.random.percent(15);
    }

    void inside_body() override
    {
        const auto act = acts_.find(++bodies_);
        if (act != acts_.end())
            do_within(act->second);
    }

    /// A pause would be too late for the item itself.
    void inside_key() override
    {
        const auto act = acts_.find(++bodies_);
        if (act != acts_.end() && act->second < before_pauses)
            do_within(act->second);
    }

    void hear(agdf::LogLevel, std::string_view) override
    {
        if (std::exchange(acts_when_logged_, false))
            do_within(world_.random.between(0, 99));
    }

    void do_within(int chance)
    {
        if (!has_graph())
            return;
        world_.note("from within: {}", chance);
        if (chance < 30)
            stop();
        else if (chance < before_pauses)
            cancel();
        else if (chance < 75)
            pause();
        else if (chance < 85)
            resume();
        else if (chance < 90)
            destroy_graph();
        else
            check_stats();
    }

    void check_stats()
    {
        for (const agdf::NodeStats& node : graph().stats())
            world_.expect(node.queue_peak <= node.queue_size && node.active <= node.workers, "node {} is beyond its bounds, seen from within", node.name);
    }

    static constexpr int before_pauses = 55;

    std::map<int, int> acts_;  // what the n-th one does
    int bodies_ = 0;
    bool acts_when_logged_ = false;
};

const Enter<MeshScenario> entry{"mesh", "graphs of chance with options of chance, stopped, cancelled and paused"};
const Enter<WithinScenario> within_entry{"within", "the same, stopped, cancelled, paused and destroyed by its own bodies, keys and log"};

}  // namespace

}  // namespace schedules
