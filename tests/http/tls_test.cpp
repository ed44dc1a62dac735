#include "support/catch.hpp"

#include "http/server.hpp"

// Needs a cpp-httplib with TLS, which is what distributions have.
#if defined(CPPHTTPLIB_OPENSSL_SUPPORT)

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <cstdio>

using namespace http_test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A certificate for 127.0.0.1 that nobody knows, signed by itself, as a file for as long as this lives.
class Certificate {
public:
    Certificate() : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate_(X509_new(), &X509_free)
    {
        X509* const x = certificate_.get();
        X509_set_version(x, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_gmtime_adj(X509_getm_notBefore(x), -3'600);
        X509_gmtime_adj(X509_getm_notAfter(x), 3'600);
        X509_set_pubkey(x, key_.get());
        X509_NAME* const name = X509_get_subject_name(x);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("agdf test"), -1,
                                   -1, 0);
        X509_set_issuer_name(x, name);
        add_extension(NID_basic_constraints, "critical,CA:TRUE");
        add_extension(NID_subject_alt_name, "IP:127.0.0.1");
        REQUIRE(X509_sign(x, key_.get(), EVP_sha256()) > 0);

        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path_.c_str(), "w"), &std::fclose};
        REQUIRE(file);
        REQUIRE(PEM_write_X509(file.get(), x) == 1);
    }
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;
    ~Certificate() { std::filesystem::remove(path_); }

    [[nodiscard]] std::string path() const { return path_; }
    [[nodiscard]] std::unique_ptr<httplib::Server> make_server() const
    {
        return std::make_unique<httplib::SSLServer>(certificate_.get(), key_.get());
    }

private:
    void add_extension(int id, const char* value)
    {
        X509V3_CTX context;
        X509V3_set_ctx(&context, certificate_.get(), certificate_.get(), nullptr, nullptr, 0);
        X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
        REQUIRE(extension);
        X509_add_ext(certificate_.get(), extension, -1);
        X509_EXTENSION_free(extension);
    }

    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
    std::unique_ptr<X509, void (*)(X509*)> certificate_;
    std::string path_ = (std::filesystem::temp_directory_path() / fmt::format("agdf-test-{}.pem", getpid())).string();
};

void add_page(httplib::Server& server)
{
    server.Get("/", [](const auto&, auto& response) { response.set_content("private", "text/plain"); });
}

}  // namespace

TEST_CASE("a server whose certificate is not trusted is refused", "[http][tls]")
{
    const Certificate certificate;
    const Server server{"https", certificate.make_server(), add_page};
    asio::io_context io;
    const http::Client client{io};
    const auto error = error_of<http::TransportError>(io, client.get(server.with("user:secret@", "/")));
    CHECK(error.code() == CURLE_PEER_FAILED_VERIFICATION);
    CHECK_THAT(error.what(), ContainsSubstring("Options::ca_file") && !ContainsSubstring("secret"));
}

TEST_CASE("a server whose certificate is in ca_file is trusted under its own name only", "[http][tls]")
{
    const Certificate certificate;
    const Server server{"https", certificate.make_server(), add_page};
    asio::io_context io;
    const http::Client client{io, {.ca_file = certificate.path()}};
    for (int i = 0; i < 3; ++i)
        CHECK(run(io, client.get(server.url())).body == "private");
    const std::string other = fmt::format("https://localhost:{}/", server.port());
    CHECK(error_of<http::TransportError>(io, client.get(other)).code() == CURLE_PEER_FAILED_VERIFICATION);
}

TEST_CASE("with verify_tls off every certificate will do", "[http][tls]")
{
    const Certificate certificate;
    const Server server{"https", certificate.make_server(), add_page};
    asio::io_context io;
    const http::Client client{io, {.verify_tls = false}};
    CHECK(run(io, client.get(server.url())).body == "private");
}

TEST_CASE("a ca_file that is not there is a TransportError", "[http][tls]")
{
    const Certificate certificate;
    const Server server{"https", certificate.make_server(), add_page};
    asio::io_context io;
    const http::Client client{io, {.ca_file = "no such file.pem"}};
    CHECK(error_of<http::TransportError>(io, client.get(server.url())).code() == CURLE_SSL_CACERT_BADFILE);
}

TEST_CASE("a TLS handshake that does not begin ends after connect_timeout", "[http][tls][timeout]")
{
    const RawServer server{silence};
    asio::io_context io;
    const http::Client client{io, {.connect_timeout = 50ms}};
    const std::string url = "https" + server.url().substr(4);
    CHECK(error_of<http::TransportError>(io, client.get(url)).is_timeout());
}

#endif
