#pragma once

// Floor 4: what a worker needs that depends on the types of its node.

#include <agdf/detail/body_caller.hpp>
#include <agdf/detail/body_worker.hpp>
#include <agdf/detail/policies_for.hpp>
#include <agdf/stream.hpp>

#include <memory>
#include <type_traits>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

/// The parts that depend on a node's types, of all its kinds of workers.
template <class Traits, class Base>
class TypedWorker : public Base {
public:
    using In = typename Traits::In;
    using Out = typename Traits::Out;
    using Message = typename NodeInput<In>::Message;
    using Caller = BodyCaller<Traits>;

    TypedWorker(NodeInput<In>& node, Lane& lane, SharedBody<Caller> body)
        : Base(node.run(), node, lane), input_(*this), outlet_(*this), inbox_(node.inbox()), body_(std::move(body))
    {
        const NodeOptions& options = node.options();
        if (node.sequencer() || options.retry.attempts > 1 || options.timeout > options.timeout.zero() || options.rate_limit || options.limit)
            (void)policies(node);
    }

    [[nodiscard]] Outlet<Out>& outlet() noexcept { return outlet_; }

    /// Gives the worker a body of its own, or takes it away.
    void set_body(SharedBody<Caller> body) noexcept { body_ = std::move(body); }

    /// Makes the worker's policies, if it has none yet.
    [[nodiscard]] PoliciesFor<In>& policies(NodeInput<In>& node)
    {
        if (!this->policies_)
            this->policies_.reset(new PoliciesFor<In>(*this, node, input_, outlet_hooks(), Traits::spares_item));
        return static_cast<PoliciesFor<In>&>(*this->policies_);
    }

protected:
    /// How the worker waits for an item.
    class Input final : public Getting<Message> {
    public:
        explicit Input(WorkerBase& worker) noexcept : worker_(worker) { this->attends = std::is_base_of_v<ItemWorker, Base>; }
        void wake() noexcept override { worker_.wake_up(); }
        void abandon() noexcept override { worker_.abandon_all(); }

    private:
        WorkerBase& worker_;
    };

    template <class Value>
    AGDF_ALWAYS_INLINE void deliver(Value&& value)
    {
        if constexpr (!std::is_void_v<Out>) {
            if constexpr (!Traits::filters)
                (void)outlet_.put(Out(std::forward<Value>(value)));
            else if (value)
                (void)outlet_.put(Out(*std::forward<Value>(value)));
        }
    }

    [[nodiscard]] bool must_wait() override
    {
        if (!outlet_.is_full()) [[likely]]
            return false;
        if (this->run_.is_discarding())
            outlet_.withdraw();
        return !outlet_.has_room();
    }

    void on_cancel(asio::cancellation_type) override
    {
        if (this->policies_ && this->policies_->interrupt())
            return;
        if (!this->run_.is_discarding())
            return;  // a stop, or a time-out: what was yielded is still carried to the end
        if (inbox_.channel().withdraw(input_))
            return this->wake_up();
        if (this->policies_)
            this->policies_->withdraw();
        outlet_.withdraw();
    }

    [[nodiscard]] HoldingOutlet* outlet_hooks() noexcept override
    {
        if constexpr (std::is_void_v<Out>)
            return nullptr;
        else
            return &outlet_;
    }

    [[nodiscard]] bool is_streaming() const noexcept override { return stream_.is_open(); }

    void resume_stream() override
    {
        if constexpr (Traits::kind == BodyKind::stream) {
            outlet_.begin_burst();
            this->pending_ = stream_.resume(outlet_);
            outlet_.end_burst();
        }
    }

    void close_stream() noexcept override
    {
        if constexpr (Traits::kind == BodyKind::stream) {
            if (!this->error_)
                this->error_ = stream_.take_error();
            stream_.reset();
        }
    }

    struct NoStream {
        static constexpr bool is_open() noexcept { return false; }
    };

    Input input_;
    Outlet<Out> outlet_;
    Inbox<Message>& inbox_;
    SharedBody<Caller> body_;
    [[no_unique_address]] std::conditional_t<Traits::kind == BodyKind::stream, Stream<Out>, NoStream> stream_;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END
