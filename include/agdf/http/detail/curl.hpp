#pragma once

// The only place that includes libcurl: owners for its handles, and the few calls that need care.

#include <curl/curl.h>

#include <fmt/format.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

static_assert(LIBCURL_VERSION_NUM >= 0x074400, "agdf::http: this libcurl is too old. Expected: 7.68.0 or later.");

namespace agdf::http::detail {

// One deleter each, since CURL and CURLM are both void to a C++ compiler.
struct EasyDelete {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct MultiDelete {
    void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct UrlDelete {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct LinesDelete {
    void operator()(curl_slist* lines) const noexcept { curl_slist_free_all(lines); }
};
struct TextDelete {
    void operator()(char* text) const noexcept { curl_free(text); }
};

using EasyHandle = std::unique_ptr<CURL, EasyDelete>;
using MultiHandle = std::unique_ptr<CURLM, MultiDelete>;

/// The lines of a request's header, in the form that libcurl wants.
class HeaderLines {
public:
    void add(const std::string& line)
    {
        curl_slist* const longer = curl_slist_append(lines_.get(), line.c_str());
        if (!longer)
            throw std::bad_alloc{};
        if (!lines_)
            lines_.reset(longer);
    }

    [[nodiscard]] curl_slist* get() const noexcept { return lines_.get(); }

private:
    std::unique_ptr<curl_slist, LinesDelete> lines_;
};

/// Starts libcurl once in a program, from whichever thread comes first; it is never ended, since somebody else in
/// the program may use it too.
inline void start_curl()
{
    static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (result != CURLE_OK) {
        throw std::runtime_error(fmt::format(
            "agdf::http::Client: libcurl does not start: {}. Expected: a working libcurl and TLS library. "
            "Check the installation of libcurl.",
            curl_easy_strerror(result)));
    }
}

[[nodiscard]] inline bool curl_has(int feature) noexcept
{
    static const int features = curl_version_info(CURLVERSION_NOW)->features;
    return (features & feature) != 0;
}

/// Returns a URL that may be shown to anybody: without user name and password.
///
/// libcurl's own parser decides where they are, since it also decides whom they are sent to. If it rejects the URL,
/// everything up to the last '@' goes.
[[nodiscard]] inline std::string without_credentials(std::string_view url)
{
    const auto last_at = url.rfind('@');
    if (last_at == std::string_view::npos)
        return std::string{url};

    const std::unique_ptr<CURLU, UrlDelete> parsed{curl_url()};
    const std::string text{url};
    constexpr unsigned int lenient = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
    char* shown = nullptr;
    if (parsed && curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), lenient) == CURLUE_OK) {
        curl_url_set(parsed.get(), CURLUPART_USER, nullptr, 0);
        curl_url_set(parsed.get(), CURLUPART_PASSWORD, nullptr, 0);
        curl_url_set(parsed.get(), CURLUPART_OPTIONS, nullptr, 0);
        if (curl_url_get(parsed.get(), CURLUPART_URL, &shown, 0) == CURLUE_OK) {
            const std::unique_ptr<char, TextDelete> owner{shown};
            return std::string{shown};
        }
    }
    return std::string{url.substr(last_at + 1)};
}

}  // namespace agdf::http::detail
