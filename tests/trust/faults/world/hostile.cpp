#include "hostile.hpp"

#include <exception>
#include <utility>

namespace faults {
namespace {

asio::awaitable<void> behave_badly(Connection& connection, Behaviour bad)
{
    co_await connection.write(bad.answer);
    if (bad.then == Behaviour::Then::reset)
        connection.reset();
    else if (bad.then == Behaviour::Then::stall)
        co_await http_test::silence(connection);
}

}  // namespace

RawServer::Script every_second(Behaviour bad, bool for_ever)
{
    return [bad, for_ever](Connection& connection) -> asio::awaitable<void> {
        const bool is_bad = for_ever || connection.number() % 2 == 1;
        for (bool more = true; more;) {
            const std::string request = co_await connection.read_request();
            more = !request.empty();
            if (more && is_bad) {
                co_await behave_badly(connection, bad);
                more = bad.then == Behaviour::Then::go_on;
            } else if (more) {
                co_await connection.write(good_answer);
            }
        }
    };
}

void Fetched::check_each_ended_once() const
{
    const agdf::NodeStats& node = report.node("fetch");
    CHECK(bodies.size() + failures.size() == items);
    CHECK(node.out == bodies.size());
    CHECK(node.err == failures.size());
    CHECK(node.undelivered == 0);
    CHECK(report.outcome == (failures.empty() ? agdf::Outcome::completed : agdf::Outcome::completed_with_errors));
    for (const std::string& failure : failures)
        CHECK(failure.find("Expected: ") != std::string::npos);
}

agdf::NodeOptions patient(std::size_t attempts)
{
    agdf::NodeOptions options;
    options.workers = 2;
    options.retry = {.attempts = attempts, .delay = 0ms, .when = http::is_transient};
    options.timeout = 10s;
    options.rate_limit = agdf::RateLimit{.rate = 1e5, .burst = 10};
    return options;
}

Fetched fetch(const RawServer& server, std::size_t items, agdf::NodeOptions node, http::Options options)
{
    const test::Watchdog watchdog{60s};
    asio::io_context io;
    const http::Client client{io, std::move(options)};
    agdf::Graph graph{io, test::quiet()};
    Fetched fetched;
    fetched.items = items;
    auto fetch = graph.add_node("fetch", [&client](std::string url) -> asio::awaitable<std::string> {
        auto response = co_await client.get(std::move(url));
        co_return std::move(response.body);
    }, std::move(node));
    graph.add_node("urls", agdf::from_range(std::vector<std::string>(items, server.url()))) >> fetch >>
        graph.add_node("bodies", agdf::collect(fetched.bodies));
    graph.add_error_edge(fetch, graph.add_node("failures", [&fetched](const agdf::Failed<std::string>& letter) {
        fetched.failures.push_back(agdf::describe(letter.error));
    }));
    const auto start = std::chrono::steady_clock::now();
    fetched.report = graph.run();
    fetched.took = std::chrono::steady_clock::now() - start;

    // The client has come to no harm.
    const RawServer other{http_test::always(good_answer)};
    CHECK(http_test::run(io, client.get(other.url())).body == "ok");
    return fetched;
}

}  // namespace faults
