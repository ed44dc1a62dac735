// Whatever nodes are called, a picture shows each of them once, each edge once, and nothing else.
//
// With AGDF_FUZZ_DOT set (to anything), Graphviz's dot is asked as well: slow, for a night or for one found input.

#include "input.hpp"
#include "picture_reader.hpp"

#include <agdf/agdf.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// A name, of what is known to break such notations more often than of anything.
std::string name_of(fuzz::Input& input)
{
    constexpr std::string_view pieces[] = {"\"",       "\n",     "\r\n",      "-->",          "]",    "[\"",  "end",
                                           "<b>",      "&lt;",   "&amp;",     "#35;",         ";",    "%%",   "`",
                                           "\\",       "\\n",    "\\N",       "\\G",          "->",   "}",    "{",
                                           "subgraph", "$$x$$",  "fa:fa-car", "<br/>",        "\xff", "\xc3", "&#10;",
                                           "click ",   "1. one", "é",         "\xe2\x80\xa8", "@",    "|",    "~~~",
                                           ":::"};
    std::string name;
    const std::size_t count = 1 + input.below(6);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t which = input.below(std::size(pieces) + 20);
        if (which < std::size(pieces))
            name += pieces[which];
        else
            name += static_cast<char>(input.byte());
    }
    return name;
}

/// What may remain of a name: a control character cannot be shown, and becomes a space.
std::string shown(std::string text)
{
    for (char& c : text)
        if (c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == '\x7f'))
            c = ' ';
    return text;
}

void check(const std::optional<fuzz::Picture>& picture, const std::vector<std::string>& labels,
           const std::multiset<std::tuple<std::size_t, std::size_t, std::string>>& edges, const std::string& text)
{
    if (!picture)
        fuzz::fail("a picture that cannot be read:\n" + text);
    fuzz::expect(picture->nodes.size() == labels.size(), "a picture with more or fewer nodes than the graph");
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (picture->nodes[i] != std::pair{i, shown(labels[i])})
            fuzz::fail("a node is not shown under its name '" + labels[i] + "':\n" + text);
    if (picture->edges != edges)
        fuzz::fail("the edges shown are not those of the graph:\n" + text);
}

/// What Graphviz makes of it, in its plain form: a line for each node and edge.
void ask_graphviz(const std::string& text, std::size_t nodes, std::size_t edges)
{
    const std::string file = "/tmp/agdf_fuzz_picture.dot";
    std::FILE* const out = std::fopen(file.c_str(), "wb");
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
    std::FILE* const pipe = ::popen(("dot -Tplain -y " + file + " 2>/dev/null").c_str(), "r");
    std::string answer;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
        answer += static_cast<char>(c);
    fuzz::expect(::pclose(pipe) == 0, "dot does not accept the picture");
    const auto lines_that_begin = [&answer](std::string_view word) {
        std::size_t count = 0;
        for (std::size_t at = 0; at != std::string::npos && at < answer.size();
             at = answer.find('\n', at), at += at != std::string::npos)
            count += std::string_view{answer}.substr(at).starts_with(word);
        return count;
    };
    fuzz::expect(lines_that_begin("node ") == nodes, "dot sees more or fewer nodes");
    fuzz::expect(lines_that_begin("edge ") == edges, "dot sees more or fewer edges");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const bool asks_graphviz = std::getenv("AGDF_FUZZ_DOT") != nullptr;
    fuzz::Input input{data, size};
    asio::io_context io;
    agdf::Graph graph{io, {.log = [](agdf::LogLevel, std::string_view) {}}};
    std::vector<std::string> names;
    std::multiset<std::tuple<std::size_t, std::size_t, std::string>> edges;
    std::vector<agdf::Node<int, int>> nodes;
    const std::size_t count = 1 + input.below(5);
    while (names.size() < count) {
        std::string name = name_of(input);
        while (std::find(names.begin(), names.end(), name) != names.end())
            name += std::to_string(names.size());
        names.push_back(name);
        nodes.push_back(graph.add_node(name, [](int n) { return n; }));
    }
    for (std::size_t from = 0; from < count; ++from)
        for (std::size_t to = from + 1; to < count; ++to)
            switch (input.below(5)) {
                case 1:
                    graph.add_edge(nodes[from], nodes[to]);
                    edges.emplace(from, to, "");
                    break;
                case 2:
                    graph.add_edge(nodes[from], nodes[to], agdf::where([](int) { return true; }));
                    edges.emplace(from, to, "where");
                    break;
                case 3:
                    graph.add_edge(nodes[from], nodes[to], agdf::map([](int n) { return n; }));
                    edges.emplace(from, to, "map");
                    break;
                case 4:
                    agdf::partition(nodes[from], [](int n) { return n; }, std::vector{nodes[to]});
                    edges.emplace(from, to, "partition");
                    break;
                default: break;
            }
    if (input.yes()) {
        agdf::RunOptions options;
        for (const auto& node : nodes)
            options.start.push_back(agdf::start(node, 1));
        (void)graph.run(options);
        const auto stats = graph.stats();
        for (std::size_t i = 0; i < count; ++i)
            names[i] += "\nin=" + std::to_string(stats[i].in) + " out=" + std::to_string(stats[i].out) +
                        " err=" + std::to_string(stats[i].err);
    }
    const std::string mermaid = agdf::to_mermaid(graph);
    check(fuzz::read_mermaid(mermaid), names, edges, mermaid);
    const std::string dot = agdf::to_dot(graph);
    check(fuzz::read_dot(dot), names, edges, dot);
    if (asks_graphviz)
        ask_graphviz(dot, count, edges.size());
    return 0;
}
