// One of several nodes for each item: by its key, or where the fewest wait; some of them drop, fail or halt the run.

#include "flow.hpp"

#include <algorithm>
#include <optional>

namespace schedules {

namespace {

class DistributeScenario final : public Flow {
public:
    using Flow::Flow;

private:
    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        is_partition_ = random.percent(50);
        const int sources = random.percent(70) ? 1 : 2;
        for (int i = 0; i < sources; ++i)
            add_from(i);
        const int count = random.between(2, 3);
        const bool are_sinks = random.percent(40);
        for (int i = 0; i < count; ++i)
            add_to(i, are_sinks);
        for (NodeBook* const book : to_)
            for (NodeBook* const other : to_)
                if (other != book)
                    book->siblings.push_back(other);
        for (NodeBook* const book : from_)
            share_out(*book);
        if (!are_sinks)
            gather();
    }

    void add_from(int i)
    {
        NodeBook* book = &add_book(fmt::format("source{}", i), {}, true);
        book->items = world_.random.between(0, 14);
        graph().add_node(book->name, source(*book));
        if (world_.random.percent(35)) {
            NodeBook& between = add_book(fmt::format("between{}", i), some_options(true));
            graph().add_node(between.name, awaits(between), between.options);
            connect(*book, between);
            book = &between;
        }
        from_.push_back(book);
    }

    void add_to(int i, bool is_sink)
    {
        agdf::NodeOptions options = some_options(true);
        if (world_.random.percent(15)) {
            options.on_error = agdf::OnError::halt;
            error_chance = std::max(error_chance, 10);
        }
        NodeBook& book = add_book(fmt::format("to{}", i), options);
        const int kind = world_.random.between(0, 2);
        if (is_sink)
            graph().add_node(book.name, slow_sink(book), book.options);
        else if (kind == 0)
            graph().add_node(book.name, awaits(book), book.options);
        else if (kind == 1)
            graph().add_node(book.name, stream(book), book.options);
        else
            graph().add_node(book.name, filter(book), book.options);
        to_.push_back(&book);
    }

    void share_out(NodeBook& from)
    {
        std::vector<agdf::Node<Item, Item>> to;
        for (NodeBook* const book : to_) {
            to.push_back(handle(*book));
            note_edge(from, *book);
        }
        if (is_partition_)
            agdf::partition(handle(from), [](const Item& item) { return item.number() % groups; }, to);
        else
            agdf::balance(handle(from), to);
    }

    void gather()
    {
        NodeBook& sink_book = add_book("sink", some_options(true));
        const auto last = graph().add_node(sink_book.name, slow_sink(sink_book), sink_book.options);
        std::vector<agdf::Node<Item, Item>> all;
        for (NodeBook* const book : to_) {
            all.push_back(handle(*book));
            note_edge(*book, sink_book);
        }
        agdf::merge(all, last);
    }

    void begin_books() override
    {
        expected_.reset();
        last_.reset();
    }

    /// With one producer, nobody waits at a full queue when it is asked where its next item goes.
    [[nodiscard]] bool can_tell() const { return !is_partition_ && from_.size() == 1 && from_.front()->is_source && !was_cut_short(); }

    void before_yield(const NodeBook& book, const Item&) override
    {
        if (&book != from_.front() || !can_tell())
            return;
        const std::vector<agdf::NodeStats> stats = graph().stats();
        check_choice(stats);
        const auto queued = [&](std::size_t i) { return stats[to_[i]->index].queued; };
        // They take turns; which is the first one is up to the library.
        const std::size_t first = last_ ? (*last_ + 1) % to_.size() : 1 % to_.size();
        std::size_t best = first;
        for (std::size_t i = 1; i < to_.size(); ++i) {
            const std::size_t other = (first + i) % to_.size();
            if (queued(other) < queued(best))
                best = other;
        }
        last_ = best;
        expected_ = stats[to_[best]->index].in + 1;
    }

    void check_choice(const std::vector<agdf::NodeStats>& stats)
    {
        if (!expected_)
            return;
        const agdf::NodeStats& chosen = stats[to_[*last_]->index];
        world_.expect(chosen.in == *expected_, "an item went elsewhere than to node {}, where the fewest waited", chosen.name);
    }

    void check_run(const agdf::RunReport& report) override
    {
        if (can_tell() && report.outcome != agdf::Outcome::halted)
            check_choice(report.nodes);
        std::map<int, std::string_view> taken;
        for (NodeBook* const book : to_)
            for (const auto& [number, times] : book->seen) {
                const auto [by, is_new] = taken.emplace(number, book->name);
                world_.expect(is_new, "item {} went to node {} and to node {}", number, by->second, book->name);
                const auto [of_group, is_first] = group_of_.emplace(number % groups, book->name);
                world_.expect(!is_partition_ || is_first || of_group->second == book->name, "item {} went to node {}, and others of its key to node {}", number,
                              book->name, of_group->second);
            }
    }

    static constexpr int groups = 5;

    bool is_partition_ = false;
    std::vector<NodeBook*> from_;
    std::vector<NodeBook*> to_;
    std::optional<std::size_t> last_;         // where the last item should have gone
    std::optional<std::uint64_t> expected_;  // how many that node was offered then
    std::map<int, std::string_view> group_of_;  // in all runs
};

const Enter<DistributeScenario> entry{"distribute", "partition and balance: each item to one of several nodes, of which some drop or halt"};

}  // namespace

}  // namespace schedules
