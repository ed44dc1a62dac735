// What agdf::http reads in an answer, tells of it, and lets out in a request.

#include "input.hpp"

#include <agdf/http/http.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using agdf::http::Headers;
using namespace std::chrono_literals;

[[nodiscard]] bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

[[nodiscard]] std::string lowered(std::string text)
{
    for (char& c : text)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// Text of what such fields consist of, or of anything.
[[nodiscard]] std::string field(fuzz::Input& input)
{
    constexpr std::string_view pieces[] = {"0",
                                           "7",
                                           "120",
                                           "31536000",
                                           "31536001",
                                           "99999999999999999999",
                                           "-1",
                                           " ",
                                           "Wed, 21 Oct 2015 07:28:00 GMT",
                                           "Sun",
                                           ", ",
                                           "06 Nov 1994",
                                           "Sunday, 06-Nov-94",
                                           "08:49:37",
                                           " GMT",
                                           "2038",
                                           "9999",
                                           "+0200",
                                           "\r\n",
                                           "user:secret@",
                                           "http://",
                                           "/path"};
    std::string text;
    for (std::size_t i = input.below(5); i > 0; --i) {
        const std::size_t which = input.below(std::size(pieces) + 6);
        text += which < std::size(pieces) ? std::string{pieces[which]} : input.text().substr(0, 300);
    }
    return text;
}

void read_retry_after(fuzz::Input& input)
{
    Headers headers;
    const std::string text = field(input);
    headers.add(input.yes() ? "Retry-After" : "retry-AFTER", text);
    if (input.yes())
        headers.add("Date", field(input));
    const auto wait = agdf::http::detail::parse_retry_after(
        headers, static_cast<std::time_t>(input.bits() >> (1U + input.below(32))));
    fuzz::expect(!wait || (*wait >= 0s && *wait <= 24h * 365), "a server's wish is out of its range");
    const bool is_number =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    fuzz::expect(!is_number || wait.has_value(), "a number of seconds was not understood");
    if (is_number && text.size() < 8)
        fuzz::expect(wait->count() == std::stol(text), "a number of seconds was read as another one");
}

void tell_of_an_answer(fuzz::Input& input)
{
    agdf::http::Response response;
    response.status = 503;
    std::string after = field(input);
    std::erase_if(after, [](char c) { return has_control({&c, 1}); });  // libcurl's own has none
    response.url = "http://user:hidden@" + after;
    response.headers.add("Retry-After", field(input));
    response.body = input.yes() ? std::string(input.below(8) * 1'000, input.yes() ? '\xbf' : 'x') : std::string{};
    response.body += input.text();
    const agdf::http::StatusError error{"GET", response};
    const std::string_view text = error.what();
    fuzz::expect(text.find("hidden") == text.npos || (response.body + after).find("hidden") != std::string::npos,
                 "a password is in an error's text");
    fuzz::expect(!has_control(text), "an answer's body brings a control character into an error's text");
    fuzz::expect(text.size() < 1'000 + response.url.size(), "an answer's body fills an error's text");
    fuzz::expect(error.body().size() <= agdf::http::StatusError::max_body_bytes,
                 "an error keeps more of a body than it says");
}

void check_a_request(fuzz::Input& input)
{
    agdf::http::Options options;
    agdf::http::Request request{input.yes() ? "GET" : input.text(), field(input)};
    options.headers.add(input.yes() ? "Accept" : input.text(), field(input));
    request.headers.add(input.yes() ? "X-Field" : input.text(), field(input));
    if (agdf::http::detail::find_problem(options, request))
        return;
    std::string sent = request.method + request.url;
    for (const Headers* const headers : {&options.headers, &request.headers})
        for (const agdf::http::Header& header : *headers) {
            sent += header.name + header.value;
            fuzz::expect(!header.name.empty() && header.name.find_first_of(": \t") == std::string::npos,
                         "a name of a field that ends it early is let out");
        }
    fuzz::expect(!has_control(sent), "a control character is let out");
    fuzz::expect(!request.method.empty() && request.method.find(' ') == std::string::npos,
                 "a method of two words is let out");
}

void edit_headers(fuzz::Input& input)
{
    Headers headers;
    std::vector<std::pair<std::string, std::string>> model;
    const auto is = [](const std::string& name) {
        return [low = lowered(name)](const auto& entry) { return lowered(entry.first) == low; };
    };
    while (!input.is_empty()) {
        constexpr std::string_view names[] = {"a", "A", "b-c", "B-C", "", "\xc4", "\xe4"};
        const std::string name{names[input.below(std::size(names))]};
        const std::string value(1, static_cast<char>(input.byte()));
        switch (input.below(3)) {
            case 0:
                headers.add(name, value);
                model.emplace_back(name, value);
                break;
            case 1:
                headers.set(name, value);
                std::erase_if(model, is(name));
                model.emplace_back(name, value);
                break;
            default:
                headers.remove(name);
                std::erase_if(model, is(name));
                break;
        }
        const auto first = std::find_if(model.begin(), model.end(), is(name));
        fuzz::expect(headers.contains(name) == (first != model.end()),
                     "a field is there or not, against what was done");
        fuzz::expect(headers.get(name) == (first == model.end() ? std::nullopt : std::optional{first->second}),
                     "a field has another value");
        fuzz::expect(headers.get_all(name).size() ==
                         static_cast<std::size_t>(std::count_if(model.begin(), model.end(), is(name))),
                     "a field is there more or less often");
        fuzz::expect(headers.size() == model.size(), "there are more or fewer fields");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input{data, size};
    switch (input.below(4)) {
        case 0: read_retry_after(input); break;
        case 1: tell_of_an_answer(input); break;
        case 2: check_a_request(input); break;
        default: edit_headers(input); break;
    }
    return 0;
}
