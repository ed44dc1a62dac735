// Two nodes share an object: what travels along the edge is a pointer to it.
//
// Prints "node2 received: hello", then "node2 received: world".

#include <agdf/agdf.hpp>
#include <fmt/core.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

using std::chrono::milliseconds;

// No lock: with GraphOptions::threads = 1, the default, never do two bodies run at the same time. With more threads it
// needs a mutex, which is not to be held across a co_await.
using State = std::shared_ptr<std::map<std::string, std::string>>;

agdf::Stream<State> node1(State state) {
    (*state)["current_data"] = "hello";
    co_yield state;
    co_await agdf::sleep_for(milliseconds(20));
    (*state)["current_data"] = "world";
    co_yield state;
}

asio::awaitable<void> node2(State state) {
    const std::string current_data = state->at("current_data");
    fmt::print("node2 received: {}\n", current_data);
    co_await agdf::sleep_for(milliseconds(30));
}

int main() {
    asio::io_context io;
    agdf::Graph graph{io};
    auto first = graph.add_node("node1", node1);
    auto second = graph.add_node("node2", node2);
    first >> second;

    State state = std::make_shared<State::element_type>();
    return graph.run({.start = agdf::start(first, state)}).exit_code();
}
