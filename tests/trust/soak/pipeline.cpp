#include "pipeline.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

namespace soak {

using namespace std::chrono_literals;

Pipeline::Pipeline(std::string url, std::string file)
    : url_(std::move(url)),
      file_(std::move(file)),
      client_(io_, {.timeout = 2s, .max_connections = 16}),
      graph_(io_,
             {.threads = 2, .log = [](agdf::LogLevel, std::string_view) {}, .blocking_threads = 6, .stall_after = 10s})
{
    build();
}

void Pipeline::build()
{
    const agdf::RateLimiter limiter = agdf::RateLimit{.rate = 20'000, .burst = 100};
    const agdf::Semaphore connections{16};
    auto numbers = graph_.add_node("numbers", [this]() -> agdf::Stream<std::size_t> {
        for (std::size_t i = 0; i < plan_.items; ++i)
            co_yield i;
    });
    auto fetch =
        graph_.add_node("fetch",
                        [this](std::size_t number) -> asio::awaitable<Page> {
                            std::string url = url_ + std::to_string(number);
                            const agdf::http::Response response = co_await client_.get(std::move(url));
                            co_return Page(number, response.body);
                        },
                        {.workers = 32,
                         .queue_size = 64,
                         .retry = {.attempts = 4, .delay = 5ms, .max_delay = 50ms, .when = agdf::http::is_transient},
                         .timeout = 100ms,
                         .rate_limit = limiter,
                         .ordered = true,
                         .limit = connections});
    auto gate = graph_.add_node("gate",
                                [this](Page page) {
                                    out_of_order_ += page.number() < last_at_gate_;
                                    last_at_gate_ = page.number();
                                    if (plan_.ending != Ending::by_itself && page.number() >= plan_.at) {
                                        if (plan_.ending == Ending::halted)
                                            throw std::runtime_error("as it was planned");
                                        plan_.ending == Ending::stopped ? graph_.stop() : graph_.cancel();
                                    }
                                    return page;
                                },
                                {.queue_size = 8, .on_error = agdf::OnError::halt});
    auto digest = graph_.add_node("digest", agdf::blocking([](Page page) {
                                      if (page.number() % 211 == 210)
                                          throw std::runtime_error("a page that cannot be used");
                                      const std::size_t sum = std::hash<std::string>{}(page.text());
                                      return Page(page.number(), fmt::format("{},{}", page.text(), sum));
                                  }),
                                  {.workers = 4, .queue_size = 32});
    auto rows = graph_.add_node("rows", [this](Page page) -> agdf::Stream<std::string> {
        const std::size_t count = page.number() % 3 == 0 ? 2 : 1;
        for (std::size_t i = 0; i < count; ++i) {
            std::string row = fmt::format("{},{}", page.text(), i);
            co_yield std::move(row);
            ++made_;
        }
    });
    auto kept = graph_.add_node("kept",
                                [this](std::string row) -> std::optional<std::string> {
                                    if (row.size() % 7 != 0)
                                        return row;
                                    ++filtered_;
                                    return std::nullopt;
                                },
                                {.workers = 2});
    auto batch = graph_.add_node("batch", agdf::batch<std::string>({.max_items = 50, .max_delay = 20ms}));
    auto write =
        graph_.add_node("write", agdf::blocking([this](const std::vector<std::string>& lines) { this->write(lines); }),
                        {.queue_size = 4});
    numbers >> fetch >> gate >> digest >> rows >> kept >> batch >> write;
    graph_.add_error_edge(fetch, graph_.add_node("lost", [this](const agdf::Failed<std::size_t>&) { ++lost_; }));
    graph_.add_error_edge(digest, graph_.add_node("spoilt", [this](const agdf::Failed<Page>&) { ++spoilt_; }));
}

void Pipeline::write(const std::vector<std::string>& rows)
{
    empty_batches_ += rows.empty();
    std::ofstream file{file_, std::ios::app};
    for (const std::string& row : rows)
        file << row << '\n';
    written_ += rows.size();
}

std::vector<std::string> Pipeline::run(const Plan& plan)
{
    plan_ = plan;
    last_at_gate_ = 0;
    out_of_order_ = lost_ = spoilt_ = made_ = filtered_ = empty_batches_ = written_ = 0;
    std::ofstream{file_, std::ios::trunc};
    io_.restart();
    const agdf::StatsLogger logger{graph_, {.interval = 50ms, .sink = [this](std::string_view) { ++log_lines_; }}};
    const agdf::RunReport report = graph_.run();
    for (const agdf::NodeStats& node : report.nodes) {
        all_failed_ += node.err;
        all_retried_ += node.retried;
    }
    all_items_ += report.node("numbers").out;
    return check(report);
}

void Pipeline::pause_for_a_moment()
{
    graph_.pause();
    (void)graph_.stats();
    graph_.resume();
}

std::vector<std::string> Pipeline::check(const agdf::RunReport& report) const
{
    std::vector<std::string> wrong;
    const auto equal = [&](std::string_view what, std::uint64_t a, std::uint64_t b) {
        if (a != b)
            wrong.push_back(fmt::format("{}: {} and {}", what, a, b));
    };
    const auto node = [&](std::string_view name) -> const agdf::NodeStats& { return report.node(name); };

    // However it ended: what came to a node has left it, has failed, or is counted as undelivered.
    for (const agdf::NodeStats& stats : report.nodes)
        equal(fmt::format("left in the queue of '{}', and nothing", stats.name), stats.queued + stats.active, 0);
    equal("items of 'numbers' and those that came to 'fetch'", node("numbers").out, node("fetch").in);
    equal("items alive after the run, and none", static_cast<std::uint64_t>(Page::alive()), 0);
    equal("items out of order, and none", out_of_order_, 0);
    equal("empty batches, and none", empty_batches_, 0);
    for (const char* const name : {"fetch", "gate", "digest"})
        equal(fmt::format("what came to '{}', and what left it, failed or was undelivered", name), node(name).in,
              node(name).out + node(name).err + node(name).undelivered);
    equal("what came to 'kept', and what left it, was filtered out or undelivered", node("kept").in,
          node("kept").out + filtered_ + node("kept").undelivered);
    std::uint64_t lines = 0;
    std::ifstream file{file_};
    for (std::string line; std::getline(file, line);)
        ++lines;
    equal("lines in the file and rows written", lines, written_);

    const bool is_drained = report.outcome == agdf::Outcome::completed ||
                            report.outcome == agdf::Outcome::completed_with_errors ||
                            report.outcome == agdf::Outcome::stopped;
    const bool is_as_planned = (plan_.ending == Ending::cancelled && report.outcome == agdf::Outcome::cancelled) ||
                               (plan_.ending == Ending::halted && report.outcome == agdf::Outcome::halted) ||
                               is_drained;
    if (!is_as_planned || (report.outcome == agdf::Outcome::stopped && plan_.ending != Ending::stopped))
        wrong.push_back(fmt::format("the run ended as {}, which was not the plan", to_string(report.outcome)));
    if (!is_drained)
        return wrong;

    // Nothing is lost on the way of a run that was carried to its end.
    for (const agdf::NodeStats& stats : report.nodes)
        equal(fmt::format("undelivered at '{}', and nothing", stats.name), stats.undelivered, 0);
    if (report.outcome != agdf::Outcome::stopped)
        equal("items of the plan and those of 'numbers'", plan_.items, node("numbers").out);
    equal("failures of 'fetch' and its dead letters", node("fetch").err, lost_);
    equal("failures of 'digest' and its dead letters", node("digest").err, spoilt_);
    equal("items of 'fetch' and those at 'gate'", node("fetch").out, node("gate").in);
    equal("items of 'gate' and those at 'digest'", node("gate").out, node("digest").in);
    equal("items of 'digest' and those at 'rows'", node("digest").out, node("rows").in);
    equal("rows that were made and those at 'kept'", made_, node("kept").in);
    equal("rows of 'kept' and those written", node("kept").out, written_);
    return wrong;
}

}  // namespace soak
