#include "shrink.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace graphs {

namespace {

/// Tries one smaller plan after the other, and keeps those that fail as the first one did.
class Shrinker {
public:
    Shrinker(Plan plan, const std::function<Symptom(const Plan&)>& symptom_of_plan) : run_(symptom_of_plan), best_{std::move(plan), 0}
    {
        symptom_ = run_(best_.plan);
    }

    [[nodiscard]] Shrunk shrink()
    {
        if (symptom_.empty())
            return best_;  // it does not fail every time
        for (bool smaller = true; smaller && !is_over();) {
            const bool fewer_parts = remove_actions() | remove_nodes() | remove_edges();
            smaller = simplify_numbers() || fewer_parts;
        }
        return best_;
    }

private:
    [[nodiscard]] bool is_over() const { return best_.tries > 5'000 || std::chrono::steady_clock::now() - began_ > std::chrono::minutes(4); }

    [[nodiscard]] bool accept(Plan plan)
    {
        normalise(plan);
        if (is_over() || print(plan) == print(best_.plan))
            return false;
        ++best_.tries;
        if (run_(plan) != symptom_)
            return false;
        best_.plan = std::move(plan);
        return true;
    }

    bool remove_actions()
    {
        bool any = false;
        for (std::size_t i = best_.plan.actions.size(); i-- > 0;) {
            Plan plan = best_.plan;
            plan.actions.erase(plan.actions.begin() + static_cast<std::ptrdiff_t>(i));
            any = accept(std::move(plan)) || any;
        }
        return any;
    }

    bool remove_nodes()
    {
        bool any = false;
        for (std::size_t i = best_.plan.nodes.size(); i-- > 0;)
            any = accept(without_node(i, false)) || accept(without_node(i, true)) || any;
        return any;
    }

    /// @param bridge  What came to the node goes to those behind it.
    [[nodiscard]] Plan without_node(std::size_t node, bool bridge) const
    {
        Plan plan = best_.plan;
        plan.nodes.erase(plan.nodes.begin() + static_cast<std::ptrdiff_t>(node));
        plan.edges.clear();
        const auto add = [&](EdgePlan edge) {
            edge.from -= edge.from > node ? 1 : 0;
            edge.to -= edge.to > node ? 1 : 0;
            plan.edges.push_back(edge);
        };
        for (const EdgePlan& edge : best_.plan.edges)
            if (edge.from != node && edge.to != node)
                add(edge);
        for (const EdgePlan& in : best_.plan.edges)
            for (const EdgePlan& out : best_.plan.edges)
                if (bridge && in.to == node && out.from == node)
                    add({.from = in.from, .to = out.to, .kind = out.kind, .port = out.port, .salt = out.salt, .group = out.group, .fail = out.fail});
        return plan;
    }

    bool remove_edges()
    {
        bool any = false;
        for (std::size_t i = best_.plan.edges.size(); i-- > 0;) {
            if (i >= best_.plan.edges.size())
                continue;
            Plan plan = best_.plan;
            plan.edges.erase(plan.edges.begin() + static_cast<std::ptrdiff_t>(i));
            any = accept(std::move(plan)) || any;
        }
        return any;
    }

    bool simplify_numbers()
    {
        bool any = simplify([](Plan& plan) -> OptionsPlan& { return plan.options; });
        for (std::size_t i = 0; i < best_.plan.nodes.size(); ++i)
            any = simplify([i](Plan& plan) -> NodePlan& { return plan.nodes[i]; }) || any;
        for (std::size_t i = 0; i < best_.plan.edges.size(); ++i)
            any = (i < best_.plan.edges.size() && simplify([i](Plan& plan) -> EdgePlan& { return plan.edges[i]; })) || any;
        return any;
    }

    /// Each number of a part: the default, or half the way to it.
    template <class Get>
    bool simplify(const Get& get)
    {
        using Part = std::remove_cvref_t<decltype(get(best_.plan))>;
        bool any = false;
        Part::each([&](std::string_view field, auto member) {
            if (field == "rank" || field == "from" || field == "to" || field == "port")
                return;
            const Number simple = Part{}.*member;
            for (;;) {
                const Number now = get(best_.plan).*member;
                if (now == simple)
                    return;
                const Number half = now > simple ? simple + (now - simple) / 2 : simple - (simple - now) / 2;
                const Number less = now > simple ? now - 1 : now + 1;
                if (!accept(with(get, member, simple)) && !accept(with(get, member, half)) && !(field != "salt" && accept(with(get, member, less))))
                    return;
                any = true;
                if (get(best_.plan).*member == now)
                    return;
            }
        });
        return any;
    }

    template <class Get, class Member>
    [[nodiscard]] Plan with(const Get& get, Member member, Number value)
    {
        Plan plan = best_.plan;
        get(plan).*member = value;
        return plan;
    }

    const std::function<Symptom(const Plan&)>& run_;
    Symptom symptom_;
    Shrunk best_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace

Symptom symptom_of(const std::vector<std::string>& complaints)
{
    if (complaints.empty())
        return {};
    std::string text = complaints.front().substr(0, complaints.front().find('\n'));
    if (text.starts_with("node '"))
        text.erase(0, text.find(':') + 1);
    std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text.empty() ? "something" : text.substr(0, 400);
}

Symptom symptom_in_child(const std::function<std::vector<std::string>()>& run, unsigned seconds, bool quiet)
{
    int ends[2];
    if (pipe(ends) != 0)
        std::abort();
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        if (quiet && (!std::freopen("/dev/null", "w", stdout) || !std::freopen("/dev/null", "w", stderr)))
            _exit(4);
        alarm(seconds);
        const std::vector<std::string> complaints = run();
        const Symptom symptom = symptom_of(complaints);
        if (!quiet)
            for (const std::string& complaint : complaints)
                fmt::print("  {}\n", complaint);
        std::fflush(nullptr);
        const bool written = write(ends[1], symptom.data(), symptom.size()) == static_cast<ssize_t>(symptom.size());
        _exit(written ? 0 : 4);
    }
    close(ends[1]);
    std::array<char, 512> text{};
    Symptom symptom;
    for (ssize_t n = 0; (n = read(ends[0], text.data(), text.size())) > 0;)
        symptom.append(text.data(), static_cast<std::size_t>(n));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? "it hangs" : fmt::format("it ended with signal {}", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return fmt::format("it ended with code {}", WEXITSTATUS(status));
    return symptom;
}

Shrunk shrink(Plan plan, const std::function<Symptom(const Plan&)>& symptom_of_plan)
{
    return Shrinker{std::move(plan), symptom_of_plan}.shrink();
}

}  // namespace graphs
