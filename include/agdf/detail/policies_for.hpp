#pragma once

// Floor 4: the part of a worker's policies that knows the type of its items.

#include <agdf/detail/policies.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace agdf::detail {

template <class In>
class DeadLettersOf final : public DeadLetters {
public:
    explicit DeadLettersOf(WorkerBase& worker) : outlet_(worker) {}

    [[nodiscard]] Outlet<Failed<In>>& outlet() noexcept { return outlet_; }

    [[nodiscard]] bool must_wait(const RunState& run) override
    {
        if (!outlet_.is_full())
            return false;
        if (run.is_discarding())
            outlet_.withdraw();
        return !outlet_.has_room();
    }
    [[nodiscard]] std::exception_ptr take_error() noexcept override { return outlet_.take_error(); }
    void withdraw() noexcept override { outlet_.withdraw(); }

private:
    Outlet<Failed<In>> outlet_;
};

/// The policies of a worker, for the type of its node's items.
template <class In>
class PoliciesFor final : public Policies {
public:
    using Message = typename NodeInput<In>::Message;

    /// @param survives  Whether the body leaves the item as it is.
    PoliciesFor(WorkerBase& worker, NodeInput<In>& node, Getting<Message>& input, HoldingOutlet* outlet, bool survives)
        : Policies(worker, node.sequencer(), outlet), input_(input), survives_(survives)
    {
    }
    ~PoliciesFor() override;

private:
    static constexpr bool copyable = Copies<Stored<In>>::value;

    void save_item() override
    {
        if constexpr (copyable) {
            if (!survives_)
                copy_.emplace(std::as_const(input_.message->value));
        }
    }

    void restore_item() override
    {
        if constexpr (copyable) {
            if (copy_) {
                input_.message.emplace(Message{std::as_const(*copy_), input_.message->acknowledgement});
            }
        }
    }

    void forget_item() noexcept override { copy_.reset(); }

    [[nodiscard]] std::size_t key_of_item() const override
    {
        return worker_.node().options().ordered_by_key.hash()(std::addressof(input_.message->value));
    }

    void put_dead_letter([[maybe_unused]] const std::exception_ptr& error) override
    {
        if (send_)
            send_(*this, error);
    }

public:
    /// Makes the error edges' outlet; called where one is attached, so that other nodes need not compile it.
    [[nodiscard]] Outlet<Failed<In>>& dead_letter_outlet()
    {
        if (!dead_letters())
            dead_letters() = std::make_unique<DeadLettersOf<In>>(worker_);
        send_ = [](PoliciesFor& self, const std::exception_ptr& error) { self.send(error); };
        return static_cast<DeadLettersOf<In>&>(*dead_letters()).outlet();
    }

private:
    void send(const std::exception_ptr& error)
    {
        auto& outlet = static_cast<DeadLettersOf<In>&>(*dead_letters()).outlet();
        const std::string& node = worker_.node().name();
        const auto now = std::chrono::system_clock::now();
        if constexpr (std::is_void_v<In>) {
            Failed<void> letter{node, error, attempts(), now};
            (void)outlet.put_uncounted(std::move(letter));
        } else {
            Failed<In> letter{copy_ ? std::move(*copy_) : std::move(input_.message->value), node, error, attempts(), now};
            copy_.reset();
            (void)outlet.put_uncounted(std::move(letter));
        }
    }

    Getting<Message>& input_;
    std::optional<std::conditional_t<copyable, Stored<In>, char>> copy_;
    void (*send_)(PoliciesFor&, const std::exception_ptr&) = nullptr;
    const bool survives_;
};

template <class In>
PoliciesFor<In>::~PoliciesFor() = default;

}  // namespace agdf::detail
