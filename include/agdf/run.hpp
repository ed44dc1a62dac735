#pragma once

// Floor 6: `Graph::run` and `Graph::async_run`.

#include <agdf/detail/drive.hpp>
#include <agdf/detail/run.hpp>
#include <agdf/graph.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf {

namespace detail {

/// Keeps the report for the thread that waits in `Graph::run`.
class KeepReport final : public Completion {
public:
    KeepReport(std::shared_ptr<Drivers> drivers, std::shared_ptr<std::optional<RunReport>> report, asio::io_context* io)
        : drivers_(std::move(drivers)), report_(std::move(report)), io_(io)
    {
    }
    void complete(RunReport report) override
    {
        report_->emplace(std::move(report));
        drivers_->finish(io_);
    }

private:
    const std::shared_ptr<Drivers> drivers_;
    const std::shared_ptr<std::optional<RunReport>> report_;
    asio::io_context* const io_;
};

/// Hands the report to a completion handler, on the handler's executor.
template <class Handler>
class CallHandler final : public Completion {
public:
    CallHandler(Handler handler, const asio::any_io_executor& fallback)
        : work_(asio::get_associated_executor(handler, fallback)), handler_(std::move(handler))
    {
    }
    void complete(RunReport report) override
    {
        const auto executor = work_.get_executor();
        asio::post(executor, [handler = std::move(handler_), mine = std::move(report)]() mutable {
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
                slot.clear();
            std::move(handler)(std::move(mine));
        });
    }

private:
    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
    Handler handler_;
};

/// The io_context behind an executor, if there is one that can be run.
template <class Executor>
[[nodiscard]] asio::io_context* io_context_of(const Executor& executor)
{
    if constexpr (std::is_same_v<Executor, asio::io_context::executor_type>)
        return &executor.context();
    else if constexpr (std::is_same_v<Executor, asio::any_io_executor>)
        return executor.template target<asio::io_context::executor_type>()
                   ? &executor.template target<asio::io_context::executor_type>()->context()
                   : nullptr;
    else
        return nullptr;
}
template <class Inner>
[[nodiscard]] asio::io_context* io_context_of(const asio::strand<Inner>& strand)
{
    return io_context_of(strand.get_inner_executor());
}

template <class Executor>
[[nodiscard]] std::shared_ptr<Run> make_run(const std::shared_ptr<GraphCore>& core, const Executor& executor, RunOptions options)
{
    core->check_idle();
    core->warn_of_zips();
    std::vector<asio::any_io_executor> strands;
    for (std::size_t i = 0; i < core->options().threads; ++i)
        strands.emplace_back(asio::make_strand(executor));
    auto run = std::make_shared<Run>(core, strands);
    run->prepare(std::move(options));
    return run;
}

}  // namespace detail

template <class Executor>
RunReport Graph<Executor>::run(RunOptions options)
{
    asio::io_context* const io = detail::io_context_of(executor_);
    const auto drivers = std::make_shared<detail::Drivers>();
    const auto report = std::make_shared<std::optional<RunReport>>();
    const auto run = detail::make_run(core_, executor_, std::move(options));
    run->begin(std::make_unique<detail::KeepReport>(drivers, report, io));
    if (io)
        drivers->drive(
            *io, core_->options().threads, [&] { run->cancel(); },
            [&](std::size_t threads, const std::exception& reason) {
                run->log(LogLevel::warning, fmt::format("agdf::Graph::run: {} of {} threads could be started: {}. Expected: all of them. The "
                                                        "run goes on with these; raise the limit of threads (ulimit -u), or ask for fewer.",
                                                        threads, core_->options().threads, reason.what()));
            });
    else
        drivers->wait();
    return std::move(**report);
}

template <class Executor>
template <class CompletionToken>
auto Graph<Executor>::async_run(RunOptions options, CompletionToken&& token)
{
    auto run = detail::make_run(core_, executor_, std::move(options));
    const asio::any_io_executor fallback = executor_;
    auto initiate = [run = std::move(run), fallback](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        using Handler = decltype(handler);
        auto completion = std::make_unique<detail::CallHandler<Handler>>(std::move(handler), fallback);
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr<detail::Run>(run)](asio::cancellation_type type) {
                const auto alive = weak.lock();
                if (alive && (type & asio::cancellation_type::terminal) != asio::cancellation_type::none)
                    alive->cancel();
                else if (alive)
                    alive->stop();
            });
        run->begin(std::move(completion));
    };
    return asio::async_initiate<CompletionToken, void(RunReport)>(std::move(initiate), token);
}

}  // namespace agdf
