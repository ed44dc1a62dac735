#include "local_server.hpp"

#include "api.hpp"
#include "dice.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace brewery {
namespace {

constexpr const char* path = "/v1/breweries";
constexpr std::uint64_t error_seed = 11;
constexpr std::uint64_t stall_seed = 12;

// The live API compares without regard to case and takes an underscore for a space.
std::string normalize(std::string text)
{
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
        if (c == '_')
            c = ' ';
    }
    return text;
}

struct Filter {
    std::string name;
    std::string Brewery::* field;
};

const std::vector<Filter> filters{
    {"by_country", &Brewery::country}, {"by_state", &Brewery::state_province}, {"by_type", &Brewery::brewery_type}};

void answer(httplib::Response& response, int status, const std::string& json)
{
    response.status = status;
    response.set_content(json, "application/json; charset=utf-8");
}

// A parameter that counts from 1; `fallback` if it is not there, 0 if it is nonsense.
std::size_t count_param(const httplib::Request& request, const char* name, std::size_t fallback)
{
    if (!request.has_param(name))
        return fallback;
    const std::string text = request.get_param_value(name);
    std::size_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    return result.ec == std::errc{} && result.ptr == text.data() + text.size() ? value : 0;
}

}  // namespace

class LocalServer::Impl {
public:
    Impl(const std::vector<Brewery>& rows, const LocalServerOptions& options);
    ~Impl();

    int port() const { return port_; }

private:
    struct Row {
        std::vector<std::string> filtered;  // the normalized values of `filters`
        std::string json;
    };

    struct Page {
        std::size_t number, size;
    };

    using Handler = void (Impl::*)(const httplib::Request&, httplib::Response&, Page);

    void route(const std::string& pattern, Handler handler);
    void list(const httplib::Request& request, httplib::Response& response, Page page);
    void meta(const httplib::Request& request, httplib::Response& response, Page page);
    std::vector<const Row*> select(const httplib::Request& request) const;
    std::uint64_t count(const httplib::Request& request);
    void stall(httplib::Response& response);
    bool wait(std::chrono::milliseconds time);

    const LocalServerOptions options_;
    std::vector<Row> rows_;
    httplib::Server server_;
    int port_ = -1;
    std::thread thread_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable stopping_;
    bool stop_ = false;
    std::map<std::string, std::uint64_t> requests_;  // how often each page was asked for
};

LocalServer::Impl::Impl(const std::vector<Brewery>& rows, const LocalServerOptions& options) : options_(options)
{
    rows_.reserve(rows.size());
    for (const Brewery& row : rows) {
        Row& served = rows_.emplace_back();
        for (const Filter& filter : filters)
            served.filtered.push_back(normalize(row.*filter.field));
        try {
            served.json = to_json(row);
        } catch (const std::exception&) {
            throw std::runtime_error(
                fmt::format("row {} of the data is not UTF-8. Expected: a file in UTF-8", rows_.size()));
        }
    }

    // A connection occupies a thread for as long as it is kept alive, so there must be one for each.
    server_.new_task_queue = [this] { return new httplib::ThreadPool(options_.connections + 2); };
    server_.set_keep_alive_max_count(1'000'000);
    server_.set_tcp_nodelay(true);
    int listening = -1;
    server_.set_socket_options([&](int socket) { listening = socket; });
    route(path, &Impl::list);
    route(fmt::format("{}/meta", path), &Impl::meta);

    port_ = server_.bind_to_any_port("127.0.0.1");
    if (port_ <= 0)
        throw std::runtime_error("the local server finds no free port on 127.0.0.1. Expected: one");
    ::listen(listening, SOMAXCONN);  // the library's queue of 5 makes a thousand clients wait for seconds
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running())
        std::this_thread::yield();  // stopping it earlier would do nothing
}

LocalServer::Impl::~Impl()
{
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    stopping_.notify_all();
    server_.stop();
    thread_.join();
}

void LocalServer::Impl::route(const std::string& pattern, Handler handler)
{
    server_.Get(pattern, [this, handler](const httplib::Request& request, httplib::Response& response) {
        const Page page{count_param(request, "page", 1), count_param(request, "per_page", 50)};
        if (page.number == 0 || page.size == 0) {
            answer(response, 400, R"({"message":"page and per_page are numbers from 1"})");
        } else {
            (this->*handler)(request, response, {page.number, std::min<std::size_t>(page.size, max_per_page)});
        }
    });
}

std::vector<const LocalServer::Impl::Row*> LocalServer::Impl::select(const httplib::Request& request) const
{
    std::vector<std::string> wanted;
    for (const Filter& filter : filters)
        wanted.push_back(normalize(request.get_param_value(filter.name.c_str())));
    std::vector<const Row*> selected;
    for (const Row& row : rows_) {
        bool matches = true;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            matches = matches && (wanted[i].empty() || wanted[i] == row.filtered[i]);
        }
        if (matches)
            selected.push_back(&row);
    }
    return selected;
}

void LocalServer::Impl::meta(const httplib::Request& request, httplib::Response& response, Page page)
{
    answer(
        response, 200,
        fmt::format(R"({{"total":"{}","page":"{}","per_page":"{}"}})", select(request).size(), page.number, page.size));
}

void LocalServer::Impl::list(const httplib::Request& request, httplib::Response& response, Page page)
{
    wait(options_.latency);
    // Drawn from the page and how often it was asked for: the same pages fail in every run, in whatever order they
    // are asked for, and asking again may help.
    const std::uint64_t place = (count(request) << 32) + page.number;
    if (Dice((stall_seed << 48) + place).fraction() < options_.stall_rate)
        return stall(response);
    if (Dice((error_seed << 48) + place).fraction() < options_.error_rate)
        return answer(response, 500, R"({"message":"made to fail by --error-rate"})");
    const auto selected = select(request);
    std::string json = "[";
    // Divided, since multiplying a page number from outside might overflow.
    if (page.number - 1 <= selected.size() / page.size) {
        const std::size_t begin = (page.number - 1) * page.size;
        const std::size_t end = std::min(begin + page.size, selected.size());
        for (std::size_t i = begin; i < end; ++i) {
            if (i > begin)
                json += ',';
            json += selected[i]->json;
        }
    }
    answer(response, 200, json + "]");
}

/// How often this was asked for before.
std::uint64_t LocalServer::Impl::count(const httplib::Request& request)
{
    const std::lock_guard lock(mutex_);
    return requests_[request.target]++;
}

// Blanks, which JSON may begin with, for as long as the client takes them: writing tells when it has gone.
void LocalServer::Impl::stall(httplib::Response& response)
{
    response.set_chunked_content_provider("application/json", [this](std::size_t, httplib::DataSink& sink) {
        return !wait(std::chrono::milliseconds(50)) && sink.write(" ", 1);
    });
}

/// True if the server stops meanwhile.
bool LocalServer::Impl::wait(std::chrono::milliseconds time)
{
    std::unique_lock lock(mutex_);
    return stopping_.wait_for(lock, time, [this] { return stop_; });
}

LocalServer::LocalServer(const std::vector<Brewery>& rows, const LocalServerOptions& options)
    : impl_(std::make_unique<Impl>(rows, options))
{
}

LocalServer::~LocalServer() = default;

std::string LocalServer::url() const { return fmt::format("http://127.0.0.1:{}{}", impl_->port(), path); }

}  // namespace brewery
