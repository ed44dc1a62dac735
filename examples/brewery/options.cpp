#include "options.hpp"

#include "api.hpp"

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <charconv>
#include <cmath>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace brewery {
namespace {

constexpr const char* live_url = "https://api.openbrewerydb.org/v1/breweries";

// CLI11 calls these with the text given; what they return is the error, empty if there is none. Its own checks
// let "nan" pass as a number between 0 and 1 and read "010" as eight.
auto whole_number(int least, int most)
{
    return [=](const std::string& text) -> std::string {
        int value = 0;
        const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool exact = result.ec == std::errc{} && text == fmt::format("{}", value);
        if (exact && value >= least && value <= most)
            return {};
        return fmt::format("'{}'. Expected: a whole number from {} to {}", text, least, most);
    };
}

// Less than any limit if it is not a number.
double parse_number(const std::string& text)
{
    std::istringstream stream(text);
    stream.imbue(std::locale::classic());
    double value = -1;
    return stream >> value && stream.eof() ? value : -1;
}

std::string check_share(const std::string& text)
{
    const double value = parse_number(text);
    if (value >= 0 && value <= 1)
        return {};
    return fmt::format("'{}'. Expected: a number from 0 to 1", text);
}

auto number_from(double least, double most)
{
    return [=](const std::string& text) -> std::string {
        const double value = parse_number(text);
        if (value >= least && value <= most)
            return {};
        return fmt::format("'{}'. Expected: a number from {} to {}", text, least, most);
    };
}

std::string check_not_empty(const std::string& text)
{
    if (!text.empty())
        return {};
    return "an empty value. Expected: some text; or leave the option out";
}

std::string check_url(const std::string& text)
{
    const auto host = text.find("://") + 3;
    const bool known = text.starts_with("http://") || text.starts_with("https://");
    const bool plain = text.find_first_of("?# \t\r\n\"'<>\\") == std::string::npos;
    if (known && plain && text.size() > host && text[host] != '/')
        return {};
    return fmt::format("not the URL of a collection. Expected: one like {}, without '?' and '#'", live_url);
}

void check_together(const CLI::App& app, const Options& options)
{
    if (app.count("--url") == 0)
        return;
    // CLI11 skips the check of an empty value if the option may go without one.
    if (options.url.empty())
        throw CLI::ValidationError("--url", check_url(""));
    for (const char* local : {"--data", "--latency", "--error-rate", "--stall-rate"}) {
        if (app.count(local) == 0)
            continue;
        throw CLI::ValidationError(local, "it is for the local server, which --url replaces. Expected: one of the two");
    }
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv)
{
    Options options;
    int latency = 0;
    double timeout = std::chrono::duration<double>(options.timeout).count();
    CLI::App app(
        "Pulls breweries from the Open Brewery DB API, page by page, and writes them to a CSV file.\n"
        "Without --url, a server inside this program plays the API.\n",
        "brewery");
    app.get_formatter()->column_width(21);
    app.set_help_flag("--help", "show this and exit")->option_text(" ");
    app.add_option("--url", options.url, fmt::format("pull from this collection; without a value, from\n{}", live_url))
        ->check(check_url)
        ->expected(0, 1)
        ->default_str(live_url)
        ->option_text("[URL]");
    app.add_option("--country", options.country, "only the breweries of this country, such as 'United States'")
        ->check(check_not_empty)
        ->option_text("NAME");
    app.add_option("--out", options.out, fmt::format("the CSV file to write, {} if not given", options.out))
        ->check(check_not_empty)
        ->option_text("FILE");
    app.add_option("--per-page", options.per_page,
                   fmt::format("rows in a page, 1 to {}; {} if not given", max_per_page, options.per_page))
        ->check(whole_number(1, max_per_page))
        ->option_text("N");
    app.add_option("--concurrency", options.concurrency,
                   fmt::format("requests under way at once, 1 to 1000; {} if not given", options.concurrency))
        ->check(whole_number(1, 1'000))
        ->option_text("N");
    app.add_option("--rate", options.rate, "requests in a second at most, 0.001 to 1000000; no limit if not given")
        ->check(number_from(0.001, 1'000'000))
        ->option_text("N");
    app.add_option("--timeout", timeout,
                   fmt::format("seconds for each attempt at a request, 0.001 to 3600; {} if not given", timeout))
        ->check(number_from(0.001, 3'600))
        ->option_text("SECONDS");
    app.add_option("--attempts", options.attempts,
                   fmt::format("tries at a request that may yet succeed, 1 to 100; {} if not given", options.attempts))
        ->check(whole_number(1, 100))
        ->option_text("N");
    app.add_option("--data", options.data,
                   "local server: a CSV in the Open Brewery DB's columns; if not given,\nthe rows are generated")
        ->check(check_not_empty)
        ->option_text("FILE");
    app.add_option("--latency", latency, "local server: delay each page by so many milliseconds, 0 to 60000")
        ->check(whole_number(0, 60'000))
        ->option_text("MS");
    app.add_option("--error-rate", options.error_rate, "local server: let this share of the pages fail, 0 to 1")
        ->check(check_share)
        ->option_text("P");
    app.add_option("--stall-rate", options.stall_rate,
                   "local server: begin this share of the answers and never end them, 0 to 1")
        ->check(check_share)
        ->option_text("P");
    try {
        app.parse(argc, argv);
        check_together(app, options);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        throw std::runtime_error(fmt::format("{} (--help lists the options)", error.what()));
    }
    while (options.url.ends_with('/'))
        options.url.pop_back();
    options.latency = std::chrono::milliseconds(latency);
    options.timeout = std::chrono::milliseconds(std::lround(timeout * 1'000));
    return options;
}

}  // namespace brewery
