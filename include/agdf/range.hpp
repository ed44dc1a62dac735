#pragma once

// Floor 3: sources and sinks that are ready-made.

#include <agdf/stream.hpp>

#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

AGDF_COROUTINES_BEGIN

namespace agdf {

namespace detail {

// What the iterator says is its value, if it does: a std::vector<bool> has only references to those.
template <class Iterator>
struct ValueOf {
    using Type = std::remove_cvref_t<decltype(*std::declval<Iterator&>())>;
};
template <class Iterator>
    requires requires { typename std::iter_value_t<Iterator>; }
struct ValueOf<Iterator> {
    using Type = std::remove_cv_t<std::iter_value_t<Iterator>>;
};
template <class Range>
using ElementOf = typename ValueOf<decltype(std::declval<Range&>().begin())>::Type;

/// A range that several runs yield, one after the other.
template <class Range>
struct KeptRange {
    Range range;
    bool is_moved_out = false;  // the first element at least, since it cannot be copied
};

template <class Range>
Stream<ElementOf<Range>> yield_each(std::shared_ptr<KeptRange<Range>> kept)
{
    if (kept->is_moved_out)
        throw std::logic_error("agdf::from_range: the elements were moved into an earlier run, or an earlier attempt, since they "
                               "cannot be copied. Expected: a range for each. Make it in the body of a source, or let it hold "
                               "std::shared_ptr.");
    for (auto&& element : kept->range) {
        if constexpr (Copies<ElementOf<Range>>::value) {
            co_yield std::as_const(element);
        } else {
            if constexpr (std::is_lvalue_reference_v<decltype(element)>)  // else a view makes it anew each time
                kept->is_moved_out = true;
            co_yield std::move(element);
        }
    }
}

template <class Container>
concept AppendsItem = requires(Container& container) { container.push_back(std::declval<typename Container::value_type>()); };
template <class Container>
concept InsertsItem = requires(Container& container) {
    container.insert(container.end(), std::declval<typename Container::value_type>());
};

}  // namespace detail

/// Returns the body of a source that yields the elements of a range, which it keeps; pass an rvalue to avoid a copy.
///
/// Shape:   `Stream<T>()`. Each run yields the same elements.
/// Errors:  elements that cannot be copied are moved out by the first run; in another one the source fails with
///          std::logic_error.
///
///     graph.add_node("numbers", agdf::from_range(std::vector{1, 2, 3}));
template <class Range>
[[nodiscard]] auto from_range(Range&& range)
{
    using Kept = std::decay_t<Range>;
    constexpr bool fits = requires(Kept& kept) { *kept.begin(); kept.end(); };
    static_assert(fits,
                  "agdf::from_range(range): the range has no begin() and end() of its own. Expected: a container or a view, which the "
                  "source keeps; an array is none. Pass std::to_array(elements), or a std::vector.");
    if constexpr (fits)
        return [kept = std::make_shared<detail::KeptRange<Kept>>(std::forward<Range>(range))] { return detail::yield_each(kept); };
    else
        return detail::Refused{};
}

/// The same for elements in braces.
///
///     graph.add_node("numbers", agdf::from_range({1, 2, 3}));
template <class T>
[[nodiscard]] auto from_range(std::initializer_list<T> elements)
{
    return from_range(std::vector<T>(elements));
}

/// Returns the body of a sink that appends its items to a container.
///
/// Shape:          `void(T)`, where T is the container's element.
/// Thread-safety:  the container is touched by one worker at a time as long as the node has one worker; look at it
///                 after the run. It must outlive the run.
///
///     std::vector<int> results;
///     graph.add_node("collect", agdf::collect(results));
template <class Container>
[[nodiscard]] auto collect(Container& container)
{
    constexpr bool appends = detail::AppendsItem<Container>;
    constexpr bool fits = appends || detail::InsertsItem<Container>;
    static_assert(fits,
                  "agdf::collect(container): the container does not take one more element. Expected: one with push_back(item) or "
                  "insert(end, item) that can be changed, such as a std::vector. Collect into one, and copy from there.");
    if constexpr (fits)
        return [&container](typename Container::value_type item) {
            if constexpr (appends)
                container.push_back(std::move(item));  // insert would assign
            else
                container.insert(container.end(), std::move(item));
        };
    else
        return detail::Refused{};
}

}  // namespace agdf

AGDF_COROUTINES_END
