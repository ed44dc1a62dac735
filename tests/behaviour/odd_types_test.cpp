// Types that invite mistakes, as items of nodes, edges and the ready-made pieces: lists of themselves, what converts from anything,
// what cannot be assigned, and what acts on its own when it moves.

#include "support/catch.hpp"
#include "support/graph.hpp"

#include <agdf/testing.hpp>

#include <any>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

struct Point;
template <>
struct std::tuple_size<Point> : std::integral_constant<std::size_t, 2> {};
template <std::size_t N>
struct std::tuple_element<N, Point> {
    using type = std::conditional_t<N == 0, int, std::string>;
};

/// Like a tuple, with a way of its own to its elements.
struct Point {
    int x = 0;
    std::string name;
};
template <std::size_t N>
auto get(const Point& point)
{
    if constexpr (N == 0)
        return point.x;
    else
        return point.name;
}

namespace {

using List = std::vector<std::any>;  // which a list of lists is as well

agdf::Stream<List> three_lists()
{
    for (int i = 0; i < 3; ++i) {
        List list(static_cast<std::size_t>(i + 1), std::any{i});
        co_yield list;
    }
}

/// The sizes of the lists that arrive.
std::vector<std::size_t> sizes_after(agdf::NodeOptions source_options, agdf::NodeOptions step_options)
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::size_t> sizes;
    graph.add_node("source", three_lists, std::move(source_options)) >>
        graph.add_node("step", [](List list) { return list; }, std::move(step_options)) >>
        graph.add_node("sink", [&sizes](const List& list) { sizes.push_back(list.size()); });
    graph.run().throw_if_failed();
    return sizes;
}

/// As a value of JSON is: a container of its own type.
struct Tree : std::vector<Tree> {
    int number = 0;
};

/// Asks the graph for its statistics whenever it moves.
struct Asking {
    explicit Asking(std::function<void()>& ask_) : ask(&ask_) {}
    Asking(Asking&& other) noexcept : ask(other.ask)
    {
        if (*ask)
            (*ask)();
    }
    std::function<void()>* ask;
};

/// Its address is not to be had with `&`.
struct Hidden {
    int number = 0;
    Hidden* operator&() = delete;
    const Hidden* operator&() const = delete;
};


using Owners = std::vector<std::unique_ptr<int>>;  // says that it can be copied, and cannot

struct MapTree : std::map<std::string, MapTree> {};
struct VariantTree : std::vector<std::variant<int, VariantTree>> {};

/// Moves, but cannot be assigned.
struct Fixed {
    const int number;
    std::string text;
};

/// Is made of anything; of itself it is copied if that is const.
struct FromAll {
    FromAll() = default;
    FromAll(const FromAll&) = default;
    FromAll(FromAll&&) noexcept = default;
    template <class T>
        requires(!std::is_base_of_v<FromAll, T>)
    FromAll(T&&) : is_wrapped(true)
    {
    }
    bool is_wrapped = false;
};

template <class T>
std::vector<T> three(T a, T b, T c)
{
    std::vector<T> items;
    items.push_back(std::move(a));
    items.push_back(std::move(b));
    items.push_back(std::move(c));
    return items;
}

/// What a piece makes of the items of a range.
template <class Out, class Range, class Piece>
std::vector<Out> results_of(Range range, Piece piece)
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<Out> results;
    graph.add_node("source", agdf::from_range(std::move(range))) >> graph.add_node("piece", std::move(piece)) >>
        graph.add_node("sink", agdf::collect(results));
    graph.run().throw_if_failed();
    return results;
}

}  // namespace

TEST_CASE("an item that is a list stays as it is, also while it is kept back for a retry or for its turn", "[items][retry][ordered]")
{
    const std::vector<std::size_t> expected{1, 2, 3};
    CHECK(sizes_after({}, {}) == expected);
    CHECK(sizes_after({.retry = {.attempts = 2}}, {}) == expected);
    CHECK(sizes_after({}, {.retry = {.attempts = 2}}) == expected);
    CHECK(sizes_after({}, {.workers = 2, .ordered = true}) == expected);
}

TEST_CASE("an item may be a container of its own type, as a value of JSON is", "[items]")
{
    STATIC_REQUIRE(agdf::Item<Tree>);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto source = graph.add_node("source", [] {
        Tree tree;
        tree.number = 1;
        tree.push_back(tree);
        return tree;
    });
    source >> graph.add_node("left", [&sum](const Tree& tree) { sum += tree.number + tree.at(0).number; });
    source >> graph.add_node("right", [&sum](Tree tree) { sum += 10 * (tree.number + tree.at(0).number); });
    graph.run().throw_if_failed();
    CHECK(sum == 22);
}

TEST_CASE("an item that asks for the statistics while it moves gets them", "[items][stats]")
{
    const test::Watchdog watchdog;
    const std::size_t threads = GENERATE(1U, 2U);
    const std::size_t queue_size = GENERATE(1U, 8U);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet({.threads = threads})};
    std::atomic<int> asked{0};
    std::atomic<int> arrived{0};
    std::function<void()> ask = [&] { asked += graph.stats().size() == 2 ? 1 : 0; };
    auto source = graph.add_node("source", [&ask]() -> agdf::Stream<Asking> {
        for (int i = 0; i < 10; ++i) {
            Asking item{ask};
            co_yield std::move(item);
        }
    });
    source >> graph.add_node("sink", [&arrived](const Asking&) { ++arrived; }, {.workers = threads, .queue_size = queue_size});
    graph.run().throw_if_failed();
    CHECK(arrived == 10);
    CHECK(asked > 10);
}

TEST_CASE("an item whose address is not to be had with & can be weighed, and ordered by key", "[items][weight][ordered]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto source = graph.add_node("source", []() -> agdf::Stream<Hidden> {
        for (int i = 1; i <= 10; ++i) {
            Hidden item{i};
            co_yield std::move(item);
        }
    });
    source >> graph.add_node("sink", [&sum](const Hidden& item) { sum += item.number; },
                             {.workers = 2,
                              .ordered_by_key = [](const Hidden& item) { return item.number % 3; },
                              .queue_weight = {12, [](const Hidden& item) { return static_cast<std::size_t>(item.number); }}});
    graph.run().throw_if_failed();
    CHECK(sum == 55);
}

TEST_CASE("what can really be copied is told, also of types that contain themselves", "[items]")
{
    using agdf::detail::Copies;
    STATIC_REQUIRE(Copies<MapTree>::value);
    STATIC_REQUIRE(Copies<VariantTree>::value);
    STATIC_REQUIRE(Copies<std::array<std::string, 2>>::value);
    STATIC_REQUIRE(Copies<std::queue<int>>::value);
    STATIC_REQUIRE(Copies<agdf::Failed<int>>::value);
    STATIC_REQUIRE(Copies<agdf::Failed<void>>::value);
    STATIC_REQUIRE_FALSE(Copies<Owners>::value);
    STATIC_REQUIRE_FALSE(Copies<std::array<Owners, 2>>::value);
    STATIC_REQUIRE_FALSE(Copies<std::queue<std::unique_ptr<int>>>::value);
    STATIC_REQUIRE_FALSE(Copies<std::map<int, std::optional<Owners>>>::value);
    STATIC_REQUIRE_FALSE(Copies<agdf::Failed<Owners>>::value);
}

TEST_CASE("an edge refuses what would lose a part of the item, or point into it when it is gone", "[edges]")
{
    using agdf::FlowsInto;
    enum Unscoped : int { big = 300 };
    STATIC_REQUIRE_FALSE(FlowsInto<const char*, bool>);
    STATIC_REQUIRE_FALSE(FlowsInto<int*, bool>);
    STATIC_REQUIRE_FALSE(FlowsInto<Unscoped, signed char>);
    STATIC_REQUIRE_FALSE(FlowsInto<double, std::optional<int>>);
    STATIC_REQUIRE_FALSE(FlowsInto<std::optional<double>, std::optional<int>>);
    STATIC_REQUIRE_FALSE(FlowsInto<std::string, std::optional<std::string_view>>);
    STATIC_REQUIRE_FALSE(FlowsInto<std::string, std::variant<std::string_view, std::vector<int>>>);
    STATIC_REQUIRE_FALSE(FlowsInto<std::tuple<std::string, int>, std::tuple<const std::string&, int>>);
    STATIC_REQUIRE(FlowsInto<int, long>);
    STATIC_REQUIRE(FlowsInto<std::true_type, bool>);
    STATIC_REQUIRE(FlowsInto<int, std::optional<long>>);
    STATIC_REQUIRE(FlowsInto<std::optional<int>, std::optional<long>>);
    STATIC_REQUIRE(FlowsInto<std::string, std::variant<std::string, int>>);
    STATIC_REQUIRE(FlowsInto<const char*, std::string>);
    STATIC_REQUIRE(FlowsInto<std::tuple<std::string, int>, std::tuple<std::string, long>>);
}

TEST_CASE("a range of bools is a source of bools", "[range]")
{
    const auto results = results_of<bool>(std::vector<bool>{true, false, true}, [](bool value) { return !value; });
    CHECK(results == std::vector<bool>{false, true, false});
}

TEST_CASE("pieces take items that can be moved but not assigned", "[items][batch]")
{
    const auto items = [] { return three(Fixed{1, "a"}, Fixed{2, "b"}, Fixed{3, "c"}); };
    const auto batches = results_of<std::vector<Fixed>>(items(), agdf::batch<Fixed>({.max_items = 2}));
    REQUIRE(batches.size() == 2);
    CHECK(batches[0].at(1).number == 2);
    CHECK(batches[1].at(0).text == "c");
    const auto kept = results_of<Fixed>(items(), [](Fixed item) { return item; });
    REQUIRE(kept.size() == 3);
    CHECK(kept[2].number == 3);
}

TEST_CASE("zip takes what cannot be copied or assigned", "[zip]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    int sum = 0;
    auto owners = graph.add_node("owners", []() -> agdf::Stream<Owners> {
        for (int i = 1; i <= 3; ++i) {
            Owners owner;
            owner.push_back(std::make_unique<int>(i));
            co_yield std::move(owner);
        }
    });
    auto fixed = graph.add_node("fixed", agdf::from_range(three(Fixed{10, "a"}, Fixed{20, "b"}, Fixed{30, "c"})));
    auto zip = graph.add_node("zip", agdf::zip<Owners, Fixed>());
    owners >> zip.input<0>();
    fixed >> zip.input<1>();
    zip >> graph.add_node("sink", [&sum](const Owners& owner, const Fixed& item) { sum += *owner.at(0) + item.number; });
    graph.run().throw_if_failed();
    CHECK(sum == 66);
}

TEST_CASE("reduce keeps values, and join items, that cannot be assigned", "[reduce][join]")
{
    const auto texts = results_of<std::pair<int, Fixed>>(
        three(Fixed{1, "a"}, Fixed{2, "b"}, Fixed{1, "c"}),
        agdf::reduce<Fixed>(&Fixed::number, Fixed{0, ""}, [](Fixed all, const Fixed& item) { return Fixed{item.number, all.text + item.text}; }));
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].second.text == "ac");
    CHECK(texts[1].second.text == "b");

    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::string pairs;
    std::string alone;
    auto join = graph.add_node("join", agdf::join<Fixed, int>(&Fixed::number, std::identity{}));
    graph.add_node("items", agdf::from_range(three(Fixed{1, "a"}, Fixed{2, "b"}, Fixed{3, "c"}))) >> join;
    graph.add_node("numbers", agdf::from_range(std::vector{2, 4})) >> join;
    join >> graph.add_node("pairs", [&](const std::pair<Fixed, int>& pair) { pairs += pair.first.text; });
    join >> graph.add_node("alone", [&](const agdf::Unmatched<Fixed>& left) { alone += left.item.text; });
    join >> graph.add_node("numbers alone", [&](const agdf::Unmatched<int>& left) { alone += std::to_string(left.item); });
    graph.run().throw_if_failed();
    CHECK(pairs == "b");
    CHECK(alone == "ac4");
}

TEST_CASE("an item that can be made of anything is copied as it is, for a retry and by a range", "[items][retry]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<bool> wrapped;
    graph.add_node("source", agdf::from_range(std::vector<FromAll>(2))) >>
        graph.add_node("step", [&wrapped](FromAll item) {
            wrapped.push_back(item.is_wrapped);
            if (wrapped.size() == 1)
                throw std::runtime_error("again");
        }, {.retry = {.attempts = 2}});
    graph.run().throw_if_failed();
    CHECK(wrapped == std::vector<bool>{false, false, false});
}

TEST_CASE("a key must say what it is, and not where", "[keys]")
{
    using agdf::detail::HashedByValue;
    using agdf::detail::TableKey;
    STATIC_REQUIRE_FALSE(HashedByValue<const char*>);
    STATIC_REQUIRE_FALSE(HashedByValue<wchar_t*>);
    STATIC_REQUIRE(HashedByValue<std::string_view>);
    STATIC_REQUIRE(HashedByValue<int*>);
    STATIC_REQUIRE_FALSE(TableKey<std::wstring_view>);
    STATIC_REQUIRE_FALSE(TableKey<const wchar_t*>);
    STATIC_REQUIRE_FALSE(TableKey<std::optional<std::string_view>>);
    STATIC_REQUIRE(TableKey<std::wstring>);
}

TEST_CASE("reduce refuses a fold that loses a part of its value, and takes one that returns its own parameter", "[reduce]")
{
    constexpr auto loses = [](double total, double x) { return total + x; };
    STATIC_REQUIRE_FALSE(agdf::detail::FoldTraits<decltype(loses), int, double>::fits);
    STATIC_REQUIRE(agdf::detail::FoldTraits<decltype(loses), double, double>::fits);
    const auto appends = [](std::vector<int>&& all, int x) -> std::vector<int>&& {
        all.push_back(x);
        return std::move(all);
    };
    const auto sums = results_of<std::pair<int, std::vector<int>>>(std::vector<int>{1, 2, 3},
                                                                 agdf::reduce<int>([](const int&) { return 0; }, std::vector<int>{}, appends));
    REQUIRE(sums.size() == 1);
    CHECK(sums[0].second == std::vector<int>{1, 2, 3});
}

TEST_CASE("a filter may return a const optional, or a reference to one that stays as it is", "[filter]")
{
    const bool by_reference = GENERATE(false, true);
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    std::optional<std::string> kept{"kept"};
    std::optional<std::string> none;
    auto source = graph.add_node("source", [] { return agdf::from_range(std::vector{1, 2, 3, 4})(); });
    auto sink = graph.add_node("sink", [&](std::string word) { results.push_back(std::move(word)); });
    if (by_reference)
        source >> graph.add_node("evens", [&](int n) -> std::optional<std::string>& { return n % 2 == 0 ? kept : none; }) >> sink;
    else
        source >> graph.add_node("evens", [&](int n) -> const std::optional<std::string> { return n % 2 == 0 ? kept : none; }) >> sink;
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(results == std::vector<std::string>{"kept", "kept"});
    CHECK(kept == "kept");
}

TEST_CASE("a blocking function may return a reference, or a const value: a copy of it goes on", "[blocking]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    const std::vector<std::string> words{"zero", "one"};
    std::vector<std::string> results;
    auto source = graph.add_node("source", agdf::from_range(std::vector{0, 1}));
    auto sink = graph.add_node("sink", [&](std::string word) { results.push_back(std::move(word)); });
    source >> graph.add_node("reference", agdf::blocking([&](int n) -> const std::string& { return words[static_cast<std::size_t>(n)]; })) >> sink;
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(results == words);
    const auto call = []() -> asio::awaitable<std::unique_ptr<int>> {
        const auto constant = []() -> const std::unique_ptr<int> { return std::make_unique<int>(7); };
        auto value = co_await agdf::run_blocking(constant);
        co_return value;
    };
    std::unique_ptr<int> seven;
    asio::co_spawn(io, call(), [&](const std::exception_ptr&, std::unique_ptr<int> value) { seven = std::move(value); });
    io.restart();
    io.run();
    REQUIRE(seven);
    CHECK(*seven == 7);
}

TEST_CASE("a body takes the elements of a type that is like a tuple in its own way", "[elements]")
{
    asio::io_context io;
    agdf::Graph graph{io, test::quiet()};
    std::vector<std::string> results;
    auto source = graph.add_node("source", []() -> agdf::Stream<Point> {
        Point point{3, "three"};
        co_yield std::move(point);
    });
    source >> graph.add_node<Point>("named", [&](int x, const std::string& name) { results.push_back(name + std::to_string(x)); });
    source >> graph.add_node("deduced", [&](int x, const std::string& name) { results.push_back(name + std::to_string(x)); });
    CHECK(graph.run().outcome == agdf::Outcome::completed);
    CHECK(results == std::vector<std::string>{"three3", "three3"});
}
