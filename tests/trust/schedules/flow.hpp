#pragma once

// A whole graph as a scenario: what its bodies saw, and how that must agree with the report.

#include "scenario.hpp"

#include <agdf/agdf.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace schedules {

/// Thrown by bodies on purpose.
class Planned : public std::runtime_error {
public:
    Planned() : std::runtime_error("planned") {}
};

/// What a node is, and what its bodies did in this run.
struct NodeBook {
    std::string name;
    std::size_t index = 0;
    agdf::NodeOptions options;
    bool is_source = false;
    bool halts = false;
    bool is_stream = false;
    bool balances = true;          ///< whether each of its items is one visit
    std::vector<NodeBook*> producers;
    std::vector<NodeBook*> failing;  ///< those whose failed items come here
    std::vector<NodeBook*> siblings; ///< those among which, with it, each item of its producers goes to one
    bool may_give_up = false;      ///< whether items may be undelivered though the run was not cut short
    bool is_sorted = false;        ///< its items come in the order of their numbers
    bool is_sorted_by_key = false;  ///< the same among items of one key
    int items = 0;                 ///< of a source: how many it yields
    std::vector<int> starts;       ///< of this run: items it begins with

    std::size_t running = 0;
    std::size_t visits = 0;
    std::size_t done = 0;
    std::size_t yields = 0;
    std::size_t hook_errors = 0;
    std::map<int, int> seen;       ///< how often an item came, by its number
    std::map<int, int> sent;
    int last = Item::none;
    std::map<int, int> last_of_key;

    void begin_run();
    [[nodiscard]] bool keeps_outputs() const { return options.retry.attempts > 1 || options.ordered || options.ordered_by_key; }
};

class Flow : public Scenario {
public:
    using Graph = agdf::Graph<ShuffledContext::executor_type>;

    explicit Flow(World& world) : Scenario(world), salt_(world.random.next()) {}

    void begin() final;
    [[nodiscard]] bool is_over() const final { return runs_begun_ == runs_ended_; }
    void check() final;
    void check_step() final;
    bool destroy() final;

    static constexpr int keys = 3;
    [[nodiscard]] static int key_of(const Item& item) noexcept { return item.number() % keys; }

protected:
    /// Adds the nodes and edges to `graph()`, and the books of them.
    virtual void build() = 0;
    /// What must hold beside what holds for all graphs.
    virtual void check_run(const agdf::RunReport&) {}
    virtual void begin_books() {}
    /// Where a run begins, with its items in the books.
    [[nodiscard]] virtual agdf::StartItems start_items() { return {}; }
    /// Whether something else than an item has halted the run.
    [[nodiscard]] virtual bool was_halted() const { return false; }
    /// A body is about to yield, or to return, this item.
    virtual void before_yield(const NodeBook&, const Item&) {}
    virtual void hear(agdf::LogLevel, std::string_view) {}
    /// What must hold at each step beside what holds for all graphs.
    virtual void check_more() {}
    /// All is about to be destroyed, or the graph is gone.
    virtual void let_go_of_more() {}

    [[nodiscard]] Graph& graph() noexcept { return *graph_; }
    [[nodiscard]] bool has_graph() const noexcept { return graph_ != nullptr; }
    [[nodiscard]] bool is_running() const { return graph_ && graph_->core()->is_running(); }
    NodeBook& add_book(std::string name, agdf::NodeOptions options, bool is_source = false);
    void connect(NodeBook& from, NodeBook& to);
    /// Writes an edge into the books only.
    void note_edge(NodeBook& from, NodeBook& to);
    [[nodiscard]] agdf::Node<Item, Item> handle(const NodeBook& book) { return {graph().core()->blueprint, book.index, book.index}; }
    void make_graph(agdf::GraphOptions options);
    [[nodiscard]] agdf::NodeOptions some_options(bool is_asynchronous);

    /// A number from 0 to 99 that depends on who asks, and not on when.
    [[nodiscard]] int roll(const NodeBook& book, int number, int salt) const noexcept;
    void let_others_run();
    [[nodiscard]] bool was_cut_short() const noexcept { return was_stopped_ || was_cancelled_; }
    [[nodiscard]] bool was_ever_paused() const noexcept { return was_paused_; }
    void note_yield(NodeBook& book, const Item& item);

    /// Does what was planned for within: in the middle of a body, or where the library asks a body's function or says something.
    /// An item whose key or edge is asked for is under way, so there a pause would be too late for it.
    void act_within(bool may_pause = true);

    // What may come from anywhere, also from within a body.
    void stop();
    void cancel();
    void pause();
    void resume();
    void destroy_graph();

    /// One call of a body.
    class Visit {
    public:
        Visit(Flow& flow, NodeBook& book, const Item& item);
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit();

        /// Throws for some items, and lets others run before.
        void work();
        void yields(const Item& item);
        void done() { ++book_.done; }
        [[nodiscard]] int roll(int salt) const noexcept { return flow_.roll(book_, number_ * 16 + nth_, salt); }
        [[nodiscard]] asio::awaitable<void> wait();

    private:
        Flow& flow_;
        NodeBook& book_;
        const int number_;
        int nth_ = 0;
        bool has_permit_ = false;
        Alive frame_;
    };

    // Bodies of all kinds.
    [[nodiscard]] std::function<agdf::Stream<Item>()> source(NodeBook& book);
    [[nodiscard]] std::function<Item(Item)> plain(NodeBook& book);
    [[nodiscard]] std::function<std::optional<Item>(Item)> filter(NodeBook& book);
    [[nodiscard]] std::function<agdf::Stream<Item>(Item)> stream(NodeBook& book);
    [[nodiscard]] std::function<asio::awaitable<Item>(Item)> awaits(NodeBook& book);
    [[nodiscard]] std::function<void(Item)> sink(NodeBook& book);
    [[nodiscard]] std::function<asio::awaitable<void>(Item)> slow_sink(NodeBook& book);

    int error_chance = 0;   ///< of a visit, in percent
    int within_chance = 5;  ///< of something done from within, in percent
    std::vector<std::unique_ptr<NodeBook>> books_;
    const std::uint64_t salt_;
    agdf::Semaphore semaphore_;
    std::size_t permits_out_ = 0;  // of it; those of streams are not counted

private:
    friend class Visit;

    static agdf::Stream<Item> run_source(Flow& flow, NodeBook& book);
    static agdf::Stream<Item> run_stream(Flow& flow, NodeBook& book, Item item);
    static asio::awaitable<Item> run_awaits(Flow& flow, NodeBook& book, Item item);
    static asio::awaitable<void> run_slow_sink(Flow& flow, NodeBook& book, Item item);

    void begin_run();
    void plan_run();
    void end_run(const agdf::RunReport& report);
    void note_stop();
    void note_cancel();
    void check_bounds();
    void check_outcome(const agdf::RunReport& report);
    void check_node(const agdf::RunReport& report, const NodeBook& book);
    void check_items(const NodeBook& book);

    std::unique_ptr<Graph> graph_;
    std::size_t threads_ = 1;
    agdf::RateLimiter limiter_;
    std::size_t limited_ = 0;  // visits that took a permit of the limiter
    std::size_t inside_ = 0;   // bodies that are in the middle of something
    std::unique_ptr<asio::cancellation_signal> signal_;
    int runs_ = 1;
    std::map<int, int> acts_;  // what the n-th of those does from within
    int insides_ = 0;
    int runs_begun_ = 0;
    int runs_ended_ = 0;
    Duration ended_at_{};
    bool was_stopped_ = false;
    bool was_cancelled_ = false;
    bool is_paused_ = false;
    bool was_paused_ = false;
    bool starts_elsewhere_ = false;
    int source_yields_after_ = 0;  // a stop, or while paused
};

}  // namespace schedules
