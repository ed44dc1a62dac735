// Which callables can be a node, and which types can travel: checked when this file compiles.

#include <agdf/agdf.hpp>

#include "support/catch.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>

namespace shapes {  // named, since these functions are only declared

using agdf::Item;
using agdf::NodeBody;
using agdf::NodeBodyFor;
using agdf::Receiver;
using agdf::Stream;

static_assert(Item<int>);
static_assert(Item<std::unique_ptr<int>>);
static_assert(!Item<int&>);
static_assert(!Item<const int>);
static_assert(!Item<void>);
static_assert(!Item<int[3]>);

struct Pinned {
    Pinned() = default;
    Pinned(Pinned&&) = delete;
};
static_assert(!Item<Pinned>);

Stream<int> source();
Stream<int> one_to_many(std::string text);
asio::awaitable<int> one_to_one(const std::string& text) noexcept;
asio::awaitable<std::optional<int>> filter(int x);
asio::awaitable<void> sink(int x);
int plain(int x);
std::optional<int> plain_filter(int x);
void plain_sink(int x);
Stream<int> whole(Receiver<int> items);
asio::awaitable<void> whole_sink(Receiver<int> items);

struct Functor {
    int operator()(int x) const;
};
struct Overloaded {
    int operator()(int x) const;
    int operator()(const std::string& x) const;
};

static_assert(NodeBody<decltype(source)>);
static_assert(NodeBody<decltype(one_to_many)>);
static_assert(NodeBody<decltype(one_to_one)>);
static_assert(NodeBody<decltype(filter)>);
static_assert(NodeBody<decltype(sink)>);
static_assert(NodeBody<decltype(plain)>);
static_assert(NodeBody<decltype(plain_filter)>);
static_assert(NodeBody<decltype(plain_sink)>);
static_assert(NodeBody<decltype(whole)>);
static_assert(NodeBody<decltype(whole_sink)>);
static_assert(NodeBody<Functor>);
static_assert(NodeBody<std::function<int(int)>>);
static_assert(NodeBody<decltype(agdf::blocking(plain))>);
static_assert(!NodeBody<decltype([](agdf::Receiver<int>, int) -> agdf::Stream<int> { co_yield 1; })>);
static_assert(NodeBodyFor<decltype([](agdf::Receiver<int>, int = 1) -> agdf::Stream<int> { co_yield 1; }), agdf::Receiver<int>>);
static_assert(!NodeBody<int>);
static_assert(!NodeBody<Overloaded>);
static_assert(NodeBodyFor<Overloaded, int>);
static_assert(!NodeBodyFor<Overloaded, std::unique_ptr<int>>);

constexpr auto generic = [](auto x) { return x; };
static_assert(!NodeBody<decltype(generic)>);
static_assert(NodeBodyFor<decltype(generic), int>);

template <class Body, class Given = agdf::detail::Deduce>
using Traits = agdf::detail::BodyTraits<std::decay_t<Body>, Given>;

static_assert(std::is_void_v<Traits<decltype(source)>::In> && std::is_same_v<Traits<decltype(source)>::Out, int>);
static_assert(std::is_same_v<Traits<decltype(one_to_one)>::In, std::string>);
static_assert(std::is_same_v<Traits<decltype(filter)>::Out, int>);
static_assert(std::is_void_v<Traits<decltype(sink)>::Out>);
static_assert(std::is_same_v<Traits<decltype(whole)>::In, int>);

constexpr auto unpacked = [](int, std::string) { return 1.5; };
static_assert(std::is_same_v<Traits<decltype(unpacked)>::In, std::tuple<int, std::string>>);
static_assert(Traits<decltype(unpacked)>::passing == agdf::detail::Passing::elements);
static_assert(Traits<decltype(unpacked), std::pair<int, std::string>>::passing == agdf::detail::Passing::elements);

constexpr auto takes_the_tuple = [](std::tuple<int, std::string>) {};
static_assert(Traits<decltype(takes_the_tuple)>::passing == agdf::detail::Passing::item);

}  // namespace shapes

TEST_CASE("what can be a node is known when a program compiles", "[concepts]")
{
    SUCCEED("the assertions above are the test");
}

TEST_CASE("what is called a node body compiles as one", "[concepts]")
{
    struct Pinned {
        Pinned() = default;
        Pinned(Pinned&&) = delete;
    };
    STATIC_REQUIRE(agdf::NodeBody<asio::awaitable<void> (*)(agdf::Receiver<int>)>);
    STATIC_REQUIRE_FALSE(agdf::NodeBody<int (*)(agdf::Receiver<int>)>);
    STATIC_REQUIRE_FALSE(agdf::NodeBody<Pinned (*)(int)>);
    STATIC_REQUIRE_FALSE(agdf::NodeBody<agdf::Blocking<asio::awaitable<int> (*)(int)>>);
    STATIC_REQUIRE_FALSE(agdf::NodeBodyFor<Pinned (*)(int), int>);
#if defined(__cpp_static_call_operator)
    STATIC_REQUIRE(agdf::NodeBody<decltype([](int) static { return 1; })>);
#endif
}
