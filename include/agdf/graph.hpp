#pragma once

// Floor 5: the graph: nodes, edges, and what can be done with them.

#include <agdf/detail/check_body.hpp>
#include <agdf/detail/graph_core.hpp>
#include <agdf/start.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace agdf {

/// A directed acyclic graph whose nodes are coroutines and functions, and whose edges carry items between them.
///
/// A graph is a blueprint: it owns a copy of each body, can be run again and again, and each run has its own queues,
/// counters and report. Nodes and edges that a body adds during a run, with `threads = 1`, belong to the next one.
///
/// Shape:          nodes are described in the README and at `NodeOptions`; items flow along edges as soon as they are
///                 yielded, and every queue is bounded.
/// Errors:         what cannot work throws GraphError at once, or does not compile.
/// Thread-safety:  `stop`, `cancel`, `pause`, `resume` and `stats` are safe from any thread; all else belongs before the
///                 run, or into a body.
/// Source:         async-graph-data-flow's AsyncGraph and AsyncExecutor.
///
///     asio::io_context io;
///     agdf::Graph graph{io};
///     auto numbers = graph.add_node("numbers", agdf::from_range({1, 2, 3}));
///     auto print = graph.add_node("print", [](int n) { fmt::print("{}\n", n); });
///     numbers >> print;
///     return graph.run().exit_code();
template <class Executor = asio::any_io_executor>
class Graph {
public:
    using executor_type = Executor;

    /// Makes an empty graph that will run on `executor`.
    ///
    /// Errors: throws GraphError if an option is out of range.
    explicit Graph(const Executor& executor, GraphOptions options = {})
        requires(asio::execution::is_executor<Executor>::value)
        : executor_(executor), core_(detail::GraphCore::make(std::move(options)))
    {
    }

    /// The same for an execution context, an `asio::io_context` as a rule.
    template <class Context>
        requires std::convertible_to<Context&, asio::execution_context&>
    explicit Graph(Context& context, GraphOptions options = {})
        : executor_(detail::executor_of<Executor>(context)), core_(detail::GraphCore::make(std::move(options)))
    {
    }

    /// What was moved from can only be destroyed.
    Graph(Graph&&) noexcept = default;
    Graph& operator=(Graph&&) = delete;

    /// A run that is still under way is cancelled; its coroutines end on the context, nothing is waited for.
    ~Graph()
    {
        try {
            if (core_)
                core_->cancel();
        } catch (const std::bad_alloc&) {  // then it goes on to its end
        }
    }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    /// Adds a node whose input type is read off the body.
    ///
    /// @param body  Copied or moved into the graph, which keeps it; several workers share it.
    /// @return      A handle for edges.
    /// Errors:      throws GraphError for an empty or known name, for an empty std::function or a null pointer as the body, and
    ///              for options out of range; a body of another shape than those in the README does not compile.
    template <class Body>
    auto add_node(std::string name, Body&& body, NodeOptions options = {})
    {
        return add<detail::Deduce>(std::move(name), std::forward<Body>(body), std::move(options));
    }

    /// Adds a node whose input type is given, for generic lambdas and overloaded function objects; `void` = a source,
    /// `Receiver<I>` = a body that sees its whole stream.
    ///
    ///     graph.add_node<int>("twice", [](auto x) { return 2 * x; });
    template <class In, class Body>
        requires(!std::same_as<std::remove_cvref_t<In>, std::remove_cvref_t<Body>>)
    auto add_node(std::string name, Body&& body, NodeOptions options = {})
    {
        return add<In>(std::move(name), std::forward<Body>(body), std::move(options));
    }

    /// Lets what `from` yields flow into `to`.
    ///
    /// Errors: types that do not fit do not compile; a cycle, a second edge from an output that cannot be copied, and a
    ///         handle of another graph throw GraphError.
    template <class A, class B, class C, class D>
    void add_edge(Node<A, B> from, Node<C, D> to)
    {
        detail::check_edge<B, C>();
        if constexpr (FlowsInto<B, C>)
            connect<B, C>(from, to, detail::EdgeLabel::none, detail::Plain{});
    }

    /// The same for the items for which a predicate holds.
    template <class A, class B, class C, class D, class Predicate>
    void add_edge(Node<A, B> from, Node<C, D> to, Where<Predicate> where)
    {
        detail::check_edge<B, C>();
        if constexpr (FlowsInto<B, C>) {
            constexpr bool fits = std::predicate<Predicate&, const B&>;
            static_assert(fits,
                          "agdf::Graph::add_edge(from, to, where(predicate)): the predicate does not fit what node 'from' yields. "
                          "Expected: bool(const Item&). Let it take the item by const reference.");
            if constexpr (fits)
                connect<B, C>(from, to, detail::EdgeLabel::where, std::move(where));
        }
    }

    /// The same for what a function makes of the items.
    template <class A, class B, class C, class D, class Function>
    void add_edge(Node<A, B> from, Node<C, D> to, Map<Function> map)
    {
        constexpr bool callable = detail::is_refused<B, C> || std::invocable<Function&, B>;
        static_assert(callable,
                      "agdf::Graph::add_edge(from, to, map(function)): the function does not take what node 'from' yields. "
                      "Expected: a function of one Item. Let it take the item by const reference.");
        if constexpr (callable && !detail::is_refused<B, C>) {
            using Mapped = std::decay_t<std::invoke_result_t<Function&, B>>;
            constexpr bool fits = FlowsInto<Mapped, C>;
            static_assert(fits,
                          "agdf::Graph::add_edge(from, to, map(function)): what the function returns does not fit node 'to'. "
                          "Expected: what the body of 'to' takes. Change what the function returns.");
            if constexpr (fits)
                connect<B, C>(from, to, detail::EdgeLabel::map, std::move(map));
        }
    }

    // Says what is wrong with other arguments.
    template <class A, class B, class C, class D, class Shape>
    void add_edge(Node<A, B>, Node<C, D>, Shape)
    {
        static_assert(detail::never<Shape>,
                      "agdf::Graph::add_edge(from, to, shape): the shape is neither agdf::where(predicate) nor agdf::map(function). "
                      "Expected: one of the two, made from a callable. Wrap it in the one that is meant.");
    }
    template <class From, class To, class... Shape>
        requires(detail::is_no_edge<From, To>)
    void add_edge(const From&, const To&, const Shape&...)
    {
        static_assert(detail::never<From>,
                      "agdf::Graph::add_edge(from, to): these are not two nodes. Expected: two handles that add_node has returned, or "
                      "the names of two nodes. Add a function or a lambda as a node first.");
    }

    /// Adds an edge by names; the types are checked now, at run time.
    ///
    /// Errors: throws GraphError for an unknown name, types that differ, and all that the other forms throw for.
    void add_edge(std::string_view from, std::string_view to) { core_->blueprint.add_edge(from, to); }

    /// Sends the items that fail at `node` for good to `dead_letters`, an ordinary node that takes `Failed<I>`.
    ///
    /// A failed item still counts as `err` and makes the run end as completed_with_errors. If it fails at the dead-letter
    /// node as well, the run halts, unless that one has an error edge of its own. If `node` halts on errors, its failed item
    /// goes nowhere.
    ///
    /// Errors: an item that cannot be copied does not compile, since the body may use it up before it fails: pass it as a
    ///         std::shared_ptr then. A body that sees its whole stream, a cycle, a second such edge, a chain of nodes and a
    ///         handle of another graph throw GraphError.
    template <class A, class B, class C, class D>
    void add_error_edge(Node<A, B> node, Node<C, D> dead_letters)
    {
        constexpr bool fits = detail::is_refused<A, C> || std::is_void_v<C> || std::is_same_v<C, Failed<A>>;
        static_assert(fits,
                      "agdf::Graph::add_error_edge(node, dead_letters): 'dead_letters' takes another type. Expected: a node whose "
                      "body takes agdf::Failed<I>, where I is what 'node' takes. Let its body take that.");
        constexpr bool copies = std::is_void_v<A> || detail::Copies<A>::value;
        static_assert(copies,
                      "agdf::Graph::add_error_edge(node, dead_letters): the item of 'node' cannot be copied, and the body may use it "
                      "up before it fails. Expected: a copyable item. Pass a std::shared_ptr to it.");
        if constexpr (fits && copies && !detail::is_refused<A, C>) {
            detail::check_own("add_error_edge(node, dead_letters)", core_->blueprint, node.blueprint(), dead_letters.blueprint());
            if (node.first() != node.last())
                throw GraphError("agdf::Graph::add_error_edge(node, dead_letters): 'node' is a chain. Expected: one node, since each has "
                                 "failures of its own. Add an edge for each node of the chain.");
            core_->blueprint.add_error_edge(node.first(), dead_letters.first(), detail::make_as<const detail::EdgeMaker, detail::ErrorEdgeMakerOf<A, C>>());
        }
    }

    /// Adds an error edge by names; the types are checked now, at run time.
    void add_error_edge(std::string_view node, std::string_view dead_letters)
    {
        core_->blueprint.add_error_edge(node, dead_letters);
    }

    /// Runs the graph until the last item has left.
    ///
    /// On an `asio::io_context` it runs the context, on `GraphOptions::threads` threads in all, the caller's included; on
    /// another context it waits for the end, which somebody else's threads bring about: the last of them may still be
    /// letting go of the bodies when it returns. If somebody stops an `asio::io_context` meanwhile the run is cancelled and wound
    /// up, and the context stopped again; whoever stops another one has to `cancel` the graph before, or it waits for ever.
    ///
    /// Errors: throws GraphError if the graph cannot run, before anything starts, also on the strand that it shall run on: there,
    ///         and on the only thread of a pool, use `async_run`. A failing node never throws out of
    ///         `run`: look at the report. What a handler throws that has nothing to do with the graph comes out of `run` as it
    ///         comes out of the context's own; the graph's run is then under way still, and ends as the context is run on.
    RunReport run(RunOptions options = {});

    /// Starts a run inside a larger Asio program.
    ///
    /// @param token  Any completion token for `void(RunReport)`. Cancelling the operation cancels the run (`terminal`) or
    ///               stops it (`partial`, `total`).
    /// Errors:       as `run`, thrown by this call. A token may start the run later, as asio::use_awaitable does when it is
    ///               awaited; if the graph cannot run then, because it is running already, the outcome is `halted` and the
    ///               report's `first_error` is the reason.
    /// Resumes:      on the token's associated executor, else on the graph's.
    ///
    ///     agdf::RunReport report = co_await graph.async_run(asio::use_awaitable);
    template <class CompletionToken>
    auto async_run(CompletionToken&& token)
    {
        return async_run(RunOptions{}, std::forward<CompletionToken>(token));
    }

    template <class CompletionToken>
    auto async_run(RunOptions options, CompletionToken&& token);

    /// Ends the run early and cleanly: sources are cancelled at their current await, everything already yielded is
    /// carried to the end. Without effect if no run is under way.
    void stop() { core_->stop(); }

    /// Ends the run now: what is queued is discarded and counted, running bodies are cancelled at their current await.
    /// Without effect if no run is under way.
    void cancel() { core_->cancel(); }

    /// Lets no body begin with another item, and no source yield another one, until `resume`; what is under way goes on. A
    /// stop or cancel ends the pause. Without effect if no run is under way.
    void pause() { core_->pause(); }

    void resume() { core_->resume(); }

    /// Returns the numbers of the run under way, else of the last one, in the order in which the nodes were added.
    ///
    /// Each number is right, but they are read one after the other while items flow: two nodes need not agree before the
    /// run has ended.
    [[nodiscard]] std::vector<NodeStats> stats() const { return core_->stats(); }

    /// For the library's other parts: what the graph consists of.
    [[nodiscard]] const std::shared_ptr<detail::GraphCore>& core() const noexcept { return core_; }

private:
    template <class Given, class Body>
    auto add(std::string&& name, Body&& body, NodeOptions&& options)
    {
        using B = std::decay_t<Body>;
        using Traits = detail::BodyTraits<B, Given>;
        constexpr bool fits = detail::check_body<B, Traits>();
        if constexpr (fits) {
            auto spec = detail::make_as<const detail::NodeSpec, detail::NodeSpecOf<B, Traits>>(std::move(name), std::move(options), B(std::forward<Body>(body)));
            const std::size_t index = core_->blueprint.add_node(std::move(spec), Traits::MoreIns::count);
            core_->warn_of_options(core_->blueprint.node(index));
            return make_handle<Traits>(index, typename Traits::MoreIns{});
        } else {
            return Node<detail::Refused, detail::Refused>{core_->blueprint, 0, 0};
        }
    }

    template <class Traits, class... More>
    auto make_handle(std::size_t index, detail::Parameters<More...>)
    {
        if constexpr (sizeof...(More) == 0) {
            return Node<typename Traits::In, typename Traits::Out>{core_->blueprint, index, index};
        } else {
            const detail::NodeSpec& node = core_->blueprint.node(index);
            const NodeOptions options{.queue_size = node.options().queue_size, .overflow = node.options().overflow};
            std::array<std::size_t, sizeof...(More)> more{};
            std::size_t n = 0;
            (
                [&] {
                    more[n] = core_->blueprint.add_input(index, detail::make_as<const detail::NodeSpec, detail::ExtraInputSpec<More>>(detail::Blueprint::input_name(node.name(), n + 1), options));
                    ++n;
                }(),
                ...);
            return NodeWithInputs<typename Traits::Out, typename Traits::In, More...>{core_->blueprint, index, more};
        }
    }

    template <class From, class To, class A, class B, class C, class D, class Shape>
    void connect(Node<A, B> from, Node<C, D> to, detail::EdgeLabel label, Shape shape)
    {
        detail::check_own("add_edge(from, to)", core_->blueprint, from.blueprint(), to.blueprint());
        core_->blueprint.add_edge(from.last(), to.first(), label,
                                  detail::make_as<const detail::EdgeMaker, detail::EdgeMakerOf<From, To, Shape>>(std::move(shape)));
    }

    Executor executor_;
    std::shared_ptr<detail::GraphCore> core_;
};

template <class Context>
    requires std::convertible_to<Context&, asio::execution_context&>
Graph(Context&, GraphOptions = {}) -> Graph<>;

/// Draws an edge and returns the chain, which takes what the first node takes and yields what the last one yields.
///
///     auto pipeline = extracted >> transformed >> loaded;
template <class A, class B, class C, class D>
Node<A, D> operator>>(Node<A, B> from, Node<C, D> to)
{
    detail::check_edge<B, C>();
    if constexpr (FlowsInto<B, C>) {
        if (&from.blueprint() != &to.blueprint())
            throw GraphError("agdf::operator>>(from, to): the nodes belong to different graphs. Expected: two nodes of one graph. "
                             "Add both to the same one.");
        from.blueprint().add_edge(from.last(), to.first(), detail::EdgeLabel::none,
                                  detail::make_as<const detail::EdgeMaker, detail::EdgeMakerOf<B, C, detail::Plain>>(detail::Plain{}));
    }
    return {from.blueprint(), from.first(), to.last()};
}

// Says what is wrong with other operands.
template <class From, class To>
    requires(detail::is_no_edge<From, To> && (detail::is_handle<From> || detail::is_handle<To>))
Node<detail::Refused, detail::Refused> operator>>(const From& from, const To& to)
{
    static_assert(detail::never<From>,
                  "agdf::operator>>(from, to): these are not two nodes. Expected: two handles that add_node has returned. Add a function "
                  "or a lambda as a node first.");
    if constexpr (detail::is_handle<From>)
        return {from.blueprint(), 0, 0};
    else
        return {to.blueprint(), 0, 0};
}

}  // namespace agdf
