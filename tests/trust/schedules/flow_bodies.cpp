// The bodies of the graphs, which take down what they see.

#include "flow.hpp"

#include <algorithm>
#include <limits>

namespace schedules {

namespace {

/// How many items were sent to a node whose body has not begun with them.
std::size_t begun_late(const NodeBook& book)
{
    std::size_t sent = 0;
    for (const NodeBook* const producer : book.producers)
        sent += producer->yields;
    std::size_t visits = book.visits;
    for (const NodeBook* const sibling : book.siblings)
        visits += sibling->visits;
    return sent - std::min(sent, visits);
}

/// Beside those in the queue each producer may wait with one, and each worker have one in hand.
std::size_t most_begun_late(const NodeBook& book)
{
    const auto can_tell = [](const NodeBook& of) {
        return of.balances && of.options.overflow == agdf::Overflow::wait && of.options.retry.attempts == 1 && of.failing.empty();
    };
    bool can_be_told = can_tell(book);
    std::size_t most = book.options.queue_size + book.options.workers;
    for (const NodeBook* const sibling : book.siblings) {
        most += sibling->options.queue_size + sibling->options.workers;
        can_be_told = can_be_told && can_tell(*sibling);
    }
    for (const NodeBook* const producer : book.producers) {
        most += producer->options.workers;
        can_be_told = can_be_told && producer->balances && !producer->keeps_outputs();
    }
    return can_be_told ? most : std::numeric_limits<std::size_t>::max();
}

/// Takes back what an attempt yielded that may be tried again.
struct OfAttempt {
    explicit OfAttempt(NodeBook& of) : book(of) {}
    OfAttempt(const OfAttempt&) = delete;
    OfAttempt& operator=(const OfAttempt&) = delete;
    ~OfAttempt()
    {
        if (!is_done && book.options.retry.attempts > 1)
            book.yields -= count;
    }

    NodeBook& book;
    std::size_t count = 0;
    bool is_done = false;
};

}  // namespace

void NodeBook::begin_run()
{
    running = visits = done = yields = hook_errors = 0;
    starts.clear();
    seen.clear();
    sent.clear();
    last = Item::none;
    last_of_key.clear();
}

int Flow::roll(const NodeBook& book, int number, int salt) const noexcept
{
    const auto mixed = salt_ ^ (book.index << 48) ^ (static_cast<std::uint64_t>(number) << 16) ^ static_cast<std::uint64_t>(salt);
    return static_cast<int>(Random::mix(mixed) % 100);
}

void Flow::let_others_run()
{
    ++inside_;
    world_.let_others_run();
    act_within();
    --inside_;
}

Flow::Visit::Visit(Flow& flow, NodeBook& book, const Item& item) : flow_(flow), book_(book), number_(item.number())
{
    World& world = flow_.world_;
    world.note("{}: begins with item {}", book_.name, number_);
    world.expect(number_ != Item::none, "node {} got an item that was moved from", book_.name);
    world.expect(flow_.inside_ < flow_.threads_, "{} bodies run at the same time on {} threads", flow_.inside_ + 1, flow_.threads_);
    ++book_.running;
    world.expect(book_.running <= book_.options.workers, "node {} runs {} bodies with {} workers", book_.name, book_.running, book_.options.workers);
    const bool may_repeat = book_.options.retry.attempts > 1;
    // An item that waits for a permit is under way.
    const bool is_new = !may_repeat && !book_.options.limit && !book_.options.rate_limit;
    world.expect(!flow_.is_paused_ || !is_new, "node {} begins with item {} in a pause", book_.name, number_);
    ++book_.visits;
    nth_ = ++book_.seen[number_];
    if (book_.options.workers == 1) {
        int& last_of_key = book_.last_of_key.try_emplace(key_of(item), Item::none).first->second;
        world.expect(!book_.is_sorted || number_ >= book_.last, "node {} got item {} after item {}", book_.name, number_, book_.last);
        world.expect(!book_.is_sorted_by_key || number_ >= last_of_key, "node {} got item {} after item {} of the same key", book_.name, number_, last_of_key);
        book_.last = last_of_key = number_;
    }
    if (book_.options.rate_limit)
        ++flow_.limited_;
    has_permit_ = book_.options.limit && !book_.is_stream;  // a stream gives it to others while it waits
    if (has_permit_) {
        ++flow_.permits_out_;
        world.expect(flow_.permits_out_ <= flow_.semaphore_.permits(), "{} bodies have a permit of {}", flow_.permits_out_, flow_.semaphore_.permits());
    }
}

Flow::Visit::~Visit()
{
    --book_.running;
    if (has_permit_)
        --flow_.permits_out_;
    flow_.world_.note("{}: ends with item {}", book_.name, number_);
}

void Flow::Visit::work()
{
    flow_.let_others_run();
    if (roll(1) < flow_.error_chance)
        throw Planned{};
}

asio::awaitable<void> Flow::Visit::wait()
{
    const int chance = roll(2);
    if (chance < 25)
        co_await agdf::sleep_for(std::chrono::microseconds(250 * (chance % 8)));
    else if (chance < 50)
        co_await asio::post(asio::use_awaitable);
}

void Flow::Visit::yields(const Item& item)
{
    flow_.note_yield(book_, item);
}

void Flow::note_yield(NodeBook& book, const Item& item)
{
    before_yield(book, item);
    ++book.yields;
    ++book.sent[item.number()];
    for (const auto& to : books_)
        if (!was_stopped_ && !was_cancelled_ && !starts_elsewhere_ && std::find(to->producers.begin(), to->producers.end(), &book) != to->producers.end())
            world_.expect(begun_late(*to) <= most_begun_late(*to), "{} items are on their way into node {}, and {} may be", begun_late(*to), to->name,
                          most_begun_late(*to));
    if (!book.is_source)
        return;
    if (was_stopped_ || is_paused_)
        ++source_yields_after_;
    world_.note("{}: yields item {}", book.name, item.number());
}

agdf::Stream<Item> Flow::run_source(Flow& flow, NodeBook& book)
{
    const Alive frame;
    ++book.visits;
    for (int i = 0; i < book.items; ++i) {
        Item item{static_cast<int>(book.index) * 1'000 + i, static_cast<int>(book.index)};
        flow.let_others_run();
        const int pause = flow.roll(book, item.number(), 3);
        if (pause < 15)
            co_await agdf::sleep_for(std::chrono::microseconds(500 * (pause % 4)));
        else if (pause < 25)
            co_await asio::post(asio::use_awaitable);
        flow.note_yield(book, item);
        co_yield std::move(item);
    }
    ++book.done;
}

agdf::Stream<Item> Flow::run_stream(Flow& flow, NodeBook& book, Item item)
{
    Visit visit{flow, book, item};
    OfAttempt outputs{book};
    const int first = visit.roll(4);
    if (first < 60) {
        ++outputs.count;
        visit.yields(item);
        co_yield item;
    }
    if (first % 2 == 0)
        co_await visit.wait();
    visit.work();
    if (first > 40) {
        ++outputs.count;
        visit.yields(item);
        co_yield std::move(item);
    }
    outputs.is_done = true;
    visit.done();
}

asio::awaitable<Item> Flow::run_awaits(Flow& flow, NodeBook& book, Item item)
{
    Visit visit{flow, book, item};
    const bool is_stubborn = visit.roll(5) < 10;
    bool was_cancelled = false;
    try {
        co_await visit.wait();
    } catch (const asio::system_error&) {
        was_cancelled = true;
        if (!is_stubborn)
            throw;
    }
    if (!was_cancelled)
        visit.work();
    visit.yields(item);
    visit.done();
    co_return item;
}

asio::awaitable<void> Flow::run_slow_sink(Flow& flow, NodeBook& book, Item item)
{
    Visit visit{flow, book, item};
    co_await visit.wait();
    visit.work();
    visit.done();
}

std::function<agdf::Stream<Item>()> Flow::source(NodeBook& book)
{
    return [this, &book] { return run_source(*this, book); };
}

std::function<Item(Item)> Flow::plain(NodeBook& book)
{
    return [this, &book](Item item) {
        Visit visit{*this, book, item};
        visit.work();
        visit.yields(item);
        visit.done();
        return item;
    };
}

std::function<std::optional<Item>(Item)> Flow::filter(NodeBook& book)
{
    return [this, &book](Item item) -> std::optional<Item> {
        Visit visit{*this, book, item};
        visit.work();
        visit.done();
        if (visit.roll(6) < 40)
            return std::nullopt;
        visit.yields(item);
        return item;
    };
}

std::function<agdf::Stream<Item>(Item)> Flow::stream(NodeBook& book)
{
    book.is_stream = true;
    return [this, &book](Item item) { return run_stream(*this, book, std::move(item)); };
}

std::function<asio::awaitable<Item>(Item)> Flow::awaits(NodeBook& book)
{
    return [this, &book](Item item) { return run_awaits(*this, book, std::move(item)); };
}

std::function<void(Item)> Flow::sink(NodeBook& book)
{
    return [this, &book](Item item) {
        Visit visit{*this, book, item};
        visit.work();
        visit.done();
    };
}

std::function<asio::awaitable<void>(Item)> Flow::slow_sink(NodeBook& book)
{
    return [this, &book](Item item) { return run_slow_sink(*this, book, std::move(item)); };
}

}  // namespace schedules
