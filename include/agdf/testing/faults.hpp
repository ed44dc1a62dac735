#pragma once

// Testing: which failures there shall be.

#include <agdf/detail/fmt.hpp>
#include <agdf/sleep.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf::testing {

/// The failure that `Faults::fail` injects unless it is given another.
class AGDF_ONE_IN_PROGRAM InjectedFault : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What can happen to a call.
enum class FaultKind {
    failure,         ///< an exception
    delay,           ///< a sleep before the call
    lost_connection  ///< asio::system_error(asio::error::connection_reset)
};

/// A fault that has happened.
struct Injection {
    std::size_t call = 0;  ///< which call it was, from 1
    FaultKind kind = FaultKind::failure;

    friend bool operator==(const Injection&, const Injection&) = default;
};

/// Says which calls shall fail or take long; `faulty` and `faulty_edge` see to it.
///
/// It is a handle: copies share the plan, the count and the record. Each attempt of a retry is a call of its own, and
/// the count goes on from run to run.
///
/// Units:          calls are counted from 1, over all workers, in the order in which they begin.
/// Errors:         planning call 0 throws std::invalid_argument.
/// Thread-safety:  safe.
///
///     agdf::testing::Faults faults;
///     faults.fail(3).delay(5, 2s).drop_connection(7);
///     auto fetched = graph.add_node("fetch", agdf::testing::faulty(fetch, faults));
class Faults {
public:
    /// Lets a call throw InjectedFault.
    Faults& fail(std::size_t call) { return fail(call, InjectedFault(fmt::format("agdf::testing::Faults: call {} fails, as planned", call))); }

    /// Lets a call throw this exception; a std::exception_ptr stands for what it points to.
    template <class Exception>
    Faults& fail(std::size_t call, Exception exception)
    {
        if constexpr (std::is_same_v<Exception, std::exception_ptr>)
            return plan(call, FaultKind::failure, std::move(exception));
        else
            return plan(call, FaultKind::failure, std::make_exception_ptr(std::move(exception)));
    }

    /// Lets a call begin later, and fail then if that is planned as well. It is a `sleep_for`, so a VirtualTime skips it.
    Faults& delay(std::size_t call, std::chrono::steady_clock::duration time)
    {
        const std::lock_guard lock{state_->mutex};
        planned(call).delay = time;
        return *this;
    }

    /// Lets a call throw asio::system_error(asio::error::connection_reset).
    Faults& drop_connection(std::size_t call)
    {
        return plan(call, FaultKind::lost_connection,
                    std::make_exception_ptr(asio::system_error(asio::error::connection_reset,
                                                            fmt::format("agdf::testing::Faults: call {} loses its connection, as planned", call))));
    }

    /// Returns how many calls there have been.
    [[nodiscard]] std::size_t calls() const
    {
        const std::lock_guard lock{state_->mutex};
        return state_->calls;
    }

    /// Returns the faults that have happened, in that order.
    [[nodiscard]] std::vector<Injection> injected() const
    {
        const std::lock_guard lock{state_->mutex};
        return state_->injected;
    }

    /// Counts a call and does to it what is planned; for wrappers of one's own.
    [[nodiscard]] asio::awaitable<void> strike() const
    {
        const Plan plan = next_call();
        if (plan.has_delay()) {
            note(plan.call, FaultKind::delay);
            co_await sleep_for(plan.delay);
        }
        raise(plan);
    }

    /// The same where nothing can be awaited.
    ///
    /// Errors: throws std::logic_error if a delay is planned.
    void strike_now() const
    {
        const Plan plan = next_call();
        if (plan.has_delay())
            throw std::logic_error(fmt::format("agdf::testing::Faults: a delay is planned for call {} of an edge or of a body with a "
                                               "Receiver. Expected: fail or drop_connection there. Plan the delay at a node that "
                                               "takes its items one by one.",
                                               plan.call));
        raise(plan);
    }

private:
    struct Plan {
        std::size_t call = 0;
        std::chrono::steady_clock::duration delay{};
        FaultKind kind = FaultKind::failure;
        std::exception_ptr error = {};

        [[nodiscard]] bool has_delay() const noexcept { return delay > std::chrono::steady_clock::duration::zero(); }
    };

    struct State {
        std::mutex mutex;
        std::map<std::size_t, Plan> plans;
        std::vector<Injection> injected;
        std::size_t calls = 0;
    };

    Faults& plan(std::size_t call, FaultKind kind, std::exception_ptr error)
    {
        const std::lock_guard lock{state_->mutex};
        Plan& plan = planned(call);
        plan.kind = kind;
        plan.error = std::move(error);
        return *this;
    }

    [[nodiscard]] Plan& planned(std::size_t call)
    {
        if (call == 0)
            throw std::invalid_argument("agdf::testing::Faults: there is no call 0. Expected: 1 for the first call. Count from 1.");
        Plan& plan = state_->plans[call];
        plan.call = call;
        return plan;
    }

    [[nodiscard]] Plan next_call() const
    {
        const std::lock_guard lock{state_->mutex};
        const auto found = state_->plans.find(++state_->calls);
        return found == state_->plans.end() ? Plan{} : found->second;
    }

    void note(std::size_t call, FaultKind kind) const
    {
        const std::lock_guard lock{state_->mutex};
        state_->injected.push_back({call, kind});
    }

    void raise(const Plan& plan) const
    {
        if (!plan.error)
            return;
        note(plan.call, plan.kind);
        std::rethrow_exception(plan.error);
    }

    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace agdf::testing
