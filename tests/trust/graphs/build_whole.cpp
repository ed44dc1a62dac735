// The nodes whose bodies see their whole stream.

#include "bodies.hpp"
#include "build.hpp"

#include <functional>

namespace graphs {

namespace {

using Ptr = std::shared_ptr<Station>;

template <class Body>
[[nodiscard]] Place add(Built& built, const Ptr& station, agdf::NodeOptions options, Body body)
{
    const auto node = built.graph->add_node(station->name(), std::move(body), std::move(options));
    if constexpr (requires { node.template input<1>(); })
        return {node.first(), node.template input<1>().first()};
    else
        return {node.first(), node.first()};
}

/// Counts the items that do not fail.
[[nodiscard]] auto key_function(const Ptr& s)
{
    return [s](const Item& item) -> Number {
        if (script_of(s->node(), item.value()).fatal)
            throw Fatal();
        s->finished.fetch_add(1, std::memory_order_relaxed);
        return key_of(s->node(), item.value());
    };
}

[[nodiscard]] Place add_batch(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    const NodePlan& node = s->node();
    agdf::BatchOptions<Item> batch{.max_items = node.size, .max_delay = std::chrono::milliseconds(node.piece_delay)};
    if (node.piece_bound > 0) {
        batch.max_weight = node.piece_bound;
        batch.weight = [s](const Item& item) -> std::size_t {
            if (script_of(s->node(), item.value()).fatal)
                throw Fatal();
            return weight_of(item.value());
        };
    }
    return add(built, s, std::move(options), agdf::batch<Item>(std::move(batch)));
}

[[nodiscard]] Place add_piece(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    const NodePlan& node = s->node();
    switch (node.is()) {
    case Shape::batch:
        return add_batch(built, s, std::move(options));
    case Shape::window:
        return add(built, s, std::move(options),
                   agdf::window<Item>({.max_items = node.size, .duration = std::chrono::milliseconds(node.piece_delay)}));
    case Shape::reduce: {
        const auto fold = [](Number& sum, const Item& item) { sum += item.value(); };
        return add(built, s, std::move(options), agdf::reduce<Item>(key_function(s), Number{0}, fold, {.max_keys = most_keys_of(node)}));
    }
    case Shape::dedupe:
        return add(built, s, std::move(options), agdf::dedupe<Item>(key_function(s), {.max_keys = most_keys_of(node)}));
    default: {
        agdf::ZipOptions<Item, Item> zip{.mode = static_cast<agdf::ZipMode>(node.mode)};
        if (zip.mode == agdf::ZipMode::longest)
            zip.padding.emplace(Item{padding}, Item{padding});
        return add(built, s, std::move(options), agdf::zip<Item, Item>(std::move(zip)));
    }
    }
}

}  // namespace

Place add_whole_node(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    switch (s->node().is()) {
    case Shape::whole: {
        std::function<agdf::Stream<Item>(agdf::Receiver<Item>)> body = [s](agdf::Receiver<Item> items) { return play_whole(*s, items); };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::whole_sink: {
        std::function<asio::awaitable<void>(agdf::Receiver<Item>)> body = [s](agdf::Receiver<Item> items) { return play_whole_sink(*s, items); };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::two: {
        std::function<agdf::Stream<Item>(agdf::Receiver<Item>, agdf::Receiver<Item>)> body =
            [s](agdf::Receiver<Item> first, agdf::Receiver<Item> second) { return play_two(*s, first, second); };
        return add(built, s, std::move(options), std::move(body));
    }
    default:
        return add_piece(built, s, std::move(options));
    }
}

}  // namespace graphs
