// The nodes whose bodies are called for single items. Bodies of one signature are of one type, so that each compiles once.

#include "bodies.hpp"
#include "build.hpp"

#include <functional>

namespace graphs {

namespace {

using Ptr = std::shared_ptr<Station>;
struct Nothing {};

template <class Body>
[[nodiscard]] Place add(Built& built, const Ptr& station, agdf::NodeOptions options, Body body)
{
    const auto node = built.graph->add_node(station->name(), std::move(body), std::move(options));
    return {node.first(), node.first()};
}

[[nodiscard]] Place add_without_input(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    const Number unit = unit_of(s->node());
    switch (s->node().is()) {
    case Shape::source: {
        std::function<agdf::Stream<Item>()> body = [s, unit] { return play_stream(*s, Nothing{}, unit, 1); };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::make: {
        std::function<Item()> body = [s, unit] { return *play_plain(*s, unit, 1); };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::make_awaitable: {
        std::function<asio::awaitable<Item>()> body = [s, unit] { return play_awaitable_one(*s, Nothing{}, unit, 1); };
        return add(built, s, std::move(options), std::move(body));
    }
    default: {
        std::function<void()> body = [s, unit] { (void)play_plain(*s, unit, 1); };
        return add(built, s, std::move(options), std::move(body));
    }
    }
}

[[nodiscard]] Place add_stream(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    using Body = std::function<agdf::Stream<Item>(Item)>;
    Body body = [s](Item item) {
        const Number value = item.value();
        const Number attempt = s->next_attempt(item);
        return play_stream(*s, std::move(item), value, attempt);
    };
    if (s->node().per_worker == 0)
        return add(built, s, std::move(options), std::move(body));
    std::function<Body()> make = [s, body] {
        ++s->makes;
        return body;
    };
    return add(built, s, std::move(options), agdf::per_worker(std::move(make)));
}

[[nodiscard]] Place add_plain(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    using Body = std::function<Item(Item)>;
    Body body = [s](Item item) { return *play_plain(*s, item.value(), s->next_attempt(item)); };
    if (s->node().per_worker == 0)
        return add(built, s, std::move(options), std::move(body));
    std::function<Body()> make = [s, body] {
        ++s->makes;
        return body;
    };
    return add(built, s, std::move(options), agdf::per_worker(std::move(make)));
}

[[nodiscard]] Place add_asynchronous(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    switch (s->node().is()) {
    case Shape::awaitable: {
        std::function<asio::awaitable<Item>(Item)> body = [s](Item item) {
            const Number value = item.value();
            const Number attempt = s->next_attempt(item);
            return play_awaitable_one(*s, std::move(item), value, attempt);
        };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::awaitable_optional: {
        std::function<asio::awaitable<std::optional<Item>>(Item)> body = [s](Item item) {
            const Number value = item.value();
            const Number attempt = s->next_attempt(item);
            return play_awaitable(*s, std::move(item), value, attempt);
        };
        return add(built, s, std::move(options), std::move(body));
    }
    default: {
        std::function<asio::awaitable<void>(Item)> body = [s](Item item) {
            const Number value = item.value();
            const Number attempt = s->next_attempt(item);
            return play_awaitable_none(*s, std::move(item), value, attempt);
        };
        return add(built, s, std::move(options), std::move(body));
    }
    }
}

[[nodiscard]] Place add_function(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    using Optional = std::function<std::optional<Item>(Item)>;
    using Sink = std::function<void(Item)>;
    Optional optional = [s](Item item) { return play_plain(*s, item.value(), s->next_attempt(item)); };
    Sink sink = [s](Item item) { (void)play_plain(*s, item.value(), s->next_attempt(item)); };
    switch (s->node().is()) {
    case Shape::plain_ref: {
        std::function<Item(const Item&)> body = [s](const Item& item) { return *play_plain(*s, item.value(), s->next_attempt(item)); };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::plain_optional:
        return add(built, s, std::move(options), std::move(optional));
    case Shape::plain_void:
        return add(built, s, std::move(options), std::move(sink));
    case Shape::blocking: {
        std::function<Item(Item)> body = [s](Item item) { return *play_plain(*s, item.value(), s->next_attempt(item)); };
        return add(built, s, std::move(options), agdf::blocking(std::move(body)));
    }
    case Shape::blocking_optional:
        return add(built, s, std::move(options), agdf::blocking(std::move(optional)));
    case Shape::blocking_void:
        return add(built, s, std::move(options), agdf::blocking(std::move(sink)));
    default:
        return add_plain(built, s, std::move(options));
    }
}

/// What a letter says, as one number.
template <class I>
[[nodiscard]] Number read(Station& station, const agdf::Failed<I>& letter)
{
    if (!letter.error || letter.node.empty() || letter.attempts == 0)
        station.complain("a letter without an error, a node or an attempt");
    if constexpr (std::is_void_v<I>)
        return letter_of(0, letter.attempts);
    else
        return letter_of(letter.item.value(), letter.attempts);
}

[[nodiscard]] Place add_dead_letters(Built& built, const Ptr& s, agdf::NodeOptions options)
{
    switch (s->node().is()) {
    case Shape::dead_stream: {
        std::function<agdf::Stream<Item>(agdf::Failed<Item>)> body = [s](agdf::Failed<Item> letter) {
            const Number value = read(*s, letter);
            return play_stream(*s, std::move(letter), value, 1);
        };
        return add(built, s, std::move(options), std::move(body));
    }
    case Shape::dead_void: {
        std::function<void(agdf::Failed<void>)> body = [s](agdf::Failed<void> letter) { (void)play_plain(*s, read(*s, letter), 1); };
        return add(built, s, std::move(options), std::move(body));
    }
    default: {
        std::function<void(agdf::Failed<Item>)> body = [s](agdf::Failed<Item> letter) { (void)play_plain(*s, read(*s, letter), 1); };
        return add(built, s, std::move(options), std::move(body));
    }
    }
}

}  // namespace

Place add_item_node(Built& built, const Ptr& station, agdf::NodeOptions options)
{
    const ShapeFacts& facts = station->node().facts();
    if (facts.takes == Takes::nothing)
        return add_without_input(built, station, std::move(options));
    if (facts.takes != Takes::item)
        return add_dead_letters(built, station, std::move(options));
    if (facts.streams)
        return add_stream(built, station, std::move(options));
    return facts.sleeps ? add_asynchronous(built, station, std::move(options)) : add_function(built, station, std::move(options));
}

}  // namespace graphs
