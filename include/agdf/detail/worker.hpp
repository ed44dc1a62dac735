#pragma once

// Floor 4: the worker that takes items out of a node's queue, runs the node's body on them and sends on what it yields.

#include <agdf/blocking.hpp>
#include <agdf/detail/typed_worker.hpp>
#include <agdf/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf::detail {

/// One worker of a node whose body is called for each item.
template <class Traits>
class Worker final : public TypedWorker<Traits, ItemWorker> {
    using Base = TypedWorker<Traits, ItemWorker>;
    using typename Base::Caller;
    using typename Base::In;
    using typename Base::Message;
    using typename Base::Out;
    using typename ItemWorker::Stage;
    using typename ItemWorker::Step;
    static constexpr bool is_plain = Traits::kind == BodyKind::plain && !Traits::blocking;
    static constexpr bool is_stream = Traits::kind == BodyKind::stream;

public:
    using Base::Base;

    /// Such a body has no further inputs.
    static void attach_input(NodeRun&) noexcept {}

private:
    [[nodiscard]] Step step() override
    {
        Stage& stage = this->stage_;
        for (;;) {
            switch (stage) {
            case Stage::take:
                if (this->is_cut_short())
                    return end();
                if constexpr (is_stream) {
                    if (this->must_reset_cancellation()) [[unlikely]]
                        return Step::none;  // the coroutine does it, and asks again
                }
                if constexpr (is_plain || is_stream) {
                    if (!this->policies_) {
                        while (run_items()) {}
                        if (stage != Stage::take)
                            break;
                        if (this->is_turn_over())
                            return this->sleep_until_next_turn();
                    }
                }
                stage = Stage::taken;
                if (get() == Got::waiting)
                    return this->sleep(WorkerClock::idle);
                [[fallthrough]];
            case Stage::taken:
                if (!this->input_.message)
                    return end();  // also when the run is paused: an end is no item
                if (this->must_pause())
                    return this->sleep_through_pause();
                if (this->policies_) [[unlikely]]
                    this->policies_->begin_item(this->input_.stamp);
                if (this->is_cut_short()) {
                    if (this->policies_)
                        this->policies_->skip_item();
                    lose_item();
                    return end();
                }
                stage = Stage::finishing;
                if (this->policies_ || is_asynchronous()) [[unlikely]]
                    return Step::attend;
                start_call();
                break;
            case Stage::streaming:
                if (!this->is_streaming()) {
                    this->close_stream();
                    stage = Stage::finishing;
                    break;
                }
                if (this->pending_) {
                    stage = Stage::performed;
                    return Step::attend;
                }
                stage = Stage::resuming;
                if (this->must_wait())
                    return this->sleep(WorkerClock::blocked);
                [[fallthrough]];
            case Stage::resuming:
                if (this->outlet_.has_error() && outlives_edge_errors()) [[unlikely]]
                    this->lose_output(this->outlet_.take_error());
                if (this->outlet_.has_error() || this->is_cut_short()) {
                    this->close_stream();
                    stage = Stage::finishing;
                    break;
                }
                [[fallthrough]];
            case Stage::performed:
                if (this->is_source() && this->must_pause())
                    return this->sleep_through_pause();
                if (this->is_turn_over())
                    return this->sleep_until_next_turn();
                this->resume_stream();
                stage = Stage::streaming;
                break;
            case Stage::finishing:
                if (this->outlet_.is_full()) [[unlikely]] {
                    stage = Stage::leaving;
                    if (this->must_wait())
                        return this->sleep(WorkerClock::blocked);
                }
                [[fallthrough]];
            case Stage::leaving:
                stage = Stage::leaving;
                if (this->outlet_.has_error()) [[unlikely]]
                    take_outlet_error();
                if (this->error_) [[unlikely]]
                    this->fail(std::exchange(this->error_, nullptr));
                this->input_.message.reset();
                stage = Stage::take;
                if (!this->has_turn())
                    return this->sleep_until_next_turn();
                break;
            }
        }
    }

    AGDF_NOINLINE void take_outlet_error() noexcept
    {
        auto error = this->outlet_.take_error();
        if (!this->error_)
            this->error_ = std::move(error);
    }

    // The fast lane, in worker_loops.hpp: runs many items, as long as nothing else is to be looked at.
    [[nodiscard]] bool run_items();
    template <class Call>
    void run_row(std::size_t count, const Call& call);
    template <bool across, class Queue>
    void run_row_into(std::size_t count, Queue& next);
    void run_streams(std::size_t count);
    void run_across();
    void run_batch();
    [[nodiscard]] bool run_item(Message message);

    /// Takes the next item out of the batch, which is not empty, and gives its place back.
    [[nodiscard]] Message next_of_batch()
    {
        this->inbox_.channel().give_back();
        Message message{std::move(batch_[next_in_batch_++])};
        if (next_in_batch_ == batch_.size())
            end_batch();
        return message;
    }

    void end_batch() noexcept
    {
        batch_.clear();
        next_in_batch_ = 0;
    }

    /// Gets the next item in the way that all kinds of bodies and all situations allow.
    [[nodiscard]] Got get()
    {
        if (!batch_.empty()) {
            this->input_.message.emplace(next_of_batch());
            return Got::item;
        }
        return this->inbox_.get(this->input_);
    }

    [[nodiscard]] Step end()
    {
        if (const std::size_t left = batch_.size() - next_in_batch_; left > 0) {
            this->count_undelivered(left);
            this->inbox_.channel().give_back(left);
            end_batch();
        }
        return Step::end;
    }

    void move_in(Parcel<Stored<In>>& parcel)
    {
        this->input_.message.emplace(std::move(parcel));
        std::destroy_at(&parcel);
    }

    enum class After : unsigned char {
        step,  ///< there is more to be looked at
        next,  ///< the next item has been taken
        away   ///< nothing yet: the body has left the coroutine on an executor of its own
    };

    /// Deals with what a body has returned. One function, since it comes after each item and in coroutines GCC inlines little.
    template <class... Value>
    [[nodiscard]] AGDF_FLATTENED After end_body(Value&&... value)
    {
        if (!this->lane_.is_drained_here() && !this->lane_.is_here())
            return After::away;
        try {
            (this->deliver(std::forward<Value>(value)), ...);
        } catch (...) {
            this->error_ = std::current_exception();
        }
        return takes_next() ? After::next : After::step;
    }

    /// Takes the next item at once, for a body that has ended well.
    [[nodiscard]] bool takes_next()
    {
        if (this->must_reset_cancellation() || this->error_ || this->policies_ || this->outlet_.is_full())
            return false;
        if (!this->is_undisturbed() || !this->has_turn())
            return false;
        auto& queue = this->inbox_.channel();
        if (queue.ready_in_place() == 0 || this->inbox_.has_starts())
            return false;
        move_in(queue.reader().take(0));
        queue.end_reading();
        return true;
    }

    AGDF_ALWAYS_INLINE void call([[maybe_unused]] Stored<In>& item)
    {
        if constexpr (is_plain) {
            if constexpr (std::is_void_v<typename Traits::Return>)
                (*this->body_)(item);
            else
                this->deliver((*this->body_)(item));
        }
    }

    void start_call() override
    {
        try {
            if constexpr (is_plain) {
                call(this->input_.message->value);
            } else if constexpr (is_stream) {
                this->stream_ = (*this->body_)(this->input_.message->value);
                this->stage_ = Stage::streaming;
                if (this->is_streaming())
                    this->resume_stream();
            }
        } catch (...) {
            this->error_ = std::current_exception();
        }
    }

    void close_stream() noexcept override
    {
        const bool is_cut = this->is_streaming();
        Base::close_stream();
        if (is_cut && !this->error_ && !this->outlet_.has_error())
            lose_item();
    }

    [[nodiscard]] bool is_asynchronous() const noexcept override { return !is_plain && !is_stream; }

    /// A source works on no item that could have failed: with it, all that it has not yielded yet would be lost.
    [[nodiscard]] bool outlives_edge_errors() const noexcept override { return std::is_void_v<In> && this->is_source(); }

    asio::awaitable<void> run_bodies() override
    {
        if constexpr (is_plain || is_stream)
            return Base::run_bodies();
        else
            return run_asynchronous_bodies();
    }

    // In worker_loops.hpp, too.
    asio::awaitable<void> run_asynchronous_bodies();

    void pass_on() override { this->inbox_.channel().pass_on(); }

    void on_drain() noexcept override
    {
        if (this->policies_)
            (void)this->policies_->interrupt();
    }

    void lose_item() noexcept override
    {
        const bool is_item = !std::is_void_v<In> || !this->is_source();  // else it only says that the source begins
        if (is_item && (this->input_.message || this->stage_ == Stage::leaving))  // there its place in the queue may be free already
            this->count_undelivered();
        this->input_.message.reset();
    }

    std::vector<Message> batch_;  // taken from a shared queue for one lock
    std::size_t next_in_batch_ = 0;
};

}  // namespace agdf::detail

AGDF_COROUTINES_END

#include <agdf/detail/worker_loops.hpp>
