#pragma once

// The bodies of all nodes: they do what the script of their item says.

#include "station.hpp"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace graphs {

[[nodiscard]] inline std::chrono::milliseconds nap_before(const NodePlan& node, Number value, Number output)
{
    return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(sleep_before(node, value, output)));
}

/// @param item  Kept until the end, and counted as alive for so long.
template <class Kept>
agdf::Stream<Item> play_stream(Station& station, [[maybe_unused]] Kept item, Number value, Number attempt)
{
    Call call{station};
    call.see(value);
    const Script script = script_of(station.node(), value);
    for (Number i = 0;; ++i) {
        const auto nap = nap_before(station.node(), value, i);
        if (nap.count() > 0)
            co_await agdf::sleep_for(nap);
        station.fail_if_due(script, i, attempt);
        if (i == script.outputs)
            break;
        Item output{output_of(station.node(), value, i)};
        call.rest();
        co_yield std::move(output);
        call.go_on();
    }
    call.finish();
}

/// Empty if there is nothing to yield.
template <class Kept>
asio::awaitable<std::optional<Item>> play_awaitable(Station& station, [[maybe_unused]] Kept item, Number value, Number attempt)
{
    Call call{station};
    call.see(value);
    const Script script = script_of(station.node(), value);
    const auto nap = nap_before(station.node(), value, 0);
    if (nap.count() > 0)
        co_await agdf::sleep_for(nap);
    station.fail_if_due(script, 0, attempt);
    std::optional<Item> output;
    if (script.outputs > 0)
        output.emplace(output_of(station.node(), value, 0));
    call.finish();
    co_return output;
}

template <class Kept>
asio::awaitable<Item> play_awaitable_one(Station& station, Kept item, Number value, Number attempt)
{
    auto played = play_awaitable(station, std::move(item), value, attempt);
    auto output = co_await std::move(played);
    co_return std::move(*output);
}

template <class Kept>
asio::awaitable<void> play_awaitable_none(Station& station, Kept item, Number value, Number attempt)
{
    auto played = play_awaitable(station, std::move(item), value, attempt);
    co_await std::move(played);
}

[[nodiscard]] inline std::optional<Item> play_plain(Station& station, Number value, Number attempt)
{
    Call call{station};
    call.see(value);
    const Script script = script_of(station.node(), value);
    if (station.node().facts().blocking)
        for (Number i = 0; i < mix(value, 9) % 4; ++i)
            std::this_thread::yield();
    station.fail_if_due(script, 0, attempt);
    std::optional<Item> output;
    if (script.outputs > 0)
        output.emplace(output_of(station.node(), value, 0));
    call.finish();
    return output;
}

/// Some of these bodies wait for a time only.
[[nodiscard]] inline asio::awaitable<std::optional<Item>> receive(Station& station, agdf::Receiver<Item>& items)
{
    if (station.node().salt % 4 == 0)
        return items.next_for(std::chrono::seconds(1));
    return items.next();
}

inline agdf::Stream<Item> play_whole(Station& station, agdf::Receiver<Item> items)
{
    Call call{station};
    const NodePlan& node = station.node();
    while (node.take == 0 || station.taken < node.take) {
        auto item = co_await receive(station, items);
        if (!item) {
            if (!items.has_ended())
                continue;
            Item last{last_output_of(node)};
            co_yield std::move(last);
            co_return;
        }
        if (node.take > 0)
            ++station.taken;  // several workers count nothing
        const Number value = item->value();
        call.see(value);
        const Script script = script_of(node, value);
        for (Number i = 0;; ++i) {
            const auto nap = nap_before(node, value, i);
            if (nap.count() > 0)
                co_await agdf::sleep_for(nap);
            station.fail_if_due(script, i, 1);
            if (i == script.outputs)
                break;
            Item output{output_of(node, value, i)};
            co_yield std::move(output);
        }
        call.finish();
    }
}

inline asio::awaitable<void> play_whole_sink(Station& station, agdf::Receiver<Item> items)
{
    Call call{station};
    const NodePlan& node = station.node();
    while (node.take == 0 || station.taken < node.take) {
        auto item = co_await receive(station, items);
        if (!item) {
            if (!items.has_ended())
                continue;
            co_return;
        }
        if (node.take > 0)
            ++station.taken;  // several workers count nothing
        const Number value = item->value();
        call.see(value);
        const auto nap = nap_before(node, value, 0);
        if (nap.count() > 0)
            co_await agdf::sleep_for(nap);
        station.fail_if_due(script_of(node, value), 0, 1);
        call.finish();
    }
}

/// Reads its inputs by turns, until both have ended.
inline agdf::Stream<Item> play_two(Station& station, agdf::Receiver<Item> first, agdf::Receiver<Item> second)
{
    Call call{station};
    const NodePlan& node = station.node();
    for (bool takes_first = true; !first.has_ended() || !second.has_ended(); takes_first = !takes_first) {
        agdf::Receiver<Item> items = takes_first ? first : second;
        if (items.has_ended())
            continue;
        auto item = co_await items.next();
        if (!item)
            continue;
        const Number value = item->value();
        call.see(value);
        const Script script = script_of(node, value);
        for (Number i = 0;; ++i) {
            const auto nap = nap_before(node, value, i);
            if (nap.count() > 0)
                co_await agdf::sleep_for(nap);
            if (i == script.outputs)
                break;
            Item output{output_of(node, value, i)};
            co_yield std::move(output);
        }
        call.finish();
    }
    Item last{last_output_of(node)};
    co_yield std::move(last);
}

}  // namespace graphs

AGDF_COROUTINES_END
