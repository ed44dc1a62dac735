// A watch for stalls: a warning when nothing has moved for long enough, of those who hold items, once, and never another.

#include "flow.hpp"

#include <algorithm>

namespace schedules {

namespace {

class StallScenario final : public Flow {
public:
    using Flow::Flow;

private:
    void build() override
    {
        Random& random = world_.random;
        stall_after_ = 400us * random.between(1, 5);
        world_.note("a stall is {} us", stall_after_.count() / 1'000);
        make_graph({.stall_after = stall_after_});
        NodeBook* before = &add_book("source", {}, true);
        before->items = random.between(0, 10);
        graph().add_node("source", source(*before));
        const int nodes = random.between(0, 2);
        for (int i = 0; i < nodes; ++i) {
            NodeBook& book = add_book(fmt::format("node{}", i), some_options(true));
            if (random.percent(50))
                graph().add_node(book.name, awaits(book), book.options);
            else
                graph().add_node(book.name, stream(book), book.options);
            connect(*before, book);
            before = &book;
        }
        NodeBook& last = add_book("sink", some_options(true));
        graph().add_node("sink", [this, &last](Item item) { return linger(*this, last, std::move(item)); }, last.options);
        connect(*before, last);
    }

    static asio::awaitable<void> linger(StallScenario& self, NodeBook& book, Item item)
    {
        Visit visit{self, book, item};
        const int chance = visit.roll(8);
        if (chance < 30)
            co_await agdf::sleep_for(self.stall_after_ * (chance + 1) / 10);
        visit.work();
        visit.done();
    }

    void begin_books() override
    {
        heeded_at_ = world_.time().elapsed();
        was_reported_ = false;
        numbers_.clear();
        reported_.clear();
        history_.clear();
    }

    /// What stands still, as far as it can be seen from outside.
    [[nodiscard]] std::vector<std::uint64_t> numbers()
    {
        std::vector<std::uint64_t> all;
        for (const agdf::NodeStats& node : graph().stats())
            all.insert(all.end(), {node.in, node.out, node.err, node.retried, node.dropped, node.undelivered, node.queued, node.active});
        return all;
    }

    [[nodiscard]] bool is_paused() { return graph().core()->visit()->is_paused(); }

    void check_more() override
    {
        if (!is_running())
            return;
        const Duration now = world_.time().elapsed();
        if (std::vector<std::uint64_t> all = numbers(); all != numbers_) {
            numbers_ = std::move(all);
            history_.emplace_back(now, numbers_);
            heeded_at_ = now;
            was_reported_ = false;
        }
        if (is_paused()) {
            heeded_at_ = now;  // a pause is no stall, and after it the time begins anew
            was_reported_ = false;
        }
        const bool is_late = now - heeded_at_ > stall_after_ + stall_after_ / 4;
        world_.expect(!world_.is_punctual() || !is_late || numbers_ == reported_ || holders().empty(), "nothing has moved for {} us, and nobody has said so: {}",
                      (now - heeded_at_).count() / 1'000, holders());
    }

    /// The nodes that hold items, as a warning has them.
    [[nodiscard]] std::string holders()
    {
        std::string text;
        for (const agdf::NodeStats& node : graph().stats()) {
            const std::size_t active = node.name == "source" ? 0 : node.active;
            if (node.queued + active > 0)
                text += fmt::format("{}'{}' ({} queued, {} under way)", text.empty() ? "" : ", ", node.name, node.queued, active);
        }
        return text;
    }

    void hear(agdf::LogLevel level, std::string_view line) override
    {
        if (level != agdf::LogLevel::warning || line.find("nothing has moved") == std::string_view::npos || !is_running())
            return;
        // An item that a queue has just handed over is for a moment in none of the numbers: so they may come back, and it is enough
        // that they are what they were so long ago.
        const Duration before = world_.time().elapsed() - stall_after_;
        const bool is_stall = std::any_of(history_.begin(), history_.end(), [&](const auto& entry) { return entry.first <= before && entry.second == numbers_; });
        world_.expect(!is_paused(), "a stall is logged in a pause");
        world_.expect(is_stall, "a stall is logged although something moved {} us ago", (world_.time().elapsed() - heeded_at_).count() / 1'000);
        world_.expect(numbers() == numbers_, "a stall is logged although something has just moved");
        world_.expect(!was_reported_, "a stall is logged twice");
        world_.expect(!holders().empty() && line.find("hold items: " + holders() + ".") != std::string_view::npos, "these nodes hold items, and others are named: {}",
                      holders());
        was_reported_ = true;
        reported_ = numbers_;
    }

    Duration stall_after_{};
    Duration heeded_at_{};
    bool was_reported_ = false;
    std::vector<std::uint64_t> numbers_;
    std::vector<std::uint64_t> reported_;
    std::vector<std::pair<Duration, std::vector<std::uint64_t>>> history_;
};

const Enter<StallScenario> entry{"stall", "bodies that take long, and what is logged when nothing moves"};

}  // namespace

}  // namespace schedules
