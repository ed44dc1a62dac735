#include "flow.hpp"

#include <algorithm>

namespace schedules {

void Flow::begin()
{
    error_chance = world_.random.percent(50) ? 0 : world_.random.between(5, 25);
    semaphore_ = agdf::Semaphore{static_cast<std::size_t>(world_.random.between(1, 3))};
    limiter_ = agdf::RateLimit{.rate = 4, .per = 1ms, .burst = static_cast<std::size_t>(world_.random.between(1, 3))};
    build();
    runs_ = world_.random.percent(15) ? 2 : 1;
    begin_run();
}

void Flow::make_graph(agdf::GraphOptions options)
{
    options.threads = static_cast<std::size_t>(world_.random.percent(40) ? 1 : world_.random.between(2, 4));
    options.log = [this](agdf::LogLevel level, std::string_view line) {
        world_.note("log: {}", line);
        hear(level, line);
        act_within();
    };
    threads_ = options.threads;
    world_.note("{} threads", threads_);
    graph_ = std::make_unique<Graph>(world_.context().get_executor(), options);
}

NodeBook& Flow::add_book(std::string name, agdf::NodeOptions options, bool is_source)
{
    auto book = std::make_unique<NodeBook>();
    book->name = std::move(name);
    book->index = books_.size();
    book->options = std::move(options);
    book->is_source = is_source;
    book->is_sorted = book->is_sorted_by_key = is_source;
    book->halts = book->options.on_error == agdf::OnError::halt ||
                  (book->options.on_error == agdf::OnError::inherit && graph_->core()->options().on_error == agdf::OnError::halt);
    const auto& mine = book->options;
    world_.note("node {}: workers {}, queue {}, overflow {}, halts {}, attempts {}, timeout {} us, ordered {}, by key {}, limit {}, rate {}", book->name,
                mine.workers, mine.queue_size, static_cast<int>(mine.overflow), book->halts, mine.retry.attempts,
                std::chrono::duration_cast<std::chrono::microseconds>(mine.timeout).count(), mine.ordered, static_cast<bool>(mine.ordered_by_key),
                static_cast<bool>(mine.limit), static_cast<bool>(mine.rate_limit));
    books_.push_back(std::move(book));
    return *books_.back();
}

void Flow::connect(NodeBook& from, NodeBook& to)
{
    graph_->add_edge(from.name, to.name);
    note_edge(from, to);
}

void Flow::note_edge(NodeBook& from, NodeBook& to)
{
    const bool leaves_in_order = from.options.workers == 1 || from.options.ordered;
    const bool is_first = to.producers.empty();
    to.is_sorted = is_first && from.is_sorted && leaves_in_order;
    to.is_sorted_by_key = is_first && from.is_sorted_by_key && (leaves_in_order || from.options.ordered_by_key);
    to.producers.push_back(&from);
    world_.note("{} >> {}", from.name, to.name);
}

agdf::NodeOptions Flow::some_options(bool is_asynchronous)
{
    Random& random = world_.random;
    agdf::NodeOptions options;
    options.workers = static_cast<std::size_t>(random.percent(50) ? 1 : random.between(2, 3));
    options.queue_size = static_cast<std::size_t>(random.between(1, 5));
    if (random.percent(10))
        options.overflow = random.percent(50) ? agdf::Overflow::drop_newest : agdf::Overflow::drop_oldest;
    if (random.percent(10))
        options.on_error = agdf::OnError::halt;
    if (random.percent(20))
        options.retry = {.attempts = static_cast<std::size_t>(random.between(2, 3)), .delay = 500us * random.between(0, 3), .jitter = agdf::Jitter::none};
    if (is_asynchronous && random.percent(25))
        options.timeout = 500us * random.between(1, 3);
    if (random.percent(20))
        options.ordered = true;
    else if (random.percent(15))
        options.ordered_by_key = [this](const Item& item) {
            act_within(false);
            return key_of(item);
        };
    if (random.percent(15))
        options.limit = semaphore_;
    if (random.percent(10))
        options.rate_limit = limiter_;
    return options;
}

void Flow::begin_run()
{
    for (const auto& book : books_)
        book->begin_run();
    begin_books();
    was_stopped_ = was_cancelled_ = is_paused_ = was_paused_ = false;
    source_yields_after_ = 0;
    limited_ = 0;
    ++runs_begun_;
    plan_run();
    world_.note("run {}", runs_begun_);
    signal_ = std::make_unique<asio::cancellation_signal>();
    const Alive handler;
    agdf::RunOptions options{.start = start_items()};
    starts_elsewhere_ = !options.start.empty();
    graph_->async_run(std::move(options), asio::bind_cancellation_slot(signal_->slot(), [this, handler](const agdf::RunReport& report) { end_run(report); }));
}

void Flow::plan_run()
{
    constexpr int latest = 120;
    const auto chance = [this](int percent) { return world_.random.percent(percent); };
    if (chance(25))
        plan_anywhere(latest, "stop", [this] { stop(); });
    if (chance(20))
        plan_anywhere(latest, "cancel", [this] { cancel(); });
    for (int i = 0; i < 2; ++i)
        if (chance(20)) {
            plan_anywhere(latest, "pause", [this] { pause(); });
            plan_anywhere(2 * latest, "resume", [this] { resume(); });
        }
    acts_.clear();
    if (chance(within_chance))
        for (int i = world_.random.between(1, 3); i > 0; --i)
            acts_.emplace(insides_ + world_.random.between(1, 40), world_.random.between(0, 99));
    plan_at_a_stand("resume", [this] { resume(); });
    if (chance(4))
        plan(latest, "destroy the graph", [this] { destroy_graph(); });
    if (chance(6))
        plan(latest, "signal cancel", [this] { note_cancel(); signal_->emit(asio::cancellation_type::terminal); });
    if (chance(6))
        plan(latest, "signal stop", [this] { note_stop(); signal_->emit(asio::cancellation_type::partial); });
    if (chance(5))
        plan_anywhere(latest, "penalize", [this] { limiter_.penalize(2ms); });
}

void Flow::act_within(bool may_pause)
{
    const auto act = acts_.find(++insides_);
    if (act == acts_.end() || !graph_)
        return;
    const int chance = act->second;
    world_.note("from within: {}", chance);
    if (chance < 30)
        stop();
    else if (chance < 55)
        cancel();
    else if (chance < 75 && may_pause)
        pause();
    else if (chance < 85)
        resume();
    else if (chance < 90)
        destroy_graph();
    else
        check_bounds();
}

void Flow::stop()
{
    note_stop();
    if (graph_)
        graph_->stop();
}

void Flow::cancel()
{
    note_cancel();
    if (graph_)
        graph_->cancel();
}

void Flow::destroy_graph()
{
    note_cancel();
    graph_.reset();
}

void Flow::pause()
{
    if (!graph_)
        return;
    graph_->pause();
    is_paused_ = is_running() && graph_->core()->visit()->is_paused();
    was_paused_ = true;
    if (!is_paused_)
        return;
    source_yields_after_ = -static_cast<int>(inside_);
    plan_anywhere(300, "resume at last", [this] { resume(); });  // a body may ask again and again meanwhile, so that nothing stands still
}

void Flow::resume()
{
    is_paused_ = false;
    if (graph_)
        graph_->resume();
}

void Flow::note_stop()
{
    if (!is_running())
        return;
    is_paused_ = false;
    if (!was_stopped_)
        source_yields_after_ = -static_cast<int>(inside_);
    was_stopped_ = true;
}

void Flow::note_cancel()
{
    if (!is_running())
        return;
    is_paused_ = false;
    was_cancelled_ = true;
}

void Flow::end_run(const agdf::RunReport& report)
{
    world_.note("the run ends: {}", agdf::to_string(report.outcome));
    ++runs_ended_;
    ended_at_ = world_.time().elapsed();
    check_outcome(report);
    for (const auto& book : books_) {
        check_node(report, *book);
        check_items(*book);
    }
    check_run(report);
    if (runs_ended_ < runs_ && graph_)
        begin_run();
}

void Flow::check()
{
    world_.expect(!world_.is_punctual() || world_.time().elapsed() == ended_at_, "something still waited for time to pass when the runs had ended");
}

void Flow::check_step()
{
    check_more();
    if (graph_ && world_.random.percent(5))
        check_bounds();
}

void Flow::check_bounds()
{
    for (const agdf::NodeStats& node : graph_->stats()) {
        const bool may_have_more = starts_elsewhere_;  // what a run begins with waits beside the queue
        world_.expect(node.queued <= node.queue_size || may_have_more, "node {} has {} items queued, and room for {}", node.name, node.queued, node.queue_size);
        world_.expect(node.queue_peak <= node.queue_size, "node {} had {} items queued, and room for {}", node.name, node.queue_peak, node.queue_size);
        world_.expect(node.active <= node.workers, "node {} has {} of {} workers active", node.name, node.active, node.workers);
    }
}

bool Flow::destroy()
{
    runs_ = 0;
    if (world_.random.percent(50))
        let_go_of_more();
    destroy_graph();
    let_go_of_more();
    return true;
}

}  // namespace schedules
