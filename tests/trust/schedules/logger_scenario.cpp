// Logs of a graph's numbers beside its run, made and destroyed at any step, also by what they write to.

#include "flow.hpp"

#include <agdf/stats_logger.hpp>

#include <charconv>

namespace schedules {

namespace {

class LoggerScenario final : public Flow {
public:
    using Flow::Flow;

private:
    using Numbers = std::vector<std::uint64_t>;

    /// A log, and what it has said.
    struct Book {
        int number = 0;
        Duration interval{};
        Duration began{};                   // when its timer did
        std::vector<std::size_t> nodes;     // by their index
        int lines_to_live = -1;             // after so many it destroys itself
        std::size_t next = 0;               // of the nodes
        std::size_t ticks = 0;              // of this run
        bool is_timed = false;              // whether it is known when its timer began
        bool knows_end = false;             // whether it must say the last numbers of this run
        std::map<std::size_t, Numbers> said;  // of this run
        std::unique_ptr<agdf::StatsLogger> logger;
    };

    void build() override
    {
        Random& random = world_.random;
        make_graph({});
        NodeBook* before = &add_book("source", {}, true);
        before->items = random.between(0, 12);
        graph().add_node("source", source(*before));
        const int nodes = random.between(0, 2);
        for (int i = 0; i < nodes; ++i) {
            NodeBook& book = add_book(fmt::format("node{}", i), some_options(true));
            graph().add_node(book.name, awaits(book), book.options);
            connect(*before, book);
            before = &book;
        }
        NodeBook& last = add_book("sink", some_options(true));
        graph().add_node("sink", slow_sink(last), last.options);
        connect(*before, last);
        if (random.percent(60))
            add_log();
    }

    void begin_books() override
    {
        for (const auto& book : logs_) {
            book->said.clear();
            book->ticks = 0;
            book->is_timed = is_first_;  // later its timer may go on from the run before
            book->began = world_.time().elapsed();
            book->knows_end = book->logger != nullptr;
        }
        is_first_ = false;
        if (world_.random.percent(40))
            plan(80, "make a log", [this] { add_log(); });
        for (int i = world_.random.between(0, 2); i > 0; --i)
            plan(150, "destroy a log", [this] { destroy_log(world_.random.below(logs_.size() + 1)); });
        if (world_.random.percent(15))
            acts_at_ = world_.random.between(1, 6);
    }

    void add_log()
    {
        if (!has_graph())
            return;
        auto book = std::make_unique<Book>();
        book->number = static_cast<int>(logs_.size());
        book->interval = 1ms + 250us * world_.random.between(0, 6);
        agdf::StatsLoggerOptions options{.interval = book->interval, .format = "{in} {out} {err} {retried} {dropped} {undelivered} {queued} {active} {node}"};
        for (const auto& node : books_)
            if (world_.random.percent(60)) {
                book->nodes.push_back(node->index);
                options.nodes.push_back(node->name);
            }
        if (book->nodes.empty())
            for (const auto& node : books_)
                book->nodes.push_back(node->index);
        if (world_.random.percent(20))
            book->lines_to_live = world_.random.between(1, 8);
        options.sink = [this, mine = book.get(), alive = Alive{}](std::string_view line) { hear_line(*mine, line); };
        world_.note("log {} says every {} us what {} nodes do", book->number, book->interval.count() / 1'000, book->nodes.size());
        book->began = world_.time().elapsed();
        book->logger = std::make_unique<agdf::StatsLogger>(graph(), std::move(options));
        book->is_timed = book->knows_end = is_running();
        logs_.push_back(std::move(book));
    }

    void destroy_log(std::size_t index)
    {
        if (index >= logs_.size())
            return;
        world_.note("log {} is destroyed", index);
        logs_[index]->knows_end = false;
        logs_[index]->logger.reset();
    }

    void let_go_of_more() override
    {
        for (const auto& book : logs_) {
            book->knows_end = false;
            book->logger.reset();
        }
    }

    void hear_line(Book& book, std::string_view line)
    {
        world_.note("log {}: {}", book.number, line);
        world_.expect(book.logger != nullptr, "log {} says something after its end", book.number);
        world_.expect(!is_inside_, "a log says something while it does");
        is_inside_ = true;
        const std::size_t node = book.nodes[book.next];
        const Numbers numbers = read(line, books_[node]->name);
        check_time(book);
        if (has_graph()) {
            const agdf::NodeStats now = graph().stats()[node];
            world_.expect(numbers == Numbers{now.in, now.out, now.err, now.retried, now.dropped, now.undelivered, now.queued, now.active},
                          "log {} says of node {} what is not so: {}", book.number, now.name, line);
        }
        const auto [last, is_first] = book.said.try_emplace(node, numbers);
        for (std::size_t i = 0; i < counters; ++i)
            world_.expect(is_first || numbers[i] >= last->second[i], "log {} says of node {} fewer than before: {}", book.number, books_[node]->name, line);
        last->second = numbers;
        if (++book.next == book.nodes.size())
            book.next = 0;
        act();
        is_inside_ = false;
        if (book.lines_to_live > 0 && --book.lines_to_live == 0)
            destroy_log(static_cast<std::size_t>(book.number));
    }

    [[nodiscard]] Numbers read(std::string_view line, const std::string& node)
    {
        Numbers numbers;
        while (numbers.size() < 8) {
            std::uint64_t number = 0;
            const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
            if (error != std::errc{} || end == line.data() + line.size())
                break;
            numbers.push_back(number);
            line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
        }
        world_.expect(numbers.size() == 8 && line == node, "a log says '{}' of node {}", line, node);
        numbers.resize(8);
        return numbers;
    }

    /// The lines of a tick come together, at a multiple of the interval, or at the end of the run.
    void check_time(Book& book)
    {
        if (book.next > 0 || !is_running())
            return;
        ++book.ticks;
        const Duration since = world_.time().elapsed() - book.began;
        if (book.is_timed && world_.is_punctual())
            world_.expect(since.count() > 0 && since == static_cast<int>(book.ticks) * book.interval, "log {} says the numbers number {} after {} us, and its interval is {}",
                          book.number, book.ticks, since.count() / 1'000, book.interval.count() / 1'000);
    }

    /// What it writes to does something with the graph.
    void act()
    {
        if (acts_at_ == 0 || --acts_at_ > 0)
            return;
        if (world_.random.percent(50))
            stop();
        else
            cancel();
    }

    void check_run(const agdf::RunReport& report) override
    {
        const Duration now = world_.time().elapsed();
        for (const auto& book : logs_) {
            if (!book->knows_end)
                continue;
            for (const std::size_t node : book->nodes) {
                const agdf::NodeStats& stats = report.nodes[node];
                const auto said = book->said.find(node);
                world_.expect(said != book->said.end() &&
                                  said->second == Numbers{stats.in, stats.out, stats.err, stats.retried, stats.dropped, stats.undelivered, stats.queued, stats.active},
                              "log {} has not said the last numbers of node {}", book->number, stats.name);
            }
            if (book->is_timed && world_.is_punctual())
                world_.expect(now - book->began <= static_cast<int>(book->ticks + 1) * book->interval, "log {} has said the numbers {} times in {} us", book->number, book->ticks,
                              (now - book->began).count() / 1'000);
            book->is_timed = false;
        }
    }

    static constexpr std::size_t counters = 6;  // the first of the numbers: they only grow

    bool is_first_ = true;
    bool is_inside_ = false;
    int acts_at_ = 0;  // with so many lines
    std::vector<std::unique_ptr<Book>> logs_;
};

const Enter<LoggerScenario> entry{"logger", "logs of the numbers beside a run, made and destroyed at any step"};

}  // namespace

}  // namespace schedules
