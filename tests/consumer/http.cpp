#include <agdf/http/http.hpp>

#include <string>

// Nobody listens on port 1, so the request fails at once, with the component's own error.
asio::awaitable<void> ask(agdf::http::Client& client, bool& refused)
{
    try {
        const agdf::http::Response response = co_await client.get("http://127.0.0.1:1/");
    } catch (const agdf::http::TransportError&) {
        refused = true;
    }
}

int main()
{
    asio::io_context io;
    agdf::http::Client client{io};
    bool refused = false;
    asio::co_spawn(io, ask(client, refused), asio::detached);
    io.run();
    return refused ? 0 : 1;
}
