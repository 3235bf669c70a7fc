#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "http_fixture.hpp"

using namespace lade;
using namespace lade::test;

namespace {

// A server with a certificate of an own authority, and a client that trusts that authority.
struct TlsFixture : HttpFixture {
  explicit TlsFixture(CertificateOptions certificate_options = {}, ServerOptions server_options = {}) {
    authority = make_certificate({.common_name = "lade test CA", .names = {}, .authority = true});
    server_options.tls = make_certificate(certificate_options, &authority);
    server = std::make_unique<ScriptedServer>(server_options);
    server->on("*", "*", reply(200, {}, "secret"));
    files.write("ca.crt", authority.cert_pem);
    endpoint.ca_dir_certs = files.path();
  }
  std::string body() { return text(server->url("/")); }
  std::string error() {
    return error_of([&] { body(); });
  }

  CertificateFiles files;
  Certificate authority;
  std::unique_ptr<ScriptedServer> server;
};

constexpr const char* unverified = "tls: failed to verify certificate: x509: ";

}  // namespace

TEST_CASE("a certificate of an authority in the directory is trusted") {
  TlsFixture tls;
  CHECK(tls.body() == "secret");
  CHECK(tls.body() == "secret");
  CHECK(tls.server->connections() == 1);
}

TEST_CASE("only files named *.crt of the directory are trusted") {
  TlsFixture tls;
  const CertificateFiles other;
  other.write("ca.pem", tls.authority.cert_pem);
  tls.endpoint.ca_dir_certs = other.path();
  CHECK(contains(tls.error(), std::string(unverified) + "certificate signed by unknown authority"));
}

TEST_CASE("an unknown authority is told in Go's words and nothing is sent") {
  TlsFixture tls;
  tls.endpoint.ca_dir_certs.clear();
  CHECK(tls.error() ==
        "Get \"" + tls.server->url("/") + "\": " + unverified + "certificate signed by unknown authority");
  CHECK(tls.server->requests().empty());
}

TEST_CASE("a refused certificate is Kind::denied") {
  TlsFixture tls;
  tls.endpoint.ca_dir_certs.clear();
  try {
    tls.body();
    FAIL("trusted");
  } catch (const Error& error) {
    CHECK(error.kind() == Kind::denied);
  }
}

TEST_CASE("without verification any certificate will do, and the next endpoint verifies again") {
  TlsFixture tls({.names = {"other"}, .expired = true});
  tls.endpoint = {.tls_verify = false, .ca_dir_certs = {}, .client_cert = {}, .client_key = {}};
  CHECK(tls.body() == "secret");
  tls.endpoint.tls_verify = true;
  CHECK(contains(tls.error(), unverified));
}

TEST_CASE("the authorities of SSL_CERT_FILE and SSL_CERT_DIR are trusted") {
  for (const bool directory : {false, true}) {
    CAPTURE(directory);
    TlsFixture tls;
    tls.endpoint.ca_dir_certs.clear();
    const CertificateFiles other;
    const std::string path = other.write("any-name", tls.authority.cert_pem);
    (directory ? tls.options.ssl_cert_dir : tls.options.ssl_cert_file) =
        directory ? "/does/not/exist:" + other.path() : path;
    CHECK(tls.body() == "secret");
  }
}

TEST_CASE("a certificate for another name is refused") {
  TlsFixture dns({.names = {"a.example", "b.example"}});
  const std::string url = "https://localhost:" + std::to_string(dns.server->port()) + "/";
  CHECK(contains(dns.error_of([&] { dns.get(url); }),
                 std::string(unverified) + "certificate is valid for a.example, b.example, not localhost"));
  CHECK(contains(dns.error(),
                 std::string(unverified) +
                     "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"));
  TlsFixture address({.names = {"10.0.0.1", "::1"}});
  CHECK(contains(address.error(),
                 std::string(unverified) + "certificate is valid for 10.0.0.1, ::1, not 127.0.0.1"));
}

TEST_CASE("the common name does not stand in for a name") {
  TlsFixture tls({.common_name = "localhost", .names = {}});
  const std::string url = "https://localhost:" + std::to_string(tls.server->port()) + "/";
  CHECK(contains(tls.error_of([&] { tls.get(url); }), "certificate relies on legacy Common Name field"));
}

TEST_CASE("names are compared without case") {
  TlsFixture tls({.names = {"LOCALHOST"}});
  CHECK(tls.text("https://LocalHost:" + std::to_string(tls.server->port()) + "/") == "secret");
}

TEST_CASE("an expired certificate is refused before its other faults") {
  TlsFixture tls({.names = {"other"}, .expired = true});
  const std::string error = tls.error();
  CHECK(contains(error,
                 std::string(unverified) + "certificate has expired or is not yet valid: current time 2"));
  CHECK(contains(error, "Z is after 2"));
}

TEST_CASE("a self-signed server certificate is trusted when it is in the directory") {
  const Certificate certificate = make_certificate();
  ServerOptions options;
  options.tls = certificate;
  ScriptedServer server(options);
  server.on("*", "*", reply(200, {}, "ok"));
  HttpFixture http;
  const CertificateFiles files;
  files.write("self.crt", certificate.cert_pem);
  http.endpoint.ca_dir_certs = files.path();
  CHECK(http.text(server.url("/")) == "ok");
}

TEST_CASE("a client certificate is shown when asked for") {
  const Certificate client_ca = make_certificate({.common_name = "clients", .names = {}, .authority = true});
  const Certificate client = make_certificate({.names = {}}, &client_ca);
  ServerOptions options;
  options.client_ca_pem = client_ca.cert_pem;
  TlsFixture tls({}, options);
  CHECK(contains(tls.error(), "remote error: tls: certificate required"));
  tls.endpoint.client_cert = tls.files.write("client.cert", client.cert_pem);
  tls.endpoint.client_key = tls.files.write("client.key", client.key_pem);
  CHECK(tls.body() == "secret");
}

TEST_CASE("a client certificate that cannot be used is named") {
  TlsFixture tls;
  tls.endpoint.client_cert = "/does/not/exist.cert";
  tls.endpoint.client_key = "/does/not/exist.key";
  CHECK(contains(tls.error(), "tls: client certificate /does/not/exist.cert: "));
}

TEST_CASE("a server that answers in plain HTTP is told in Go's words") {
  RawServer server([](ServerConnection& connection) {
    connection.read_some();
    connection.send("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request\n");
  });
  HttpFixture http;
  const std::string url = "https://" + server.host() + "/v2/";
  CHECK(HttpFixture::error_of([&] { http.get(url); }) ==
        "Get \"" + url + "\": http: server gave HTTP response to HTTPS client");
}

TEST_CASE("a server that speaks something else is told in Go's words") {
  RawServer server([](ServerConnection& connection) {
    connection.send("SSH-2.0-OpenSSH_9.2\r\n");
    connection.wait_for_close();
  });
  HttpFixture http;
  CHECK(contains(HttpFixture::error_of([&] { http.get("https://" + server.host() + "/"); }),
                 "tls: first record does not look like a TLS handshake"));
}

TEST_CASE("a server that closes during the handshake gives EOF") {
  RawServer server([](ServerConnection& connection) { connection.read_some(); });
  HttpFixture http;
  CHECK(contains(HttpFixture::error_of([&] { http.get("https://" + server.host() + "/"); }), ": EOF"));
}

TEST_CASE("a server without a common TLS version is told in Go's words") {
  ServerOptions options;
  options.max_tls_version = TLS1_1_VERSION;
  TlsFixture tls({}, options);
  CHECK(contains(tls.error(), "remote error: tls: protocol version not supported"));
}

TEST_CASE("a handshake that does not go on is given up after the connect timeout") {
  RawServer server([](ServerConnection& connection) { connection.wait_for_close(); });
  HttpFixture http;
  http.options.connect_timeout = std::chrono::milliseconds(50);
  CHECK(contains(HttpFixture::error_of([&] { http.get("https://" + server.host() + "/"); }),
                 "net/http: TLS handshake timeout"));
}

TEST_CASE("a stop wakes a handshake") {
  std::stop_source source;
  RawServer server([&](ServerConnection& connection) {
    connection.read_some();
    source.request_stop();
    connection.wait_for_close();
  });
  HttpFixture http;
  const Context context = background().with_stop(source.get_token());
  CHECK_THROWS_AS(http.send(HttpFixture::request("GET", "https://" + server.host() + "/"), context),
                  Cancelled);
}

TEST_CASE("a second connection resumes the session of the first") {
  std::vector<bool> resumed;
  ServerOptions options;
  for (const int version : {0, TLS1_2_VERSION}) {
    CAPTURE(version);
    resumed.clear();
    options.tls = make_certificate();
    options.max_tls_version = version;
    HttpFixture http;
    http.endpoint.tls_verify = false;
    {
      RawServer server(
          [&](ServerConnection& connection) {
            resumed.push_back(connection.tls_resumed());
            connection.read_head();
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
            connection.wait_for_close();
          },
          options);
      for (int i = 0; i < 3; ++i) http.text(server.url("/"));
    }
    CHECK(resumed == std::vector<bool>{false, true, true});
  }
}

TEST_CASE("an idle TLS connection that the server closed is replaced") {
  RawServer server(
      [](ServerConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        connection.close();
      },
      {.tls = make_certificate(), .client_ca_pem = {}, .address = "127.0.0.1", .max_tls_version = 0});
  HttpFixture http;
  http.endpoint.tls_verify = false;
  CHECK(http.text(server.url("/")) == "ok");
  CHECK(http.text(server.url("/")) == "ok");
}

TEST_CASE("megabytes pass over TLS unharmed in both directions") {
  const std::string body = random_bytes(3'000'000);
  ServerOptions options;
  options.tls = make_certificate();
  ScriptedServer server(options);
  server.on("PUT", "/", reply(201));
  server.on("GET", "/", reply(200, {}, body));
  HttpFixture http;
  http.endpoint.tls_verify = false;
  for (const bool sized : {true, false}) {
    SlowReader reader(body, 77'777);
    http.put(server.url("/"), reader, sized ? std::optional<std::uint64_t>(body.size()) : std::nullopt);
  }
  CHECK((server.requests().at(0).body == body));
  CHECK((server.requests().at(1).body == body));
  CHECK((http.text(server.url("/")) == body));
  CHECK(server.connections() == 1);
}

TEST_CASE("a TLS connection that is cut inside a body is an unexpected end") {
  TlsFixture tls;
  ServerOptions options;
  options.tls = make_certificate();
  RawServer server(
      [](ServerConnection& connection) {
        connection.read_head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
      },
      options);
  tls.endpoint.tls_verify = false;
  CHECK(HttpFixture::error_of([&] { tls.text(server.url("/")); }) == "unexpected EOF");
}
