// Two streams that meet: item by item, or by key.

#include "flow.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace schedules {

namespace {

/// Two sources, each with a node of chance behind it that keeps the order, and what joins them.
class TwoStreams : public Flow {
public:
    using Flow::Flow;

protected:
    NodeBook& add_side(int side)
    {
        NodeBook& source_book = add_book(fmt::format("source{}", side), {}, true);
        source_book.items = world_.random.between(0, 8);
        graph().add_node(source_book.name, source(source_book));
        if (world_.random.percent(50))
            return source_book;
        agdf::NodeOptions options = some_options(true);
        options.overflow = agdf::Overflow::wait;
        options.ordered = true;
        options.ordered_by_key = {};
        NodeBook& book = add_book(fmt::format("node{}", side), options);
        graph().add_node(book.name, awaits(book), book.options);
        connect(source_book, book);
        return book;
    }
};

class ZipScenario final : public TwoStreams {
public:
    using TwoStreams::TwoStreams;

private:
    using Pair = std::tuple<Item, Item>;
    static constexpr int padding = 9'999;

    void build() override
    {
        make_graph({});
        NodeBook& a = add_side(0);
        NodeBook& b = add_side(1);
        mode_ = static_cast<agdf::ZipMode>(world_.random.between(0, 2));
        zip_ = &add_book("zip", {.queue_size = static_cast<std::size_t>(world_.random.between(1, 3))});
        zip_->balances = false;
        agdf::ZipOptions<Item, Item> options{.mode = mode_};
        if (mode_ == agdf::ZipMode::longest)
            options.padding.emplace(Item{padding}, Item{padding});
        auto zipped = graph().add_node("zip", agdf::zip<Item, Item>(options), zip_->options);
        graph().add_edge(handle(a), zipped.template input<0>());
        graph().add_edge(handle(b), zipped.template input<1>());
        a_ = &a;
        b_ = &b;
        zip_->producers = {a_};
        sink_ = &add_book("sink", {.queue_size = static_cast<std::size_t>(world_.random.between(1, 3))});
        sink_->producers = {zip_};
        zipped >> graph().add_node("sink", [this](const Pair& pair) { take(std::get<0>(pair), std::get<1>(pair)); }, sink_->options);
        world_.note("zip mode {}", static_cast<int>(mode_));
    }

    void begin_books() override
    {
        rows_ = 0;
        last_a_ = last_b_ = Item::none;
    }

    void take(const Item& a, const Item& b)
    {
        Visit visit{*this, *sink_, Item{static_cast<int>(rows_)}};
        let_others_run();
        world_.note("row {}: {} and {}", rows_, a.number(), b.number());
        world_.expect(a.number() == padding || a.number() > last_a_, "item {} of the first side came after item {}", a.number(), last_a_);
        world_.expect(b.number() == padding || b.number() > last_b_, "item {} of the second side came after item {}", b.number(), last_b_);
        world_.expect(a.number() != padding || b.number() != padding, "a row has nothing but padding");
        world_.expect(mode_ == agdf::ZipMode::longest || (a.number() != padding && b.number() != padding), "there is padding in a row");
        last_a_ = a.number();
        last_b_ = b.number();
        ++rows_;
        visit.done();
    }

    void check_run(const agdf::RunReport& report) override
    {
        using agdf::ZipMode;
        const bool discards = report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled;
        const agdf::NodeStats& first = report.node("zip");
        const agdf::NodeStats& second = report.node("zip[1]");
        const std::uint64_t a = report.node(a_->name).out;
        const std::uint64_t b = report.node(b_->name).out;
        world_.expect(first.in == a && second.in == b, "the zip was offered {} and {} items, and knows of {} and {}", a, b, first.in, second.in);
        world_.expect(second.queue_peak <= second.queue_size, "the second input had {} items queued, and room for {}", second.queue_peak, second.queue_size);
        if (discards)
            return;
        const std::uint64_t rows = mode_ == ZipMode::longest ? std::max(a, b) : std::min(a, b);
        world_.expect(rows_ == rows, "{} and {} items were zipped to {} rows", a, b, rows_);
        if (mode_ != ZipMode::longest)
            world_.expect(first.undelivered == a - rows && second.undelivered == b - rows, "of {} and {} items {} and {} are counted as left over", a, b,
                          first.undelivered, second.undelivered);
        const std::uint64_t errors = mode_ == ZipMode::strict && a != b ? 1 : 0;
        const bool may_be_cut = report.outcome == agdf::Outcome::stopped;  // what a stop has ended early is none
        world_.expect(first.err == errors || (may_be_cut && first.err == 0), "a zip of {} and {} items has {} errors", a, b, first.err);
    }

    agdf::ZipMode mode_ = agdf::ZipMode::shortest;
    NodeBook* a_ = nullptr;
    NodeBook* b_ = nullptr;
    NodeBook* zip_ = nullptr;
    NodeBook* sink_ = nullptr;
    std::size_t rows_ = 0;
    int last_a_ = Item::none;
    int last_b_ = Item::none;
};

struct Left {
    Item item;
};
struct Right {
    Item item;
};

class JoinScenario final : public TwoStreams {
public:
    using TwoStreams::TwoStreams;

private:
    using Joined = std::variant<std::pair<Left, Right>, agdf::Unmatched<Left>, agdf::Unmatched<Right>>;

    /// The numbers of the items that leave together; none for one that is not there.
    using Row = std::pair<int, int>;
    /// A row as the sink gets it.
    struct Parcel {
        Item row;
        Joined items;
    };

    void build() override
    {
        make_graph({});
        NodeBook& a = add_side(0);
        NodeBook& b = add_side(1);
        join_ = &add_book("join", {.queue_size = static_cast<std::size_t>(world_.random.between(1, 3))});
        join_->balances = false;
        keys_ = world_.random.between(1, 4);
        max_waiting_ = static_cast<std::size_t>(world_.random.between(1, 6));
        const auto left = [this](const Left& side) { return came(side.item, 0); };
        const auto right = [this](const Right& side) { return came(side.item, 1); };
        auto joined = graph().add_node("join", agdf::join<Left, Right>(left, right, {.max_waiting = max_waiting_}), join_->options);
        graph().add_edge(handle(a), joined, agdf::map([](Item item) { return Left{std::move(item)}; }));
        graph().add_edge(handle(b), joined, agdf::map([](Item item) { return Right{std::move(item)}; }));
        join_->producers = {&a, &b};
        sink_ = &add_book("sink", {.queue_size = static_cast<std::size_t>(world_.random.between(1, 3))});
        sink_->producers = {join_};
        is_slow_ = world_.random.percent(60);
        auto sink = graph().add_node("sink", [this](Parcel parcel) { return take(*this, std::move(parcel)); }, sink_->options);
        graph().add_edge(joined, sink, agdf::map([this](Joined row) { return send(std::move(row)); }));
    }

    void begin_books() override
    {
        for (auto& side : waiting_)
            side.clear();
        due_.reset();
        left_ = rows_ = 0;
    }

    /// The join asks for the key of an item: what must leave because of it is known now.
    [[nodiscard]] int came(const Item& item, std::size_t side)
    {
        world_.note("item {} comes to the join", item.number());
        act_within(false);
        world_.expect(!due_, "the join goes on before a row has left");
        if (roll(*join_, item.number(), 7) < error_chance)
            throw Planned();
        const int key = item.number() % keys_;
        auto& others = waiting_[1 - side];
        const auto partner = std::find_if(others.begin(), others.end(), [&](int other) { return other % keys_ == key; });
        if (partner != others.end()) {
            due_ = side == 0 ? Row{item.number(), *partner} : Row{*partner, item.number()};
            others.erase(partner);
            return key;
        }
        if (waiting_[side].size() == max_waiting_)
            due_ = take_oldest(side);
        waiting_[side].push_back(item.number());
        return key;
    }

    [[nodiscard]] Row take_oldest(std::size_t side)
    {
        const int number = waiting_[side].front();
        waiting_[side].erase(waiting_[side].begin());
        return side == 0 ? Row{number, Item::none} : Row{Item::none, number};
    }

    Parcel send(Joined row)
    {
        act_within(false);
        Row numbers{Item::none, Item::none};
        if (const auto* const pair = std::get_if<0>(&row))
            numbers = {pair->first.item.number(), pair->second.item.number()};
        else if (const auto* const left = std::get_if<1>(&row))
            numbers.first = left->item.item.number();
        else
            numbers.second = std::get<2>(row).item.item.number();
        left_ += row.index() == 0 ? 2 : 1;
        if (!due_ && !(waiting_[0].empty() && waiting_[1].empty()))  // the stream has ended
            due_ = take_oldest(waiting_[0].empty() ? 1 : 0);
        world_.note("row {} and {}", numbers.first, numbers.second);
        world_.expect(due_ == numbers, "items {} and {} leave the join, and {} and {} should", numbers.first, numbers.second, due_ ? due_->first : Item::none,
                      due_ ? due_->second : Item::none);
        due_.reset();
        return Parcel{Item{rows_++}, std::move(row)};
    }

    static asio::awaitable<void> take(JoinScenario& self, Parcel parcel)
    {
        Visit visit{self, *self.sink_, parcel.row};
        self.let_others_run();
        if (self.is_slow_)
            co_await visit.wait();
        visit.done();
    }

    void check_run(const agdf::RunReport& report) override
    {
        const agdf::NodeStats& stats = report.node("join");
        world_.expect(left_ + stats.err + stats.undelivered == stats.in, "of {} items {} left the join and {} are counted", stats.in, left_,
                      stats.err + stats.undelivered);
        const bool discards = report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled;
        world_.expect(discards || (waiting_[0].empty() && waiting_[1].empty() && stats.undelivered == 0), "items are left in the join at the end");
    }

    NodeBook* join_ = nullptr;
    NodeBook* sink_ = nullptr;
    int keys_ = 1;
    std::size_t max_waiting_ = 1;
    bool is_slow_ = false;
    std::array<std::vector<int>, 2> waiting_;  // on each side, the oldest first
    std::optional<Row> due_;
    std::size_t left_ = 0;
    int rows_ = 0;
};

const Enter<ZipScenario> zip_entry{"zip", "two streams zipped, in each mode"};
const Enter<JoinScenario> join_entry{"join", "two streams joined by a key, cut short at any step"};

}  // namespace

}  // namespace schedules
