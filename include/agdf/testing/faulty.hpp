#pragma once

// Testing: bodies and edges to which faults happen.

#include <agdf/blocking.hpp>
#include <agdf/edge.hpp>
#include <agdf/per_worker.hpp>
#include <agdf/receiver.hpp>
#include <agdf/stream.hpp>
#include <agdf/testing/faults.hpp>

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

namespace detail {

/// The input of a body with a Receiver, each item of which is a call.
template <class M>
class FaultyInlet final : public Inlet<M> {
public:
    FaultyInlet(Inlet<M>& inlet, testing::Faults faults) : Inlet<M>(inlet.lane()), inlet_(inlet), faults_(std::move(faults)) {}

    Got try_get(Getting<M>& receiver) override
    {
        faults_.strike_now();
        return inlet_.try_get(receiver);
    }
    ChannelCore<M>& channel() noexcept override { return inlet_.channel(); }
    void on_wait() noexcept override { inlet_.on_wait(); }
    void on_resume(Got got) noexcept override
    {
        inlet_.on_resume(got);
        this->has_ended = inlet_.has_ended;
    }
    [[nodiscard]] bool is_draining() const noexcept override { return inlet_.is_draining(); }
    [[nodiscard]] bool is_cut_short() const noexcept override { return inlet_.is_cut_short(); }
    void count_undelivered(std::size_t count) noexcept override { inlet_.count_undelivered(count); }
    [[nodiscard]] bool must_pause() const noexcept override { return inlet_.must_pause(); }
    [[nodiscard]] asio::awaitable<void> pause() override { return inlet_.pause(); }
    void fail(const std::exception_ptr& error) override { inlet_.fail(error); }
    [[nodiscard]] Inlet<M>& root() noexcept override { return inlet_.root(); }

private:
    Inlet<M>& inlet_;
    const testing::Faults faults_;
};

/// A body with faults, of the same signature but for what plain functions return: to sleep they have to be coroutines.
template <class Body, class Args>
class FaultyBody;

template <class Body, class... A>
class FaultyBody<Body, Parameters<A...>> {
public:
    using F = typename Unwrapped<Body>::Type;
    using Return = std::invoke_result_t<F&, A...>;
    static constexpr BodyKind kind = Result<Return>::kind;
    static constexpr bool blocks = Unwrapped<Body>::blocking;
    static constexpr bool meets_in_step = MeetsInStep<F>;

    FaultyBody(F function, testing::Faults faults) : function_(std::make_shared<F>(std::move(function))), faults_(std::move(faults)) {}

    auto operator()(A... arguments) const
    {
        if constexpr ((IsReceiver<std::remove_cvref_t<A>>::value || ...))
            return see_the_streams<Return>(function_, faults_, std::tuple(std::remove_cvref_t<A>(arguments)...));
        else if constexpr (kind == BodyKind::stream && sizeof...(A) == 0)
            return yield_each<Return>(function_, faults_);
        else if constexpr (kind == BodyKind::stream)
            return yield<Return>(function_, faults_, std::forward<A>(arguments)...);
        else
            return call<CallResult>(function_, faults_, std::forward<A>(arguments)...);
    }

private:
    using Function = std::shared_ptr<F>;

    template <class R>
    struct AwaitResult {
        using Type = std::decay_t<R>;
    };
    template <class R>
    struct AwaitResult<asio::awaitable<R>> {
        using Type = R;
    };
    using CallResult = typename AwaitResult<Return>::Type;

    template <class R>
    static asio::awaitable<R> call(Function function, testing::Faults faults, A... arguments)
    {
        co_await faults.strike();
        if constexpr (kind == BodyKind::awaitable) {
            auto called = (*function)(std::forward<A>(arguments)...);
            co_return co_await std::move(called);
        } else if constexpr (blocks) {
            auto bound = [function, kept = std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)]() mutable -> R {
                return std::apply([&](auto&... each) -> R { return (*function)(static_cast<A&&>(each)...); }, kept);
            };
            auto called = call_in_pool(std::move(bound));
            co_return co_await std::move(called);
        } else {
            co_return (*function)(std::forward<A>(arguments)...);
        }
    }

    template <class S>
    static S yield(Function function, testing::Faults faults, A... arguments)
    {
        co_await faults.strike();
        S stream = (*function)(std::forward<A>(arguments)...);
        while (auto item = co_await stream.next())
            co_yield std::move(*item);
    }

    template <class S>
    static S yield_each(Function function, testing::Faults faults)
    {
        S stream = (*function)();
        while (auto item = co_await stream.next()) {
            co_await faults.strike();
            co_yield std::move(*item);
        }
    }

    template <class R, class... I>
    static R see_the_streams(Function function, testing::Faults faults, std::tuple<Receiver<I>...> receivers)
    {
        const auto inlets = std::apply(
            [&](auto&... each) { return std::tuple(std::make_unique<FaultyInlet<Envelope<I>>>(each.inlet(), faults)...); }, receivers);
        auto called = std::apply([&](auto&... each) { return (*function)(Receiver<I>{*each}...); }, inlets);
        if constexpr (kind == BodyKind::awaitable) {
            co_return co_await std::move(called);
        } else {
            while (auto item = co_await called.next())
                co_yield std::move(*item);
        }
    }

    Function function_;
    testing::Faults faults_;
};

template <class Body>
[[nodiscard]] typename Unwrapped<std::decay_t<Body>>::Type function_of(Body&& body)
{
    std::decay_t<Body> mine(std::forward<Body>(body));
    if constexpr (Unwrapped<std::decay_t<Body>>::blocking)
        return std::move(mine.function());
    else
        return mine;
}

}  // namespace detail

namespace testing {

/// Returns a body that does the same as another, but for the faults.
///
/// Shape:          any body that `Graph::add_node` takes without being told its type; the node it makes takes and yields
///                 the same. A call is a call of the body; of a source whose body is a Stream it is each item that is
///                 yielded, of a body with Receivers each `next()` of any of them.
/// Errors:         the planned ones, before the body sees the item; a source ends with its first. A delay at a body with
///                 a Receiver fails with std::logic_error.
/// Thread-safety:  as the body.
///
///     auto result = agdf::testing::probe(agdf::testing::faulty(fetch, faults.drop_connection(2)), {"a", "b", "c"});
///     REQUIRE(result.outputs.size() == 2);
template <class Body>
[[nodiscard]] auto faulty(Body&& body, Faults faults)
{
    using Traits = agdf::detail::BodyTraits<std::decay_t<Body>>;
    constexpr bool known = Traits::known_signature;
    constexpr bool fits = known && Traits::kind != agdf::detail::BodyKind::unknown;
    static_assert(known,
                  "agdf::testing::faulty(body, faults): the input type of the body cannot be read off it; it is a generic lambda, "
                  "an overloaded function object, or not callable at all. Expected: a function, or a lambda with plain "
                  "parameter types. Write the type into the parameter.");
    static_assert(!known || fits,
                  "agdf::testing::faulty(body, faults): this cannot be the body of a node. Expected: what Graph::add_node takes. "
                  "Add the body to a graph without faults to see what is wrong with it.");
    if constexpr (fits && Traits::per_worker) {
        return per_worker([make = std::decay_t<Body>(std::forward<Body>(body)), faults = std::move(faults)]() mutable {
            return faulty(make(), faults);
        });
    } else if constexpr (fits) {
        using Args = typename agdf::detail::FunctionType<typename Traits::F>::Args;
        return agdf::detail::FaultyBody<std::decay_t<Body>, Args>{agdf::detail::function_of(std::forward<Body>(body)), std::move(faults)};
    }
}

/// Returns a shape for an edge that fails as planned: each item that it carries is a call.
///
/// Errors:         the planned ones, as errors of the item that the edge's source works on. A delay fails with
///                 std::logic_error, since an edge cannot wait.
///
///     graph.add_edge(parse, load, agdf::testing::faulty_edge<Row>(faults));
template <Item T>
[[nodiscard]] auto faulty_edge(Faults faults)
{
    return map([faults = std::move(faults)](T item) {
        faults.strike_now();
        return item;
    });
}

}  // namespace testing

}  // namespace agdf

AGDF_COROUTINES_END
