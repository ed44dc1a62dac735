#pragma once

// Floor 3: items of several streams, one of each at a time.

#include <agdf/detail/fmt.hpp>
#include <agdf/error.hpp>
#include <agdf/receiver.hpp>
#include <agdf/stream.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

AGDF_COROUTINES_BEGIN

namespace agdf {

/// What happens at a zip when one of its inputs ends before the others.
enum class ZipMode {
    shortest,  ///< the zip ends; what is left on the others is counted as undelivered
    longest,   ///< padding stands for what is missing, until all have ended; also if a stop has ended some of them earlier
    strict     ///< it is an error of the node, unless a stop has ended it; the rest is counted as undelivered
};

/// The options of a zip. An aggregate: `agdf::zip<int, std::string>({.mode = agdf::ZipMode::strict})`.
template <class... T>
struct ZipOptions {
    ZipMode mode = ZipMode::shortest;
    /// For `longest`, which needs items that can be copied.
    std::optional<std::tuple<detail::Stored<T>...>> padding = std::nullopt;
};

/// Thrown by a strict zip whose inputs differ in length.
class AGDF_ONE_IN_PROGRAM ZipError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The body of a node with one input for each type; made by `agdf::zip`.
template <Item... T>
class Zip {
public:
    /// For the graph: items can be missing on one side only if something before it drops them.
    static constexpr bool meets_in_step = true;

    explicit Zip(ZipOptions<T...> options) : options_(std::make_shared<const ZipOptions<T...>>(std::move(options))) {}

    Stream<std::tuple<T...>> operator()(Receiver<T>... inputs) const { return run(options_, std::tuple<Receiver<T>...>{inputs...}); }

private:
    using Inputs = std::tuple<Receiver<T>...>;
    using Items = std::tuple<std::optional<T>...>;
    using Options = std::shared_ptr<const ZipOptions<T...>>;
    static constexpr std::size_t count = sizeof...(T);

    /// What has come of a row. If the body ends with it, because another input has ended or the run has, nobody works on it.
    struct Row {
        explicit Row(Inputs& of) noexcept : inputs(of) {}
        Row(const Row&) = delete;
        Row& operator=(const Row&) = delete;
        ~Row() { give_up(inputs, items, std::make_index_sequence<count>{}); }

        void release() noexcept { std::apply([](auto&... item) { (item.reset(), ...); }, items); }
        /// One of the items fails, and not merely is left.
        void release_one() noexcept
        {
            std::apply([](auto&... item) { (void)((item && (item.reset(), true)) || ...); }, items);
        }

        Inputs& inputs;
        Items items;
    };

    static Stream<std::tuple<T...>> run(Options options, Inputs inputs)
    {
        for (std::size_t rows = 0;; ++rows) {
            Row row{inputs};
            std::exception_ptr error;
            co_await read<0>(inputs, row.items, options->mode == ZipMode::shortest, error);
            if (error)
                std::rethrow_exception(error);
            const std::size_t present = std::apply([](const auto&... item) { return (std::size_t{item.has_value()} + ...); }, row.items);
            if (present < count) {
                if (present == 0)
                    co_return;
                if (options->mode != ZipMode::longest) {
                    if (options->mode == ZipMode::strict && !std::get<0>(inputs).is_draining())
                        throw ZipError(fmt::format("agdf::zip: an input has ended after {} items, and another has not. Expected: the same "
                                                   "number on all of them. Look for what drops items, or choose another mode.",
                                                   rows));
                    co_return;
                }
            }
            auto whole = make_whole(row, options->padding);
            row.release();
            co_yield std::move(whole);
        }
    }

    /// Reads one item of each input; up to the first that has ended, if `stops`. If a copy of an item throws, the others of the row
    /// are read all the same, since the next row would not be one.
    template <std::size_t N>
    static asio::awaitable<void> read(Inputs& inputs, Items& row, bool stops, std::exception_ptr& error)
    {
        bool goes_on = true;
        try {
            auto item = co_await std::get<N>(inputs).next();
            goes_on = item || !stops;
            if (item)
                std::get<N>(row).emplace(std::move(*item));
        } catch (const asio::system_error& aborted) {
            if (aborted.code() == asio::error::operation_aborted)  // the run is cut short
                throw;
            error = std::current_exception();
        } catch (...) {
            error = std::current_exception();
        }
        if constexpr (N + 1 < count) {
            if (goes_on)
                co_await read<N + 1>(inputs, row, stops, error);
        }
    }

    static std::tuple<T...> make_whole(Row& row, const std::optional<std::tuple<T...>>& padding)
    {
        try {
            return together(row.items, padding, std::make_index_sequence<count>{});
        } catch (...) {
            row.release_one();
            throw;
        }
    }

    template <std::size_t... N>
    static void give_up(Inputs& inputs, const Items& row, std::index_sequence<N...>) noexcept
    {
        (std::get<N>(inputs).give_up(std::get<N>(row) ? 1 : 0), ...);
    }

    template <std::size_t... N>
    static std::tuple<T...> together(Items& row, const std::optional<std::tuple<T...>>& padding, std::index_sequence<N...>)
    {
        return std::tuple<T...>{std::get<N>(row) ? std::move(*std::get<N>(row)) : padding_of<N>(padding)...};
    }

    template <std::size_t N>
    static auto padding_of([[maybe_unused]] const std::optional<std::tuple<T...>>& padding) -> std::tuple_element_t<N, std::tuple<T...>>
    {
        if constexpr ((detail::Copies<T>::value && ...))
            return std::get<N>(*padding);
        else
            std::terminate();  // agdf::zip has refused it
    }

    Options options_;
};

/// Returns the body of a node that takes one item from each of its inputs at a time and yields them as a tuple.
///
/// Shape:   one input for each type, each with a queue of its own: `graph.add_edge(from, node.input<N>())`. A node behind it
///          may take the elements as parameters.
/// Errors:  `longest` without padding throws GraphError; a `strict` zip fails with ZipError when an input ends early.
///          A filter between a node and only one of two inputs that it reaches leaves pairs that do not belong together, and
///          can make the graph stand still once the queues are full: the graph's log warns of it. Items that fail there do the
///          same, and the log says so at the end: let such a node halt the run, or use `agdf::join`, which goes by keys.
///
///     auto zipped = graph.add_node("zip", agdf::zip<int, std::string>());
///     graph.add_edge(numbers, zipped.input<0>());
///     graph.add_edge(words, zipped.input<1>());
template <class... T>
[[nodiscard]] auto zip(ZipOptions<T...> options = {})
{
    constexpr bool fits = sizeof...(T) >= 2 && (Item<T> && ...);
    static_assert(fits,
                  "agdf::zip<T...>(): these cannot be the inputs of a zip. Expected: two types or more, of objects that can be moved, "
                  "without const or reference. Name one type for each input.");
    if constexpr (fits) {
        if (options.mode == ZipMode::longest && (!options.padding || !(detail::Copies<T>::value && ...)))
            throw GraphError("agdf::zip: the mode is longest, but there is no padding that could be copied. Expected: .padding = {{a, b}}, of "
                             "items that can be copied. Set it, or choose another mode.");
        return Zip<T...>{std::move(options)};
    } else {
        return detail::Refused{};
    }
}

}  // namespace agdf

AGDF_COROUTINES_END
