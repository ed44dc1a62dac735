#pragma once

// An execution context on one thread that runs what is ready in an order of chance.
//
// Whatever two handlers could do one after the other on a pool of threads, in either order, they may do here in either
// order. What is ordered stays so: an asio::strand keeps its own queue and has at most one handler here at a time.
//
// With `step` called by a handler, others run in the middle of it, as if on another thread: so a race between two strands
// needs no second thread to happen, and happens again with the same seed.

#include "random.hpp"

#include <agdf/detail/asio.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace schedules {

/// How the next handler is chosen.
enum class Order {
    even,      ///< each with the same chance
    starving,  ///< by a rank that each is given as it comes: one with a low rank waits until all others are done
    lively,    ///< the oldest, with an exception now and then: nearly what an io_context does
    newest     ///< the newest, with an exception now and then
};

class ShuffledContext : public asio::execution_context {
public:
    class executor_type;

    ShuffledContext(Random& random, Order order) : random_(random), order_(order) {}

    /// Destroys what waits to run, after the services have let go of what they know.
    ~ShuffledContext()
    {
        shutdown();
        is_closed_ = true;
        while (!ready_.empty()) {
            const auto handlers = std::exchange(ready_, {});
        }
    }

    [[nodiscard]] executor_type get_executor() noexcept;

    /// Runs one handler; false if none is ready.
    bool step()
    {
        if (ready_.empty())
            return false;
        const auto place = ready_.begin() + static_cast<std::ptrdiff_t>(choose());
        const std::unique_ptr<Handler> handler = std::move(place->handler);
        ready_.erase(place);
        ++depth_;
        const Leave leave{depth_};
        handler->run();
        return true;
    }

    /// Runs handlers until none is ready, and says how many.
    std::size_t run_until_idle()
    {
        std::size_t steps = 0;
        while (step())
            ++steps;
        return steps;
    }

    [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }
    /// How many handlers are under way, one in the middle of the other.
    [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

private:
    class Handler {
    public:
        Handler() = default;
        Handler(const Handler&) = delete;
        Handler& operator=(const Handler&) = delete;
        virtual ~Handler() = default;
        virtual void run() = 0;
    };

    template <class Function>
    class HandlerOf final : public Handler {
    public:
        explicit HandlerOf(Function&& function) : function_(std::move(function)) {}
        void run() override { function_(); }

    private:
        Function function_;
    };

    struct Ready {
        std::uint64_t rank;
        std::unique_ptr<Handler> handler;
    };

    struct Leave {
        std::size_t& depth;
        ~Leave() { --depth; }
    };

    template <class Function>
    void add(Function function)
    {
        if (!is_closed_)
            ready_.push_back({random_.next(), std::make_unique<HandlerOf<Function>>(std::move(function))});
    }

    [[nodiscard]] std::size_t choose()
    {
        constexpr int exception = 20;  // percent
        switch (order_) {
        case Order::even:
            return random_.below(ready_.size());
        case Order::starving: {
            std::size_t first = 0;
            for (std::size_t i = 1; i < ready_.size(); ++i)
                if (ready_[i].rank < ready_[first].rank)
                    first = i;
            return first;
        }
        case Order::lively:
            return random_.percent(exception) ? random_.below(ready_.size()) : 0;
        case Order::newest:
            break;
        }
        return random_.percent(exception) ? random_.below(ready_.size()) : ready_.size() - 1;
    }

    Random& random_;
    const Order order_;
    std::vector<Ready> ready_;
    std::size_t depth_ = 0;
    bool is_closed_ = false;
};

/// Never blocks unless it is asked to possibly do so: then a function that is given to it by one of its own handlers runs at
/// once, as with an io_context.
class ShuffledContext::executor_type {
public:
    executor_type(ShuffledContext& context, bool may_block) noexcept : context_(&context), may_block_(may_block) {}

    [[nodiscard]] ShuffledContext& query(asio::execution::context_t) const noexcept { return *context_; }
    [[nodiscard]] asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept
    {
        if (may_block_)
            return asio::execution::blocking.possibly;
        return asio::execution::blocking.never;
    }
    [[nodiscard]] executor_type require(asio::execution::blocking_t::never_t) const noexcept { return {*context_, false}; }
    [[nodiscard]] executor_type require(asio::execution::blocking_t::possibly_t) const noexcept { return {*context_, true}; }

    template <class Function>
    void execute(Function&& function) const
    {
        using Own = std::decay_t<Function>;
        if (may_block_ && context_->depth_ > 0) {
            Own own(std::forward<Function>(function));
            own();
        } else {
            context_->add<Own>(std::forward<Function>(function));
        }
    }

    friend bool operator==(const executor_type&, const executor_type&) noexcept = default;

private:
    ShuffledContext* context_;
    bool may_block_;
};

inline ShuffledContext::executor_type ShuffledContext::get_executor() noexcept
{
    return {*this, true};
}

static_assert(asio::execution::is_executor<ShuffledContext::executor_type>::value);

}  // namespace schedules
