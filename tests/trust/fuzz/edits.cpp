// Edits of a graph in any order, compared with a plain model: what is refused, with which words, that a refusal changes
// nothing, and that the graph then runs to its end with the right counts.

#include "edits_model.hpp"
#include "edits_run.hpp"
#include "input.hpp"
#include "picture_reader.hpp"

#include <agdf/agdf.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using fuzz::Kind;
using Movable = std::unique_ptr<int>;

[[nodiscard]] bool takes_numbers(Kind kind)
{
    return kind == Kind::step || kind == Kind::sink || kind == Kind::whole || kind == Kind::zip ||
           kind == Kind::zip_input;
}
[[nodiscard]] bool yields_numbers(Kind kind)
{
    return kind == Kind::source || kind == Kind::step || kind == Kind::whole;
}
[[nodiscard]] bool takes_movables(Kind kind) { return kind == Kind::movable_step || kind == Kind::movable_sink; }
[[nodiscard]] bool yields_movables(Kind kind) { return fuzz::Model::moves_only(kind); }
[[nodiscard]] bool takes_nothing(Kind kind) { return kind == Kind::source || kind == Kind::movable_source; }
[[nodiscard]] bool fits(Kind from, Kind to)
{
    if (takes_nothing(to))  // is called once for each item, of whatever type
        return yields_numbers(from) || yields_movables(from) || from == Kind::zip;
    return (yields_numbers(from) && takes_numbers(to)) || (yields_movables(from) && takes_movables(to));
}

class Editor {
public:
    explicit Editor(fuzz::Input& input)
        : input_(input), graph_(io_, {.threads = 1 + input.below(2), .log = [](agdf::LogLevel, std::string_view) {}})
    {
    }

    void edit()
    {
        switch (input_.below(12)) {
            case 0:
            case 1:
            case 2: return add_node();
            case 3: return draw(Shape::plain);
            case 4: return draw(Shape::chain);
            case 5: return draw(Shape::where);
            case 6: return draw(Shape::map);
            case 7: return draw_by_name();
            case 8: return draw_error_edge();
            case 9: return draw_group();
            case 10: return merge();
            default: return run();
        }
    }

    void run_to_the_end()
    {
        fuzz::run_and_compare(graph_, model_, is_exact_);
        look();
    }

private:
    enum class Shape { plain, chain, where, map };

    [[nodiscard]] std::string any_name()
    {
        constexpr std::string_view names[] = {"a", "b", "c", "d", "e", "f", "g", "a[1]", "b[1]", "c[1]", ""};
        return std::string{names[input_.below(std::size(names))]};
    }
    [[nodiscard]] std::size_t any_node() { return input_.below(model_.nodes().size()); }
    [[nodiscard]] Kind kind_of(std::size_t node) const { return model_.nodes()[node].kind; }
    [[nodiscard]] const std::string& name_of(std::size_t node) const { return model_.nodes()[node].name; }
    template <class In, class Out>
    [[nodiscard]] agdf::Node<In, Out> handle(std::size_t node)
    {
        return {graph_.core()->blueprint, node, node};
    }

    /// Makes an edit, and expects it to be refused for one of the reasons, if there are any.
    template <class Edit>
    bool accepts(const std::vector<std::string>& reasons, const Edit& edit)
    {
        const std::string before = agdf::to_dot(graph_);
        try {
            edit();
        } catch (const agdf::GraphError& error) {
            const std::string text = error.what();
            if (reasons.empty())
                fuzz::fail("an edit was refused that is right: " + text);
            const bool is_told = std::any_of(reasons.begin(), reasons.end(),
                                             [&](const std::string& reason) { return text.find(reason) != text.npos; });
            if (!is_told || text.find("Expected: ") == text.npos)
                fuzz::fail("an edit was refused in other words than '" + reasons.front() + "': " + text);
            check_cycle(text);
            if (agdf::to_dot(graph_) != before)
                fuzz::fail("an edit was refused, and changed the graph: " + text);
            return false;
        }
        if (!reasons.empty())
            fuzz::fail("an edit was accepted in spite of '" + reasons.front() + "':\n" + agdf::to_dot(graph_));
        return true;
    }

    /// The path that an error names must be one: its first edge is the new one, all others are there.
    void check_cycle(const std::string& text) const
    {
        constexpr std::string_view begin = "would close a cycle: ";
        const std::size_t at = text.find(begin);
        if (at == text.npos)
            return;
        std::string path = text.substr(at + begin.size(), text.find(". Expected") - at - begin.size());
        std::vector<std::string> names;
        for (std::size_t arrow = path.find(" -> "); arrow != path.npos; arrow = path.find(" -> ")) {
            names.push_back(path.substr(0, arrow));
            path.erase(0, arrow + 4);
        }
        names.push_back(path);
        fuzz::expect(names.size() >= 2 && names.front() == names.back(),
                     "the path of a cycle does not end where it begins");
        for (std::size_t i = 2; i < names.size(); ++i)
            fuzz::expect(model_.is_joined(names[i - 1], names[i]), "the path of a cycle has an edge that is not there");
    }

    /// Whether the graph consists of what the model knows.
    void look() const
    {
        const auto picture = fuzz::read_dot(agdf::to_dot(graph_));
        fuzz::expect(picture && picture->nodes.size() == model_.nodes().size(),
                     "the graph has other nodes than were added");
        std::multiset<std::tuple<std::size_t, std::size_t, std::string>> edges;
        for (const auto& edge : model_.edges())
            edges.emplace(edge.from, edge.to, edge.label);
        fuzz::expect(picture->edges == edges, "the graph has other edges than were added");
    }

    void add_node()
    {
        if (model_.nodes().size() >= 9)
            return;
        const auto kind = static_cast<Kind>(input_.below(9));
        const std::string name = any_name();
        std::vector<std::string> reasons;
        if (name.empty())
            reasons.emplace_back("the name is empty");
        if (model_.knows(name) || (kind == Kind::zip && model_.knows(name + "[1]")))
            reasons.emplace_back("there is a node of this name already");
        if (!accepts(reasons, [&] { fuzz::add_body(graph_, name, kind); }))
            return;
        const std::size_t node = model_.add_node(name, kind);
        if (kind == Kind::zip)
            model_.add_edge(model_.add_node(name + "[1]", Kind::zip_input), node, "input");
        look();
    }

    [[nodiscard]] std::vector<std::string> reasons_against(std::size_t from, std::size_t to, const std::string& label,
                                                           int group = 0) const
    {
        std::vector<std::string> reasons;
        if (label.empty() && model_.has_edge(from, to, ""))
            reasons.emplace_back("this edge is there already");
        if (label == "error" && model_.has_edge(from, to, "error"))
            reasons.emplace_back("this error edge is there already");
        if (label != "error" && model_.needs_copy(from, group))
            reasons.emplace_back("cannot be copied");
        if (model_.closes_cycle(from, to))
            reasons.emplace_back("would close a cycle");
        return reasons;
    }

    template <class Item, class From>
    void draw_to(Shape shape, From from, std::size_t to)
    {
        if (takes_nothing(kind_of(to)))
            draw_as<Item>(shape, from, handle<void, int>(to));
        else
            draw_as<Item>(shape, from, handle<Item, Item>(to));
    }

    template <class Item, class From, class To>
    void draw_as(Shape shape, From from, To to)
    {
        switch (shape) {
            case Shape::plain: return graph_.add_edge(from, to);
            case Shape::chain: return void(from >> to);
            case Shape::where:
                return graph_.add_edge(from, to, agdf::where([](const Item& item) { return fuzz::passes(item); }));
            case Shape::map:
                if constexpr (std::is_same_v<Item, int>)
                    return graph_.add_edge(from, to, agdf::map(&fuzz::mapped));
                else
                    return graph_.add_edge(from, to, agdf::map([](Item item) { return item; }));
        }
    }

    void draw(Shape shape)
    {
        if (model_.nodes().empty())
            return;
        const std::size_t from = any_node();
        const std::size_t to = any_node();
        if (!fits(kind_of(from), kind_of(to)) || kind_of(from) == Kind::zip)
            return;
        const std::string label = shape == Shape::where ? "where" : shape == Shape::map ? "map" : "";
        const bool is_new = accepts(reasons_against(from, to, label), [&] {
            if (yields_numbers(kind_of(from)))
                draw_to<int>(shape, handle<int, int>(from), to);
            else
                draw_to<Movable>(shape, handle<Movable, Movable>(from), to);
        });
        if (!is_new)
            return;
        model_.add_edge(from, to, label);
        look();
    }

    void draw_by_name()
    {
        const std::string from = any_name();
        const std::string to = any_name();
        std::vector<std::string> reasons;
        const bool are_known = model_.knows(from) && model_.knows(to);
        if (!are_known)
            reasons.emplace_back("is not in the graph");
        else if (!fits(kind_of(model_.find(from)), kind_of(model_.find(to))))
            reasons = {"yields"};
        else
            reasons = reasons_against(model_.find(from), model_.find(to), "");
        if (!accepts(reasons, [&] { graph_.add_edge(from, to); }))
            return;
        is_exact_ = is_exact_ && kind_of(model_.find(from)) != Kind::zip;
        model_.add_edge(model_.find(from), model_.find(to), "");
        look();
    }

    void draw_error_edge()
    {
        if (model_.nodes().empty())
            return;
        const std::size_t from = any_node();
        const std::size_t to = any_node();
        const bool have_types =
            (kind_of(from) == Kind::step || kind_of(from) == Kind::sink) && kind_of(to) == Kind::letters;
        std::vector<std::string> reasons;
        if (have_types)
            reasons = reasons_against(from, to, "error");
        else
            reasons = {"is not what remains", "sees its whole stream"};
        const bool is_by_name = !have_types || input_.yes();
        const bool is_new = accepts(reasons, [&] {
            if (is_by_name)
                graph_.add_error_edge(name_of(from), name_of(to));
            else
                graph_.add_error_edge(handle<int, int>(from), handle<agdf::Failed<int>, void>(to));
        });
        if (!is_new)
            return;
        model_.add_edge(from, to, "error");
        look();
    }

    template <class Item>
    void draw_group_of(std::size_t from, const std::vector<std::size_t>& to, bool balances)
    {
        std::vector<agdf::Node<Item, Item>> nodes;
        for (const std::size_t node : to)
            nodes.push_back(handle<Item, Item>(node));
        if (balances)
            agdf::balance(handle<Item, Item>(from), nodes);
        else
            agdf::partition(handle<Item, Item>(from), [](const Item& item) { return fuzz::key_of(item); }, nodes);
    }

    void draw_group()
    {
        if (model_.nodes().empty())
            return;
        const bool balances = input_.yes();
        const std::string label = balances ? "balance" : "partition";
        const std::size_t from = any_node();
        std::vector<std::size_t> to(input_.below(4));
        std::vector<std::string> reasons;
        if (to.empty())
            reasons.emplace_back("there is no node to choose from");
        for (std::size_t& node : to) {
            node = any_node();
            if (!fits(kind_of(from), kind_of(node)) || takes_nothing(kind_of(node)))
                return;
            for (const std::string& reason : reasons_against(from, node, label))
                reasons.push_back(reason);
        }
        if (!yields_numbers(kind_of(from)) && !yields_movables(kind_of(from)))
            return;
        const bool is_new = accepts(reasons, [&] {
            if (yields_numbers(kind_of(from)))
                draw_group_of<int>(from, to, balances);
            else
                draw_group_of<Movable>(from, to, balances);
        });
        if (!is_new)
            return;
        ++groups_;
        is_exact_ = is_exact_ && (!balances || to.size() == 1);
        for (const std::size_t node : to)
            model_.add_edge(from, node, label, groups_);
        look();
    }

    void merge()
    {
        if (model_.nodes().empty())
            return;
        const std::size_t to = any_node();
        std::vector<std::size_t> from(input_.below(4));
        std::vector<agdf::Node<int, int>> nodes;
        std::vector<std::string> reasons;
        for (std::size_t& node : from) {
            node = any_node();
            if (!yields_numbers(kind_of(node)) || !takes_numbers(kind_of(to)))
                return;
            for (const std::string& reason : reasons_against(node, to, ""))
                reasons.push_back(reason);
            nodes.push_back(handle<int, int>(node));
        }
        if (std::set(from.begin(), from.end()).size() < from.size())
            reasons.emplace_back("this edge is there already");
        if (!accepts(reasons, [&] { agdf::merge(nodes, handle<int, int>(to)); }))
            return;
        for (const std::size_t node : from)
            model_.add_edge(node, to, "");
        look();
    }

    void run()
    {
        if (input_.yes())
            fuzz::run_and_compare(graph_, model_, is_exact_);
        else
            fuzz::run_and_interrupt(io_, graph_, model_, input_);
        look();
    }

    fuzz::Input& input_;
    asio::io_context io_;
    agdf::Graph<> graph_;
    fuzz::Model model_;
    int groups_ = 0;
    bool is_exact_ = true;  // a balance may give its items to either, a zip pairs them as they come
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size > 600)
        return 0;
    fuzz::Input input{data, size};
    Editor editor{input};
    while (!input.is_empty())
        editor.edit();
    editor.run_to_the_end();
    return 0;
}
