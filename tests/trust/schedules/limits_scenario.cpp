// A semaphore and a rate limiter, shared by coroutines of two contexts of which one may go away.

#include "scenario.hpp"

#include <agdf/rate_limiter.hpp>
#include <agdf/semaphore.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace schedules {

namespace {

class LimitsScenario final : public Scenario {
public:
    explicit LimitsScenario(World& world) : Scenario(world) {}

    void begin() override
    {
        permits_ = static_cast<std::size_t>(world_.random.between(1, 3));
        semaphore_ = agdf::Semaphore{permits_};
        burst_ = static_cast<std::size_t>(world_.random.between(1, 3));
        if (world_.random.percent(50))
            limiter_ = agdf::RateLimit{.rate = 1, .per = interval, .burst = burst_};
        if (world_.random.percent(40))
            world_.add_context();
        for (std::size_t i = 0; i < world_.contexts(); ++i)
            strands_.emplace_back(asio::make_strand(world_.context(i).get_executor()));
        const int count = world_.random.between(1, 6);
        world_.note("{} permits, {}, {} users, {} contexts", permits_, limiter_ ? "rate limited" : "no rate", count, world_.contexts());
        for (int i = 0; i < count; ++i)
            add_user();
        if (world_.contexts() > 1 && world_.random.percent(70))
            plan(100, "destroy the guests' context", [this] {
                let_go(1);
                world_.destroy_context(1);
                for (const auto& user : users_)
                    if (user->context == 1)
                        user->has_ended = true;
            });
        if (world_.random.percent(20))
            plan(60, "penalize", [this] { limiter_.penalize(2 * interval); });
        for (const auto& user : users_)
            start(*user);
    }

    [[nodiscard]] bool is_over() const override
    {
        return std::all_of(users_.begin(), users_.end(), [](const auto& user) { return user->has_ended; });
    }

    void check_step() override
    {
        if (!semaphore_)
            return;
        world_.expect(out_ <= permits_, "{} users have a permit of {}", out_, permits_);
        world_.expect(semaphore_.available() + out_ <= permits_, "{} permits of {} are free, and {} users have one", semaphore_.available(), permits_, out_);
        world_.expect(semaphore_.waiting() == 0 || semaphore_.available() == 0, "{} wait although {} permits are free", semaphore_.waiting(),
                      semaphore_.available());
    }

    void check() override
    {
        world_.expect(semaphore_.available() == permits_ && semaphore_.waiting() == 0, "at the end {} of {} permits are free, and {} wait",
                      semaphore_.available(), permits_, semaphore_.waiting());
        long last = -1;
        for (const long turn : turns_) {
            world_.expect(turn < 0 || turn > last, "one who came as number {} was served before number {}", last, turn);
            last = std::max(last, turn);
        }
        // Each context keeps a time of its own, so only the rate of one can be told.
        if (limiter_ && world_.contexts() == 1) {
            const auto most = burst_ + static_cast<std::size_t>(world_.time().elapsed() / interval) + 1;
            world_.expect(passed_ <= most, "{} were let through, and may be {}", passed_, most);
        }
    }

    void let_go(std::size_t context) override
    {
        strands_[context] = {};
        for (const auto& user : users_)
            if (user->context == context)
                user->executor = {};
    }

    bool destroy() override
    {
        semaphore_ = {};
        limiter_ = {};
        return false;
    }

private:
    static constexpr std::chrono::microseconds interval{500};

    struct User {
        int number = 0;
        std::size_t context = 0;
        asio::any_io_executor executor;
        asio::cancellation_signal signal;
        int calls = 0;
        bool has_begun = false;
        bool has_ended = false;
    };

    /// One who has a permit, until the end of the frame.
    struct Holder {
        std::size_t& out;
        explicit Holder(std::size_t& count) : out(count) { ++out; }
        Holder(const Holder&) = delete;
        Holder& operator=(const Holder&) = delete;
        ~Holder() { --out; }
    };

    void add_user()
    {
        auto user = std::make_unique<User>();
        user->number = static_cast<int>(users_.size());
        user->context = world_.random.below(world_.contexts());
        user->calls = world_.random.between(1, 5);
        if (world_.random.percent(50))
            user->executor = strands_[user->context];
        else
            user->executor = world_.context(user->context).get_executor();
        for (int i = 0; i < 2; ++i)
            if (world_.random.percent(25))
                plan(80, fmt::format("cancel {}", user->number), [this, mine = user.get()] {
                    if (!mine->has_ended && world_.has_context(mine->context))
                        asio::post(mine->executor, [mine] { mine->signal.emit(asio::cancellation_type::terminal); });
                });
        users_.push_back(std::move(user));
    }

    void start(User& user)
    {
        asio::co_spawn(user.executor, act(user), asio::bind_cancellation_slot(user.signal.slot(), [this, &user](const std::exception_ptr& error) {
            world_.expect(!error || !user.has_begun, "user {} ended with an error: {}", user.number, error ? agdf::describe(error) : "");
            user.has_ended = true;
        }));
    }

    asio::awaitable<void> act(User& user)
    {
        const Alive frame;
        user.has_begun = true;
        for (int i = 0; i < user.calls; ++i) {
            bool is_cancelled = false;
            try {
                co_await use(user);
            } catch (const asio::system_error&) {
                is_cancelled = true;
            }
            world_.note("user {}: {}", user.number, is_cancelled ? "cancelled" : "done");
            if (is_cancelled)
                co_await asio::this_coro::reset_cancellation_state();
        }
    }

    asio::awaitable<void> use(User& user)
    {
        const int pause = world_.random.between(0, 3);
        if (pause == 1)
            co_await asio::post(asio::use_awaitable);
        if (limiter_) {
            co_await limiter_.acquire();
            ++passed_;
        }
        const std::size_t turn = turns_.size();
        turns_.push_back(-1);
        if (world_.random.percent(25)) {
            const auto permit = semaphore_.try_acquire();
            if (permit)
                co_await hold(user);
            co_return;
        }
        const agdf::Permit permit = co_await semaphore_.acquire();
        world_.expect(static_cast<bool>(permit), "a permit is empty");
        served(turn);
        co_await hold(user);
    }

    /// Those who waited are resumed on their own executors, so only what the order of their coming says can be told.
    void served(std::size_t turn)
    {
        if (world_.contexts() == 1 && permits_ == 1)
            turns_[turn] = static_cast<long>(served_++);
    }

    asio::awaitable<void> hold(const User& user)
    {
        const Holder holder{out_};
        world_.expect(out_ <= permits_, "{} users have a permit of {}, the last is {}", out_, permits_, user.number);
        const int time = world_.random.between(0, 4);
        if (time == 1)
            co_await asio::post(asio::use_awaitable);
        else if (time > 1)
            co_await agdf::sleep_for(std::chrono::microseconds(300 * time));
    }

    std::size_t permits_ = 1;
    std::size_t burst_ = 1;
    agdf::Semaphore semaphore_;
    agdf::RateLimiter limiter_;
    std::vector<asio::any_io_executor> strands_;
    std::vector<std::unique_ptr<User>> users_;
    std::vector<long> turns_;  // by the order of coming: as which number each was served, if that can be told
    std::size_t served_ = 0;
    std::size_t out_ = 0;
    std::size_t passed_ = 0;
};

const Enter<LimitsScenario> entry{"limits", "a semaphore and a rate limiter; cancellation, users destroyed"};

}  // namespace

}  // namespace schedules
