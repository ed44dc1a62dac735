// Many producers and consumers of one channel, some of them on a context that goes away.

#include "scenario.hpp"

#include <agdf/channel.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace schedules {

namespace {

/// What became of one call.
enum class End { waiting, moved, closed, late, cancelled, gone };

struct Call {
    int item = Item::none;
    End end = End::waiting;
};

class ChannelScenario final : public Scenario {
public:
    explicit ChannelScenario(World& world) : Scenario(world) {}

    void begin() override
    {
        capacity_ = static_cast<std::size_t>(world_.random.between(1, 4));
        channel_ = std::make_unique<agdf::Channel<Item>>(capacity_);
        has_guests_ = world_.random.percent(40);
        if (has_guests_)
            world_.add_context();
        for (std::size_t i = 0; i < world_.contexts(); ++i)
            strands_.emplace_back(asio::make_strand(world_.context(i).get_executor()));
        const int producers = world_.random.between(1, 4);
        const int consumers = world_.random.between(1, 4);
        world_.note("capacity {}, {} producers, {} consumers, {} contexts", capacity_, producers, consumers, world_.contexts());
        for (int i = 0; i < producers + consumers; ++i)
            add_actor(i < producers);
        plan_end();
        for (const auto& actor : actors_)
            start(*actor);
    }

    [[nodiscard]] bool is_over() const override
    {
        return std::all_of(actors_.begin(), actors_.end(), [](const auto& actor) { return actor->has_ended; });
    }

    void check_step() override
    {
        if (channel_)
            world_.expect(channel_->size() <= capacity_, "the channel holds {} items and has room for {}", channel_->size(), capacity_);
    }

    void check() override
    {
        while (auto left = channel_->try_receive()) {
            world_.expect(left->number() != Item::none, "an item that was moved from was left in the channel");
            receives_.push_back({left->number(), End::moved});
        }
        std::map<int, int> received;
        int last = Item::none;
        for (const Call& call : receives_) {
            world_.expect(call.end != End::waiting, "a receive has not ended");
            if (call.end != End::moved)
                continue;
            ++received[call.item];
            // Both sides are served in the order in which they came, so no two items pass each other.
            world_.expect(call.item > last, "item {} was received after item {}, although it was sent before", call.item, last);
            last = call.item;
        }
        int lost = 0;
        for (const Call& call : sends_) {
            const int times = received[call.item];
            world_.expect(call.end != End::waiting, "the send of item {} has not ended", call.item);
            world_.expect(times <= 1, "item {} was received {} times", call.item, times);
            if (call.end == End::moved)
                lost += 1 - times;
            else if (call.end != End::gone)
                world_.expect(times == 0, "item {} was received, but its send says that it was not sent", call.item);
        }
        const auto gone = std::count_if(receives_.begin(), receives_.end(), [](const Call& call) { return call.end == End::gone; });
        world_.expect(lost <= gone, "{} items were sent and not received, and {} receives were destroyed", lost, gone);
        world_.expect(received.size() <= sends_.size(), "more items were received than were sent");
    }

    void let_go(std::size_t context) override
    {
        strands_[context] = {};
        for (const auto& actor : actors_)
            if (actor->context == context)
                actor->executor = {};
    }

    bool destroy() override
    {
        channel_.reset();
        return false;  // the coroutines still know it
    }

private:
    struct Actor {
        int number = 0;
        bool sends = false;
        int calls = 0;
        std::size_t context = 0;
        asio::any_io_executor executor;
        asio::cancellation_signal signal;
        bool has_begun = false;  // one that is cancelled before ends with an error of Asio's
        bool has_ended = false;
    };

    void add_actor(bool sends)
    {
        auto actor = std::make_unique<Actor>();
        actor->number = static_cast<int>(actors_.size());
        actor->sends = sends;
        actor->calls = sends ? world_.random.between(0, 7) : world_.random.between(1, 12);
        actor->context = world_.random.below(world_.contexts());
        if (world_.random.percent(50))
            actor->executor = strands_[actor->context];
        else
            actor->executor = world_.context(actor->context).get_executor();
        for (int i = 0; i < 3; ++i)
            if (world_.random.percent(20))
                plan_cancel(*actor);
        actors_.push_back(std::move(actor));
    }

    void plan_cancel(Actor& actor)
    {
        const auto type = world_.random.percent(80) ? asio::cancellation_type::terminal : asio::cancellation_type::total;
        plan(120, fmt::format("cancel {}", actor.number), [this, &actor, type] {
            if (!actor.has_ended && world_.has_context(actor.context))
                asio::post(actor.executor, [this, &actor, type] {
                    world_.note("cancelled: {}", actor.number);
                    actor.signal.emit(type);
                });
        });
    }

    void plan_end()
    {
        if (has_guests_ && world_.random.percent(70))
            plan(150, "destroy the guests' context", [this] { destroy_guests(); });
        if (world_.random.percent(60))
            plan(150, "close", [this] { channel_->close(); });
        plan_at_a_stand("close", [this] {
            check_that_waits_are_needed();
            channel_->close();
        });
    }

    void destroy_guests()
    {
        let_go(1);
        world_.destroy_context(1);
        for (const auto& actor : actors_)
            if (actor->context == 1)
                actor->has_ended = true;
    }

    /// At a stand, nobody waits for what is there.
    void check_that_waits_are_needed()
    {
        const auto waits = [](const Call& call) { return call.end == End::waiting; };
        const bool receives = std::any_of(receives_.begin(), receives_.end(), waits);
        const bool sends = std::any_of(sends_.begin(), sends_.end(), waits);
        world_.expect(!(receives && channel_->size() > 0), "a receive waits although the channel has items");
        world_.expect(!(sends && channel_->is_open() && channel_->size() < capacity_), "a send waits although the channel has room");
    }

    void start(Actor& actor)
    {
        asio::co_spawn(actor.executor, act(actor), asio::bind_cancellation_slot(actor.signal.slot(), [this, &actor](const std::exception_ptr& error) {
            world_.expect(!error || !actor.has_begun, "actor {} ended with an error: {}", actor.number, error ? agdf::describe(error) : "");
            actor.has_ended = true;
        }));
    }

    asio::awaitable<void> act(Actor& actor)
    {
        const Alive frame;
        actor.has_begun = true;
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        bool goes_on = true;
        for (int i = 0; i < actor.calls && goes_on; ++i) {
            bool is_cancelled = false;
            try {
                const int pause = world_.random.between(0, 5);
                if (pause == 1)
                    co_await asio::post(asio::use_awaitable);
                else if (pause > 3)
                    co_await agdf::sleep_for(std::chrono::microseconds(500 * (pause - 3)));
                const bool moved = co_await call(actor);
                goes_on = moved || channel_->is_open();
            } catch (const asio::system_error& error) {
                is_cancelled = true;
                world_.expect(error.code() == asio::error::operation_aborted, "a call threw {}", error.what());
            }
            if (is_cancelled)
                co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        }
    }

    /// Sees to it that a call whose coroutine is destroyed is known for it.
    struct Record {
        std::vector<Call>& calls;
        std::size_t index;
        bool has_ended = false;
        ~Record()
        {
            if (!has_ended)
                calls[index].end = End::gone;
        }
        void end(End how) noexcept
        {
            calls[index].end = how;
            has_ended = true;
        }
    };

    asio::awaitable<bool> call(Actor& actor)
    {
        std::exception_ptr other;
        bool moved = false;
        auto& calls = actor.sends ? sends_ : receives_;
        Record record{calls, calls.size()};
        const int number = actor.sends ? static_cast<int>(sends_.size()) : Item::none;
        calls.push_back({number, End::waiting});
        End end = End::closed;
        try {
            const auto timeout = std::chrono::microseconds(250 * world_.random.between(0, 8));
            const int kind = world_.random.between(0, 4);
            if (actor.sends)
                moved = co_await send(number, kind, timeout);
            else
                moved = co_await receive(record.index, kind, timeout);
            end = moved ? End::moved : End::closed;
        } catch (const agdf::TimeoutError&) {
            end = End::late;
        } catch (...) {
            end = End::cancelled;
            other = std::current_exception();
        }
        record.end(end);
        world_.note("{} {} item {}: {}", actor.number, actor.sends ? "sends" : "receives", calls[record.index].item, static_cast<int>(end));
        if (other)
            std::rethrow_exception(other);
        co_return moved || end == End::late;
    }

    asio::awaitable<bool> send(int number, int kind, Duration timeout)
    {
        Item item{number};
        if (kind == 0) {
            const bool is_sent = channel_->try_send(std::move(item));
            world_.expect(is_sent || item.number() == number, "try_send took item {} and says that it did not", number);
            co_return is_sent;
        }
        if (kind <= 2)
            co_return co_await channel_->send(std::move(item));
        const bool is_sent = co_await channel_->send_for(std::move(item), timeout);
        world_.expect(is_sent || !channel_->is_open(), "a send was told that the channel is closed, but it is open");
        co_return is_sent;
    }

    asio::awaitable<bool> receive(std::size_t index, int kind, Duration timeout)
    {
        std::optional<Item> item;
        if (kind == 0)
            item = channel_->try_receive();
        else if (kind <= 2)
            item = co_await channel_->receive();
        else
            item = co_await channel_->receive_for(timeout);
        if (item) {
            world_.expect(item->number() != Item::none, "an item arrived that was moved from");
            receives_[index].item = item->number();
        } else if (kind != 0) {
            world_.expect(!channel_->is_open(), "a receive saw the end of a channel that is open");
        }
        co_return item.has_value();
    }

    std::size_t capacity_ = 1;
    bool has_guests_ = false;
    std::unique_ptr<agdf::Channel<Item>> channel_;
    std::vector<asio::any_io_executor> strands_;
    std::vector<std::unique_ptr<Actor>> actors_;
    std::vector<Call> sends_;     // in the order in which they were called, and so are the items' numbers
    std::vector<Call> receives_;  // the same
};

const Enter<ChannelScenario> entry{"channel", "producers and consumers of a channel; time-outs, cancellation, close, users destroyed"};

}  // namespace

}  // namespace schedules
