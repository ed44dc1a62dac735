#pragma once

// What joins one transfer with the completion handler of whoever awaits it.

#include <agdf/detail/timer.hpp>
#include <agdf/http/detail/asio.hpp>
#include <agdf/http/detail/engine.hpp>
#include <agdf/http/detail/transfer.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace agdf::http::detail {

/// The handler of a transfer's waiting operation, called on the strand when the transfer or its time has ended.
template <class Handler>
class Operation {
public:
    Operation(std::shared_ptr<Engine> engine, std::shared_ptr<Transfer> transfer, Handler handler)
        : engine_(std::move(engine)),
          hold_(engine_->executor()),
          transfer_(std::move(transfer)),
          handler_(std::move(handler)),
          work_(asio::make_work_guard(handler_, engine_->executor()))
    {
    }

    /// Starts the transfer; to be called on the strand.
    static void begin(Operation operation)
    {
        const std::shared_ptr<Engine> engine = operation.engine_;
        const std::shared_ptr<Transfer> transfer = operation.transfer_;
        transfer->wait(std::move(operation));
        engine->start(transfer);
    }

    void operator()(const asio::error_code&)
    {
        // Done or not decides, not the error code: a transfer that ends together with its time has ended.
        engine_->finish(transfer_, transfer_->timed_out());
        std::exception_ptr error = transfer_->take_error();
        Response response = error ? Response{} : transfer_->take_response();
        // Posted, so that the awaiting coroutine does not run on the client's strand and hold it up.
        asio::post(work_.get_executor(), [handler = std::move(handler_), error = std::move(error),
                                          response = std::move(response)]() mutable {
            std::move(handler)(std::move(error), std::move(response));
        });
    }

private:
    std::shared_ptr<Engine> engine_;  // first, so that it is the last to go
    agdf::detail::ClockHold hold_;
    std::shared_ptr<Transfer> transfer_;
    Handler handler_;
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
};

/// What runs when a request is awaited.
class Initiate {
public:
    using executor_type = asio::any_io_executor;

    explicit Initiate(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

    [[nodiscard]] executor_type get_executor() const noexcept { return engine_->executor(); }

    template <class Handler>
    void operator()(Handler&& handler, Request request) const
    {
        auto transfer = std::make_shared<Transfer>(engine_->strand(), engine_->options(), std::move(request));
        cancel_with(asio::get_associated_cancellation_slot(handler), transfer);
        using Started = Operation<std::decay_t<Handler>>;
        Started operation{engine_, std::move(transfer), std::forward<Handler>(handler)};
        asio::dispatch(engine_->strand(), [operation = std::move(operation)]() mutable {
            Started::begin(std::move(operation));
        });
    }

private:
    // Every kind of cancellation will do: a request may have reached its server, but its answer is nobody's state.
    template <class Slot>
    void cancel_with(Slot slot, const std::shared_ptr<Transfer>& transfer) const
    {
        if (!slot.is_connected())
            return;
        slot.assign([engine = std::weak_ptr<Engine>{engine_}, transfer = std::weak_ptr<Transfer>{transfer}](
                        asio::cancellation_type type) {
            const auto living_engine = engine.lock();
            if (type == asio::cancellation_type::none || !living_engine)
                return;
            // Emitted on the awaiting coroutine's thread, and behind `begin` in the strand.
            asio::post(living_engine->strand(), [living_engine, transfer] {
                if (const auto living_transfer = transfer.lock())
                    living_engine->finish(living_transfer, aborted());
            });
        });
    }

    std::shared_ptr<Engine> engine_;
};

}  // namespace agdf::http::detail
