// Passwords, TLS and read-only registries.
#include <crypt.h>
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "registry/server/htpasswd.hpp"
#include "support/certificates.hpp"
#include "support/raw_client.hpp"
#include "support/registry_server.hpp"

using namespace lade;

namespace {

// The cheapest bcrypt there is.
std::string entry(const std::string& user, const std::string& password) {
  crypt_data scratch{};
  return user + ":" + crypt_r(password.c_str(), "$2y$04$abcdefghijklmnopqrstuu", &scratch) + "\n";
}

class PasswordFile {
 public:
  explicit PasswordFile(const std::string& text) : dir_(std::filesystem::temp_directory_path(), "lade-") {
    write(text);
  }
  void write(const std::string& text) const { os::write_file(path(), text); }
  std::filesystem::path path() const { return dir_.path() / "htpasswd"; }

 private:
  os::TempDir dir_;
};

}  // namespace

TEST_CASE("htpasswd: the right password is let in, at the second time, too") {
  const PasswordFile file("# people\n\n" + entry("ann", "secret") + entry("bob", "pass:word"));
  registry::server::Htpasswd passwords(file.path());
  for (int i = 0; i < 2; ++i) {
    CHECK(passwords.allows("Basic YW5uOnNlY3JldA=="));        // ann:secret
    CHECK(passwords.allows("basic   Ym9iOnBhc3M6d29yZA=="));  // bob:pass:word
  }
}

TEST_CASE("htpasswd: everything else is kept out") {
  const PasswordFile file(entry("ann", "secret"));
  registry::server::Htpasswd passwords(file.path());
  CHECK(passwords.allows("Basic YW5uOnNlY3JldA=="));
  for (const char* header :
       {"", "Basic", "Basic ", "Bearer YW5uOnNlY3JldA==", "YW5uOnNlY3JldA==", "Basic YW5uOnNlY3JldA",
        "Basic !!!!", "Basic YW5u", "Basic YW5uOndyb25n",
        "Basic OnNlY3JldA==", "Basic YW5uOg==", "Basic Ym9iOnNlY3JldA==", "Basic YW5uOnNlY3JldAB4"}) {
    CAPTURE(header);
    CHECK(!passwords.allows(header));
  }
}

TEST_CASE("htpasswd: a changed file counts at once") {
  const PasswordFile file(entry("ann", "secret"));
  registry::server::Htpasswd passwords(file.path());
  CHECK(passwords.allows("Basic YW5uOnNlY3JldA=="));
  file.write(entry("ann", "other"));
  CHECK(!passwords.allows("Basic YW5uOnNlY3JldA=="));
}

TEST_CASE("htpasswd: entries that are not bcrypt are refused") {
  for (const char* text :
       {"ann:secret\n", "ann:$apr1$x$y\n", "ann\n", "ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}) {
    const PasswordFile file(text);
    CHECK_THROWS_AS(registry::server::Htpasswd{file.path()}, Error);
  }
}

TEST_CASE("registry server: with passwords, nothing is served without one") {
  const PasswordFile file(entry("ann", "secret"));
  test::RegistryServer server({.htpasswd = file.path()});
  const auto client = server.client();
  for (const char* path : {"/v2/", "/v2/_catalog", "/v2/a/manifests/v1", "/nothing"}) {
    const auto response = client->Get(path);
    CHECK(response->status == 401);
    CHECK(response->get_header_value("WWW-Authenticate") == "Basic realm=\"lade\"");
    CHECK(response->body.find("UNAUTHORIZED") != std::string::npos);
  }
  CHECK(client->Post("/v2/a/blobs/uploads/")->status == 401);
  client->set_basic_auth("ann", "wrong");
  CHECK(client->Get("/v2/")->status == 401);
  client->set_basic_auth("ann", "secret");
  CHECK(client->Get("/v2/")->status == 200);
  CHECK(client->Post("/v2/a/blobs/uploads/")->status == 202);
}

TEST_CASE("registry server: a client that asks first is refused before it sends a body") {
  const PasswordFile file(entry("ann", "secret"));
  test::RegistryServer server({.htpasswd = file.path()});
  const std::string answer = test::RawClient(server.port())
                                 .ask(
                                     "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                     "Content-Length: 1000000000\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 401"));
}

TEST_CASE("registry server: a read-only registry serves and changes nothing") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  registry::ServerOptions options{.port = 0, .layout = dir.path() / "store"};
  registry::Server::start(options, null_logger());
  options.readonly = true;
  const auto server = registry::Server::start(options, null_logger());
  httplib::Client client("127.0.0.1", server->port());
  CHECK(client.Get("/v2/_catalog")->status == 200);
  CHECK(client.Post("/v2/a/blobs/uploads/")->status == 405);
  CHECK(client.Put("/v2/a/manifests/v1", "{}", "application/json")->status == 405);
  CHECK(client.Delete("/v2/a/manifests/v1")->body.find("UNSUPPORTED") != std::string::npos);
}

TEST_CASE("registry server: a read-only registry does not make a layout") {
  const os::TempDir dir(std::filesystem::temp_directory_path(), "lade-");
  const registry::ServerOptions options{.port = 0, .layout = dir.path() / "store", .readonly = true};
  CHECK_THROWS_AS(registry::Server::start(options, null_logger()), Error);
  CHECK(!std::filesystem::exists(options.layout));
}

namespace {

struct TlsFiles {
  os::TempDir dir{std::filesystem::temp_directory_path(), "lade-"};
  std::filesystem::path cert = dir.path() / "cert", key = dir.path() / "key";
  TlsFiles() {
    const auto made = test::make_certificate();
    os::write_file(cert, made.cert_pem);
    os::write_file(key, made.key_pem);
  }
};

}  // namespace

TEST_CASE("registry server: it speaks TLS, for large blobs and many requests, too") {
  const TlsFiles files;
  test::RegistryServer server({.tls_cert = files.cert, .tls_key = files.key});
  httplib::SSLClient client("127.0.0.1", server.port());
  client.set_ca_cert_path(files.cert.c_str());
  client.set_keep_alive(true);
  const std::string text(3'000'000, 'x');
  const std::string digest = io::digest_of(text).str();
  const auto pushed = client.Post("/v2/a/blobs/uploads/?digest=" + digest, text, "application/octet-stream");
  REQUIRE(pushed);
  CHECK(pushed->status == 201);
  for (int i = 0; i < 3; ++i) CHECK((client.Get("/v2/a/blobs/" + digest)->body == text));
}

TEST_CASE("registry server: a plain client does not harm a TLS server") {
  const TlsFiles files;
  test::RegistryServer server({.tls_cert = files.cert, .tls_key = files.key});
  CHECK(!server.client()->Get("/v2/"));
  httplib::SSLClient client("127.0.0.1", server.port());
  client.enable_server_certificate_verification(false);
  CHECK(client.Get("/v2/")->status == 200);
}

TEST_CASE("registry server: certificates without keys and keys that do not fit are refused") {
  const TlsFiles files, others;
  const auto start = [&](registry::ServerOptions options) {
    options.port = 0;
    options.layout = files.dir.path() / "store";
    registry::Server::start(options, null_logger());
  };
  CHECK_THROWS_AS(start({.tls_cert = files.cert}), Error);
  CHECK_THROWS_AS(start({.tls_key = files.key}), Error);
  CHECK_THROWS_AS(start({.tls_cert = files.cert, .tls_key = others.key}), Error);
  CHECK_THROWS_AS(start({.tls_cert = files.key, .tls_key = files.key}), Error);
}
