#pragma once

// Floor 6: `Graph::run` and `Graph::async_run`.

#include <agdf/graph.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf {

namespace detail {

/// Errors: throws GraphError if the graph cannot run.
[[nodiscard]] AGDF_DECL std::shared_ptr<RunControl> make_run(const std::shared_ptr<GraphCore>& core,
                                                             const std::vector<Strand>& strands, RunOptions options);

/// Runs the graph until its last item has left, and `io` with it unless that is null.
///
/// Errors: throws GraphError if the graph cannot run.
[[nodiscard]] AGDF_DECL RunReport run_to_the_end(const std::shared_ptr<GraphCore>& core, const std::vector<Strand>& strands,
                                                 asio::io_context* io, RunOptions options);

/// The report of a run that could not begin.
[[nodiscard]] AGDF_DECL RunReport report_of_no_run(const RunControl& run, std::exception_ptr reason);

/// Makes an executor count as work of its context. asio::executor_work_guard does not take a strand of any_io_executor, and is
/// for executors of the networking TS only.
template <class Executor>
[[nodiscard]] auto as_work(const Executor& executor)
{
    if constexpr (asio::can_prefer<const Executor&, asio::execution::outstanding_work_t::tracked_t>::value)
        return asio::prefer(executor, asio::execution::outstanding_work.tracked);
    else
        return asio::executor_work_guard<Executor>(executor);
}
template <class Work>
[[nodiscard]] auto executor_of_work(const Work& work)
{
    if constexpr (requires { work.owns_work(); })
        return work.get_executor();
    else
        return work;
}

/// Hands the report to a completion handler, on the handler's executor.
template <class Handler>
class CallHandler final : public Completion {
public:
    CallHandler(Handler handler, const asio::any_io_executor& fallback)
        : work_(as_work(asio::get_associated_executor(handler, fallback))), fallback_(fallback), handler_(std::move(handler))
    {
    }
    void complete(RunReport report) override
    {
        const auto executor = executor_of_work(work_);
        auto call = [handler = std::move(handler_), mine = std::move(report)]() mutable {
            auto slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected())
                slot.clear();
            std::move(handler)(std::move(mine));
        };
        if constexpr (takes_posts)
            asio::post(executor, std::move(call));
        else
            asio::post(fallback_, [executor, call = std::move(call)]() mutable { asio::dispatch(executor, std::move(call)); });
    }

private:
    using Executor = asio::associated_executor_t<Handler, asio::any_io_executor>;
    // Not so asio::any_completion_executor, which forgets all but how to run something now.
    static constexpr bool takes_posts =
        !asio::execution::is_executor<Executor>::value || asio::can_require<Executor, asio::execution::blocking_t::never_t>::value;

    decltype(as_work(std::declval<Executor>())) work_;
    const asio::any_io_executor fallback_;
    Handler handler_;
};

/// Begins a run with the handler that Asio makes of a token. It has an executor for those that ask for one, as asio::cancel_after does.
template <class Executor>
class BeginRun {
public:
    using executor_type = Executor;

    /// @param in_call  Whether an exception still reaches the caller of `async_run`.
    BeginRun(Executor executor, std::shared_ptr<RunControl> run, std::shared_ptr<const bool> in_call)
        : executor_(std::move(executor)), run_(std::move(run)), in_call_(std::move(in_call))
    {
    }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    template <class Handler>
    void operator()(Handler handler) const
    {
        auto slot = asio::get_associated_cancellation_slot(handler);
        std::unique_ptr<Completion> completion = std::make_unique<CallHandler<Handler>>(std::move(handler), executor_);
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr<RunControl>(run_)](asio::cancellation_type type) {
                const auto alive = weak.lock();
                if (alive && (type & asio::cancellation_type::terminal) != asio::cancellation_type::none)
                    alive->cancel();
                else if (alive)
                    alive->stop();
            });
        try {
            run_->begin(completion);
        } catch (...) {
            if (slot.is_connected())
                slot.clear();  // the run that is under way may be another one's
            if (*in_call_)
                throw;
            completion->complete(report_of_no_run(*run_, std::current_exception()));  // from here Asio lets nothing through
        }
    }

private:
    Executor executor_;
    std::shared_ptr<RunControl> run_;
    std::shared_ptr<const bool> in_call_;
};

/// Whether a handler takes the report. What is none itself but stands for one, such as asio::use_awaitable, is left to Asio.
template <class Token>
consteval bool takes_report()
{
    if constexpr (requires(Token& bound) { { bound.get() } -> std::same_as<typename Token::target_type&>; })
        return takes_report<typename Token::target_type>();  // bound to an executor, or to a cancellation slot
    else if constexpr (requires { requires std::same_as<typename asio::async_result<Token, void(RunReport)>::completion_handler_type, Token>; })
        return std::is_invocable_v<Token, RunReport>;
    else
        return true;
}

/// The io_context behind an executor, if there is one that can be run.
[[nodiscard]] AGDF_DECL asio::io_context* io_context_of(const asio::any_io_executor& executor);
template <class Executor>
[[nodiscard]] asio::io_context* io_context_of(const Executor&)
{
    return nullptr;
}
template <class Allocator, auto bits>
[[nodiscard]] asio::io_context* io_context_of(const asio::io_context::basic_executor_type<Allocator, bits>& executor)
{
    return static_cast<asio::io_context*>(&asio::query(executor, asio::execution::context));
}
template <class Inner>
[[nodiscard]] asio::io_context* io_context_of(const asio::strand<Inner>& strand)
{
    return io_context_of(strand.get_inner_executor());
}

/// Whether the caller is on the strand that an executor is: if it waited for a graph there, it would wait for itself.
[[nodiscard]] AGDF_DECL bool is_on_strand(const asio::any_io_executor& executor);
template <class Executor>
[[nodiscard]] bool is_on_strand(const Executor&)
{
    return false;
}
template <class Inner>
[[nodiscard]] bool is_on_strand(const asio::strand<Inner>& strand)
{
    return strand.running_in_this_thread();
}
[[noreturn]] AGDF_DECL void refuse_run_on_strand();

[[nodiscard]] AGDF_DECL std::vector<Strand> make_strands(const asio::any_io_executor& executor, std::size_t count);
/// The same without a detour through the erased type.
template <class Executor>
[[nodiscard]] std::vector<Strand> make_strands(const Executor& executor, std::size_t count)
{
    std::vector<Strand> strands;
    for (std::size_t i = 0; i < count; ++i)
        strands.push_back(make_strand_on(executor));
    return strands;
}

}  // namespace detail

template <class Executor>
RunReport Graph<Executor>::run(RunOptions options)
{
    if (detail::is_on_strand(executor_))
        detail::refuse_run_on_strand();
    const auto strands = detail::make_strands(executor_, core_->options().threads);
    return detail::run_to_the_end(core_, strands, detail::io_context_of(executor_), std::move(options));
}

template <class Executor>
template <class CompletionToken>
auto Graph<Executor>::async_run(RunOptions options, CompletionToken&& token)
{
    using Token = std::decay_t<CompletionToken>;
    constexpr bool fits = detail::takes_report<Token>() && std::is_constructible_v<Token, CompletionToken>;
    static_assert(fits,
                  "agdf::Graph::async_run(token): the completion handler cannot be called with the report, or cannot be copied. "
                  "Expected: void(agdf::RunReport), or a completion token such as asio::use_awaitable. Let it take the report, and "
                  "nothing else; move it in if it cannot be copied.");
    auto run = detail::make_run(core_, detail::make_strands(executor_, core_->options().threads), std::move(options));
    const auto in_call = std::make_shared<bool>(true);
    struct CallEnds {
        std::shared_ptr<bool> in_call;
        ~CallEnds() { *in_call = false; }
    };
    const CallEnds at_the_end{in_call};
    if constexpr (fits)
        return asio::async_initiate<CompletionToken, void(RunReport)>(detail::BeginRun<Executor>{executor_, std::move(run), in_call}, token);
}

}  // namespace agdf

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/run.ipp>
#endif
