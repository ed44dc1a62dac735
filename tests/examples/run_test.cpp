#include "brewery/run.hpp"
#include "brewery/csv.hpp"
#include "brewery/data_set.hpp"
#include "support/catch.hpp"
#include "temporary_folder.hpp"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace brewery;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

/// An API whose pages are what a test wants them to be.
class FaultyServer {
public:
    using Answer = std::function<std::string(const httplib::Request&)>;  // nothing = a 500

    FaultyServer(Answer meta, Answer page)
    {
        const auto route = [this](const char* path, Answer answer) {
            server_.Get(path, [answer](const httplib::Request& request, httplib::Response& response) {
                const std::string text = answer(request);
                if (text.empty()) {
                    response.status = 500;
                } else {
                    response.set_content(text, "application/json");
                }
            });
        };
        route("/v1/breweries/meta", std::move(meta));
        route("/v1/breweries", std::move(page));
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running())
            std::this_thread::yield();
    }
    ~FaultyServer()
    {
        server_.stop();
        thread_.join();
    }
    FaultyServer(const FaultyServer&) = delete;
    FaultyServer& operator=(const FaultyServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1/breweries"; }

private:
    httplib::Server server_;
    int port_ = -1;
    std::thread thread_;
};

/// What a run said and did.
struct Outcome {
    int exit_code = 0;
    std::string out, err;
};

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string text_of(std::FILE* file)
{
    std::string text;
    std::rewind(file);
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
        text.push_back(static_cast<char>(c));
    return text;
}

Outcome run_with(const Options& options)
{
    const std::unique_ptr<std::FILE, Close> out(std::tmpfile());
    const std::unique_ptr<std::FILE, Close> err(std::tmpfile());
    REQUIRE(out);
    REQUIRE(err);
    Outcome outcome;
    outcome.exit_code = run(options, out.get(), err.get());
    outcome.out = text_of(out.get());
    outcome.err = text_of(err.get());
    return outcome;
}

FaultyServer::Answer always(const std::string& text)
{
    return [text](const httplib::Request&) { return text; };
}

/// Runs against a server that answers like this, and checks that the old file is left alone and one line tells why.
std::string failure(const std::string& meta, const FaultyServer::Answer& page)
{
    const TemporaryFolder folder;
    const FaultyServer server(always(meta), page);
    Options options;
    options.url = server.url();
    options.out = folder.file("out.csv", "old");
    options.per_page = 2;
    options.attempts = 2;
    const Outcome outcome = run_with(options);
    CHECK(outcome.exit_code == 1);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(folder.read("out.csv") == "old");
    CHECK(folder.count() == 1);
    return outcome.err;
}

std::vector<Brewery> of_country(std::vector<Brewery> rows, const std::string& country)
{
    rows.erase(std::remove_if(rows.begin(), rows.end(), [&](const Brewery& row) { return row.country != country; }),
               rows.end());
    return rows;
}

const std::string two_rows = R"({"total":"2"})";
const std::string four_rows = R"({"total":"4"})";

}  // namespace

TEST_CASE("every row is written once, as it is and in its place, however often its page failed", "[brewery][run]")
{
    // The Open Brewery DB itself, where it lies beside the project.
    const auto real = std::filesystem::path(__FILE__).parent_path() / "../../../shared/data/open-brewery-db.csv";
    const bool is_real = GENERATE(false, true);
    if (is_real && !std::filesystem::exists(real))
        return;

    const TemporaryFolder folder;
    Options options;
    options.country = "United States";
    options.data = is_real ? real.string() : "";
    options.out = folder.path("out.csv");
    options.concurrency = 16;
    options.per_page = 50;
    options.error_rate = GENERATE(0.0, 0.2);
    const auto expected = of_country(is_real ? load_data_set(options.data) : generate_data_set(), options.country);
    CHECK(expected.size() == (is_real ? 8'224 : 6'000));

    const Outcome outcome = run_with(options);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err.empty());
    CHECK(load_data_set(options.out) == expected);
    CHECK(folder.count() == 1);
}

TEST_CASE("an answer of /meta that does not help ends the run", "[brewery][run]")
{
    CHECK_THAT(failure("", always("[]")), ContainsSubstring("brewery: count: ") && ContainsSubstring("500"));
    CHECK_THAT(failure("<html>", always("[]")),
               ContainsSubstring("brewery: count: the answer is not JSON") && ContainsSubstring("<html>"));
    CHECK_THAT(failure("{}", always("[]")), ContainsSubstring("does not say how many rows there are"));
}

TEST_CASE("a page that is not what it should be fails the run", "[brewery][run]")
{
    CHECK_THAT(failure(two_rows, always("<html>")),
               ContainsSubstring("brewery: parse: page 1: the answer is not JSON"));
    CHECK_THAT(failure(two_rows, always(R"([{"id":"1"},{"name":"x"}])")),
               ContainsSubstring("brewery: parse: page 1: row 2 has no id"));
}

TEST_CASE("rows that are missing fail the run", "[brewery][run]")
{
    CHECK_THAT(failure(two_rows, always(R"([{"id":"1"}])")),
               ContainsSubstring("1 rows came") && ContainsSubstring("Expected: the 2 different ones"));
}

TEST_CASE("rows that come twice are written once", "[brewery][run]")
{
    CHECK_THAT(failure(four_rows, always(R"([{"id":"1"},{"id":"2"}])")),
               ContainsSubstring("4 rows came, 2 of them twice"));

    // Pages that overlap but have all of the rows.
    const TemporaryFolder folder;
    const FaultyServer server(always(R"({"total":3})"), [](const httplib::Request& request) {
        return request.get_param_value("page") == "1" ? R"([{"id":"1"},{"id":"2"}])" : R"([{"id":"2"},{"id":"3"}])";
    });
    Options options;
    options.url = server.url();
    options.out = folder.path("out.csv");
    options.per_page = 2;
    const Outcome outcome = run_with(options);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.out, ContainsSubstring("3 of 3, and 1 twice"));
    CHECK(load_data_set(options.out).size() == 3);
}

TEST_CASE("what fails for good is told with how often it was asked for", "[brewery][run]")
{
    CHECK_THAT(failure(two_rows, always("")),
               ContainsSubstring("brewery: fetch: page 1 failed 2 times: ") && ContainsSubstring("status 500"));
    CHECK_THAT(failure(two_rows, always("<html>")), !ContainsSubstring("times"));
}

TEST_CASE("the first request is tried again as well", "[brewery][run]")
{
    const TemporaryFolder folder;
    std::atomic<int> asked = 0;
    const FaultyServer server([&](const httplib::Request&) { return asked++ == 0 ? "" : two_rows; },
                              always(R"([{"id":"1"},{"id":"2"}])"));
    Options options;
    options.url = server.url();
    options.out = folder.path("out.csv");
    CHECK(run_with(options).exit_code == 0);
    CHECK(asked == 2);
}

TEST_CASE("a page whose answer never ends is asked for again after the time-out", "[brewery][run]")
{
    const TemporaryFolder folder;
    Options options;
    options.out = folder.path("out.csv");
    options.country = "Belgium";
    options.stall_rate = 0.3;
    options.timeout = 2s;
    const Outcome outcome = run_with(options);
    CHECK(outcome.exit_code == 0);
    CHECK_THAT(outcome.out, ContainsSubstring("rows      1,000 of 1,000") && !ContainsSubstring("requests  6\n"));
    CHECK(load_data_set(options.out) == of_country(generate_data_set(), "Belgium"));
}

TEST_CASE("the rate holds for all requests together", "[brewery][run]")
{
    const TemporaryFolder folder;
    std::atomic<int> pages = 0;
    const FaultyServer server(always(R"({"total":2})"), [&](const httplib::Request& request) {
        ++pages;
        return R"([{"id":")" + request.get_param_value("page") + R"("}])";
    });
    Options options;
    options.url = server.url();
    options.out = folder.path("out.csv");
    options.per_page = 1;
    options.rate = 20;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(run_with(options).exit_code == 0);
    CHECK(std::chrono::steady_clock::now() - begin >= 100ms);  // the first of the three does not wait
    CHECK(pages == 2);
}
