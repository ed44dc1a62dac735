#pragma once

// Floor 6: `Graph::run` and what `Graph::async_run` needs of one execution.

#include <agdf/detail/drive.hpp>
#include <agdf/detail/executor_target.hpp>
#include <agdf/detail/fmt.hpp>
#include <agdf/detail/run.hpp>
#include <agdf/impl/run_steps.ipp>
#include <agdf/run.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace agdf::detail {

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

template <class Executor>
[[nodiscard]] asio::io_context* io_context_of_target(const asio::any_io_executor& executor)
{
    const auto* const target = target_of<Executor>(executor);
    return target ? io_context_of(*target) : nullptr;
}

AGDF_DECL asio::io_context* io_context_of(const asio::any_io_executor& executor)
{
    using Usual = asio::io_context::executor_type;
    using CountsAsWork = decltype(asio::require(std::declval<Usual>(), asio::execution::outstanding_work.tracked));
    if (asio::io_context* const io = io_context_of_target<Usual>(executor))
        return io;
    if (asio::io_context* const io = io_context_of_target<CountsAsWork>(executor))
        return io;
    if (asio::io_context* const io = io_context_of_target<asio::strand<Usual>>(executor))
        return io;
    return io_context_of_target<asio::strand<asio::any_io_executor>>(executor);
}

template <class Executor>
[[nodiscard]] bool is_on_target(const asio::any_io_executor& executor)
{
    const auto* const target = target_of<Executor>(executor);
    return target && is_on_strand(*target);
}

AGDF_DECL bool is_on_strand(const asio::any_io_executor& executor)
{
    return is_on_target<asio::strand<asio::io_context::executor_type>>(executor) ||
           is_on_target<asio::strand<asio::thread_pool::executor_type>>(executor) || is_on_target<asio::strand<asio::any_io_executor>>(executor);
}

AGDF_DECL void refuse_run_on_strand()
{
    throw GraphError("agdf::Graph::run: it was called on the strand that the graph shall run on, and would wait there for itself. Expected: a "
                     "call from elsewhere. Use co_await graph.async_run(asio::use_awaitable).");
}

AGDF_DECL std::vector<Strand> make_strands(const asio::any_io_executor& executor, std::size_t count)
{
    return make_strands<asio::any_io_executor>(executor, count);
}

AGDF_DECL std::shared_ptr<RunControl> make_run(const std::shared_ptr<GraphCore>& core, const std::vector<Strand>& strands,
                                               RunOptions options)
{
    core->check_idle();
    core->warn_of_zips();
    auto run = std::make_shared<Run>(core, strands);
    run->prepare(std::move(options));
    return run;
}

AGDF_DECL RunReport report_of_no_run(const RunControl& run, std::exception_ptr reason)
{
    RunReport report;
    report.outcome = Outcome::halted;
    report.first_error = std::move(reason);
    for (NodeStats& stats : run.stats())
        report.add(std::move(stats), {});
    return report;
}

AGDF_DECL RunReport run_to_the_end(const std::shared_ptr<GraphCore>& core, const std::vector<Strand>& strands,
                                   asio::io_context* io, RunOptions options)
{
    const auto drivers = std::make_shared<Drivers>();
    const auto report = std::make_shared<std::optional<RunReport>>();
    const auto run = make_run(core, strands, std::move(options));
    std::unique_ptr<Completion> completion = std::make_unique<KeepReport>(drivers, report, io);
    if (io && io->stopped())  // from here on a stop means this run, whose first bodies may be called in `begin`
        io->restart();
    run->begin(completion);
    if (io)
        drivers->drive(
            *io, core->options().threads, [&] { run->cancel(); },
            [&](std::size_t threads, const std::exception& reason) {
                run->log(LogLevel::warning, fmt::format("agdf::Graph::run: {} of {} threads could be started: {}. Expected: all of them. The "
                                                        "run goes on with these; raise the limit of threads (ulimit -u), or ask for fewer.",
                                                        threads, core->options().threads, reason.what()));
            });
    else
        drivers->wait();
    return std::move(**report);
}

}  // namespace agdf::detail
