// The ready-made nodes that keep items: whatever cuts them short, each item that came is in an output or counted.

#include "flow.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace schedules {

namespace {

class PiecesScenario final : public Flow {
public:
    using Flow::Flow;

private:
    using Numbers = std::vector<int>;
    using Items = std::vector<Item>;

    /// An output as the sink gets it: with the numbers of the items that are in it.
    struct Parcel {
        Item first;
        Numbers numbers;
    };

    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        source_ = &add_book("source", {}, true);
        source_->items = random.between(0, 15);
        graph().add_node("source", source(*source_));
        const auto workers = static_cast<std::size_t>(random.between(1, 2));
        piece_ = &add_book("piece", {.workers = workers, .queue_size = static_cast<std::size_t>(random.between(1, 4))});
        piece_->balances = false;
        sink_ = &add_book("sink", {.queue_size = static_cast<std::size_t>(random.between(1, 3))});
        sink_->producers = {piece_};
        is_slow_ = random.percent(60);
        max_items_ = static_cast<std::size_t>(random.between(1, 4));
        max_keys_ = static_cast<std::size_t>(random.between(1, 3));
        const auto time = random.percent(60) ? 500us * random.between(1, 4) : 0us;
        const auto key = [this](const Item& item) { return key_or_error(item); };
        drops_equals_ = false;
        switch (random.between(0, 3)) {
        case 0:
            world_.note("windows of {}, of {} us", max_items_, time.count());
            add(agdf::window<Item>({.max_items = max_items_, .duration = time}), [](Items items) { return numbers_of(items); });
            break;
        case 1:
            world_.note("reduce with {} keys", max_keys_);
            add(agdf::reduce<Item>(key, Numbers{}, [](Numbers& all, const Item& item) { all.push_back(item.number()); }, {.max_keys = max_keys_}),
                [](std::pair<int, Numbers> entry) { return std::move(entry.second); });
            break;
        case 2:
            world_.note("batches by key of {}, after {} us, with {} keys", max_items_, time.count(), max_keys_);
            add(agdf::batch_by_key<Item>(key, {.max_items = max_items_, .max_delay = time, .max_keys = max_keys_}),
                [](std::pair<int, Items> entry) { return numbers_of(entry.second); });
            break;
        default:
            world_.note("dedupe with {} keys", max_keys_);
            drops_equals_ = true;
            add(agdf::dedupe<Item>(key, {.max_keys = max_keys_}), [](Item item) { return Numbers{item.number()}; });
            break;
        }
    }

    template <class Body, class NumbersOf>
    void add(Body body, NumbersOf numbers_of_output)
    {
        auto piece = graph().add_node("piece", std::move(body), piece_->options);
        auto sink = graph().add_node("sink", [this](Parcel parcel) { return take(*this, std::move(parcel)); }, sink_->options);
        connect(*source_, *piece_);
        graph().add_edge(piece, sink, agdf::map([this, numbers_of_output](typename decltype(piece)::output_type output) {
            return send(numbers_of_output(std::move(output)));
        }));
    }

    static Numbers numbers_of(const Items& items)
    {
        Numbers numbers;
        for (const Item& item : items)
            numbers.push_back(item.number());
        return numbers;
    }

    [[nodiscard]] int key_or_error(const Item& item)
    {
        act_within(false);
        if (roll(*piece_, item.number(), 7) < error_chance)
            throw Planned();
        return key_of(item);
    }

    Parcel send(Numbers numbers)
    {
        act_within(false);
        world_.expect(!numbers.empty(), "an output has no items");
        for (const int number : numbers) {
            world_.expect(number != Item::none, "an item in an output was moved from");
            world_.expect(sent_.insert(number).second, "item {} is in two outputs", number);
        }
        world_.expect(std::is_sorted(numbers.begin(), numbers.end()), "the items of an output are not in their order");
        const Item first{numbers.empty() ? Item::none : numbers.front()};
        return Parcel{first, std::move(numbers)};
    }

    void begin_books() override { sent_.clear(); }

    static asio::awaitable<void> take(PiecesScenario& self, Parcel parcel)
    {
        Visit visit{self, *self.sink_, parcel.first};
        if (self.is_slow_)
            co_await visit.wait();
        visit.done();
    }

    void check_run(const agdf::RunReport& report) override
    {
        const agdf::NodeStats& stats = report.node("piece");
        const std::uint64_t counted = stats.err + stats.dropped + stats.undelivered;
        if (drops_equals_)
            world_.expect(sent_.size() + counted <= stats.in, "{} items are in outputs and {} are counted, of {}", sent_.size(), counted, stats.in);
        else
            world_.expect(sent_.size() + counted == stats.in, "{} items are in outputs and {} are counted, of {}", sent_.size(), counted, stats.in);
    }

    NodeBook* source_ = nullptr;
    NodeBook* piece_ = nullptr;
    NodeBook* sink_ = nullptr;
    std::size_t max_items_ = 1;
    std::size_t max_keys_ = 1;
    bool is_slow_ = false;
    bool drops_equals_ = false;
    std::set<int> sent_;
};

const Enter<PiecesScenario> entry{"pieces", "windows, reductions, batches by key and dedupe, cut short at any step"};

}  // namespace

}  // namespace schedules
