#include <agdf/edge.hpp>

#include "support/catch.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace {

using agdf::FlowsInto;

struct Base {};
struct Derived : Base {};

static_assert(FlowsInto<int, int>);
static_assert(FlowsInto<int, long long>);
static_assert(FlowsInto<const char*, std::string>);
static_assert(FlowsInto<int, std::optional<int>>);
static_assert(FlowsInto<std::shared_ptr<Derived>, std::shared_ptr<Base>>);
static_assert(FlowsInto<std::string, void>);
static_assert(!FlowsInto<void, int>);
static_assert(!FlowsInto<void, void>);
static_assert(!FlowsInto<int, std::string>);

// what would lose digits, or the sign
static_assert(!FlowsInto<double, int>);
static_assert(!FlowsInto<long long, int>);
static_assert(!FlowsInto<int, unsigned>);
static_assert(!FlowsInto<int, float>);

// what would point into an item that is gone
static_assert(!FlowsInto<std::string, std::string_view>);

static_assert(FlowsInto<std::pair<int, std::string>, std::tuple<int, std::string>>);
static_assert(FlowsInto<std::array<int, 2>, std::tuple<int, long>>);
static_assert(!FlowsInto<std::array<int, 2>, std::tuple<int, int, int>>);
static_assert(!FlowsInto<std::pair<double, int>, std::tuple<int, int>>);

}  // namespace

TEST_CASE("an item is moved, not copied, when it is converted on an edge", "[edge]")
{
    auto from = std::pair{std::make_unique<int>(1), std::string{"text"}};
    const auto to = agdf::detail::convert<std::tuple<std::unique_ptr<int>, std::string>>(std::move(from));
    REQUIRE(*std::get<0>(to) == 1);
    REQUIRE(std::get<1>(to) == "text");
    REQUIRE(from.first == nullptr);
}
