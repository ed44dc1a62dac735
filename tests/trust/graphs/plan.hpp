#pragma once

// A graph and what happens to it, as plain numbers: it can be printed, read back, and made smaller.

#include "item.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace graphs {

/// What a node's body is. Those that take nothing are sources, or are called once for each item that comes.
enum class Shape : Number {
    source, make, make_awaitable, call,
    stream, awaitable, awaitable_optional, awaitable_void, plain, plain_ref, plain_optional, plain_void,
    blocking, blocking_optional, blocking_void,
    whole, whole_sink, two, batch, window, reduce, dedupe, zip,
    dead_sink, dead_stream, dead_void,
    count
};

enum class Takes { nothing, item, failed, failed_nothing };
enum class Yields { nothing, item, items, total, pair };

/// What is known of a shape.
struct ShapeFacts {
    std::string_view name;
    Takes takes;
    Yields yields;
    bool whole = false;     ///< the body sees its whole stream
    bool two = false;       ///< it has two inputs
    bool streams = false;   ///< it may yield any number of items
    bool filters = false;   ///< it may yield nothing
    bool sleeps = false;    ///< it is a coroutine, and can be ended by a time-out
    bool blocking = false;
    bool piece = false;     ///< a ready-made body: what it yields goes on along agdf::map edges only
};

[[nodiscard]] const ShapeFacts& facts_of(Shape shape);

enum class EdgeKind : Number { plain, named, where, map, partition, balance, error, count };
enum class ActionKind : Number { stop, cancel, pause, resume, stats, destroy_graph, destroy_context, count };

[[nodiscard]] std::string_view name_of(EdgeKind kind);
[[nodiscard]] std::string_view name_of(ActionKind kind);

/// A node. Each number is at its simplest when it is as here.
struct NodePlan {
    Number shape = 0;
    Number rank = 0;         ///< edges lead from lower to higher ones; nodes are added in any order
    Number salt = 0;         ///< what its script is made of
    Number yields = 0;       ///< of a source: how many; else of each item: at most
    Number starts = 0;       ///< start items
    Number workers = 1;
    Number queue = 1'024;
    Number overflow = 0;     ///< wait, drop_newest, drop_oldest
    Number on_error = 0;     ///< inherit, skip, halt
    Number fail = 0;         ///< of 1,000 items, how many fail for good
    Number flaky = 0;        ///< of 1,000 items, how many fail at first
    Number attempts = 1;
    Number delay = 0;        ///< ms, before the second attempt
    Number when = 0;         ///< 0: all errors are tried again; 1: those that may go away
    Number asks = 0;         ///< errors that may go away say when to come back
    Number held = 1'024;
    Number sleep = 0;        ///< a body's waits are up to 2 * this many ms
    Number timeout = 0;      ///< ms, odd, so that it never ends with a sleep
    Number rate = 0;         ///< attempts per second; 0: any number
    Number burst = 1;
    Number rate_group = 0;   ///< shared with the nodes of the same group, unless 0
    Number limit = 0;        ///< attempts under way; 0: any number
    Number limit_group = 0;
    Number ordered = 0;      ///< 1: ordered, 2: ordered_by_key
    Number weight = 0;       ///< of the queue; 0: any
    Number setup = 0;        ///< 1: a setup and a teardown, 2: coroutines, 3: the setup throws
    Number per_worker = 0;
    Number take = 0;         ///< a whole-stream body returns after so many items; 0: at the end
    Number size = 1;         ///< of a batch or window; keys of reduce and dedupe
    Number piece_delay = 0;  ///< ms; of a batch or window
    Number piece_bound = 0;  ///< max_weight of a batch, max_keys of reduce and dedupe
    Number mode = 0;         ///< of a zip

    [[nodiscard]] Shape is() const noexcept { return static_cast<Shape>(shape); }
    [[nodiscard]] const ShapeFacts& facts() const { return facts_of(is()); }

    template <class Visit>
    static void each(const Visit& visit)
    {
        visit("shape", &NodePlan::shape);
        visit("rank", &NodePlan::rank);
        visit("salt", &NodePlan::salt);
        visit("yields", &NodePlan::yields);
        visit("starts", &NodePlan::starts);
        visit("workers", &NodePlan::workers);
        visit("queue", &NodePlan::queue);
        visit("overflow", &NodePlan::overflow);
        visit("on_error", &NodePlan::on_error);
        visit("fail", &NodePlan::fail);
        visit("flaky", &NodePlan::flaky);
        visit("attempts", &NodePlan::attempts);
        visit("delay", &NodePlan::delay);
        visit("when", &NodePlan::when);
        visit("asks", &NodePlan::asks);
        visit("held", &NodePlan::held);
        visit("sleep", &NodePlan::sleep);
        visit("timeout", &NodePlan::timeout);
        visit("rate", &NodePlan::rate);
        visit("burst", &NodePlan::burst);
        visit("rate_group", &NodePlan::rate_group);
        visit("limit", &NodePlan::limit);
        visit("limit_group", &NodePlan::limit_group);
        visit("ordered", &NodePlan::ordered);
        visit("weight", &NodePlan::weight);
        visit("setup", &NodePlan::setup);
        visit("per_worker", &NodePlan::per_worker);
        visit("take", &NodePlan::take);
        visit("size", &NodePlan::size);
        visit("piece_delay", &NodePlan::piece_delay);
        visit("piece_bound", &NodePlan::piece_bound);
        visit("mode", &NodePlan::mode);
    }
};

struct EdgePlan {
    Number from = 0;
    Number to = 0;
    Number kind = 0;
    Number port = 0;   ///< the second input of a node that has two
    Number salt = 0;   ///< of a predicate or a function
    Number group = 0;  ///< edges of one partition or balance
    Number fail = 0;   ///< of 1,000 values, at how many its predicate or function throws

    [[nodiscard]] EdgeKind is() const noexcept { return static_cast<EdgeKind>(kind); }
    [[nodiscard]] bool is_grouped() const noexcept { return is() == EdgeKind::partition || is() == EdgeKind::balance; }
    [[nodiscard]] bool is_of_group(const EdgePlan& other) const noexcept
    {
        return is_grouped() && other.is_grouped() && from == other.from && group == other.group;
    }
    /// Whether there is something on the edge that can throw.
    [[nodiscard]] bool can_fail() const noexcept
    {
        return is() == EdgeKind::where || is() == EdgeKind::map || is() == EdgeKind::partition;
    }

    template <class Visit>
    static void each(const Visit& visit)
    {
        visit("from", &EdgePlan::from);
        visit("to", &EdgePlan::to);
        visit("kind", &EdgePlan::kind);
        visit("port", &EdgePlan::port);
        visit("salt", &EdgePlan::salt);
        visit("group", &EdgePlan::group);
        visit("fail", &EdgePlan::fail);
    }
};

/// Something that is done to the run from outside, when a part of its steps is over.
struct ActionPlan {
    Number kind = 0;
    Number permille = 0;

    [[nodiscard]] ActionKind is() const noexcept { return static_cast<ActionKind>(kind); }

    template <class Visit>
    static void each(const Visit& visit)
    {
        visit("kind", &ActionPlan::kind);
        visit("permille", &ActionPlan::permille);
    }
};

struct OptionsPlan {
    Number threads = 1;
    Number on_error = 1;  ///< as NodePlan::on_error; the default is skip
    Number max_exceptions = 1'000;
    Number whole_run = 0;  ///< whether Graph::run is called for the second run, and not async_run

    template <class Visit>
    static void each(const Visit& visit)
    {
        visit("threads", &OptionsPlan::threads);
        visit("on_error", &OptionsPlan::on_error);
        visit("max_exceptions", &OptionsPlan::max_exceptions);
        visit("whole_run", &OptionsPlan::whole_run);
    }
};

struct Plan {
    OptionsPlan options;
    std::vector<NodePlan> nodes;
    std::vector<EdgePlan> edges;
    std::vector<ActionPlan> actions;  ///< of a second run
};

/// One line for each part, with what differs from the defaults.
[[nodiscard]] std::string print(const Plan& plan);
/// Throws std::runtime_error for what `print` does not make.
[[nodiscard]] Plan parse(const std::string& text);

/// Makes a plan that a graph can be made of, from any.
void normalise(Plan& plan);

/// Draws a plan.
///
/// @param scale  How many items there are, 1 for few.
[[nodiscard]] Plan generate(Number seed, Number scale, bool threads);

}  // namespace graphs
