#include <doctest/doctest.h>

#include "http_fixture.hpp"

using namespace lade;
using namespace lade::test;
using registry::HttpRequest;

namespace {

HttpRequest tunnelled_get(const std::string& url) {
  HttpRequest request = HttpFixture::request("GET", url);
  request.headers = {{"Authorization", "Bearer origin"}};
  return request;
}

// A proxy that is at the same time the https server behind it.
struct TunnelFixture : HttpFixture {
  TunnelFixture() {
    endpoint.tls_verify = false;
    options.https_proxy = "http://user:pass@" + proxy.host();
  }
  Certificate certificate = make_certificate({.names = {"registry.test"}});
  std::string connect_head, inner_head;
  RawServer proxy{[this](ServerConnection& connection) {
    connect_head = connection.read_head();
    connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
    connection.start_tls(certificate);
    inner_head = connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ninside");
    connection.wait_for_close();
  }};
};

}  // namespace

TEST_CASE("a plain request goes through the proxy in absolute form") {
  ScriptedServer proxy;
  proxy.on("*", "*", reply(200, {}, "proxied"));
  HttpFixture http;
  http.options.http_proxy = "http://user:pass@" + proxy.host();
  CHECK(http.text("http://registry.test:5000/v2/?a=%20") == "proxied");
  CHECK(http.text("http://registry.test:5000/v2/") == "proxied");
  const RecordedRequest seen = proxy.requests().at(0);
  CHECK(seen.target == "http://registry.test:5000/v2/?a=%20");
  CHECK(seen.header("Host") == "registry.test:5000");
  CHECK(seen.header("Proxy-Authorization") == "Basic dXNlcjpwYXNz");
  CHECK(proxy.connections() == 1);
}

TEST_CASE("hosts of NO_PROXY and loopback are reached directly") {
  ScriptedServer server;
  server.on("*", "*", reply(200, {}, "direct"));
  HttpFixture http;
  http.options.http_proxy = "http://127.0.0.1:1";
  CHECK(http.text(server.url("/")) == "direct");
  CHECK_FALSE(server.requests().at(0).has_header("Proxy-Authorization"));
}

TEST_CASE("https goes through a tunnel, and each side sees its own credentials only") {
  TunnelFixture tunnel;
  CHECK(read_text(tunnel.send(tunnelled_get("https://registry.test/v2/"))->body()) == "inside");
  CHECK(tunnel.connect_head.starts_with("CONNECT registry.test:443 HTTP/1.1\r\n"));
  CHECK(contains(tunnel.connect_head, "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
  CHECK_FALSE(contains(tunnel.connect_head, "origin"));
  CHECK(tunnel.inner_head.starts_with("GET /v2/ HTTP/1.1\r\n"));
  CHECK(contains(tunnel.inner_head, "Authorization: Bearer origin\r\n"));
  CHECK_FALSE(contains(tunnel.inner_head, "Proxy-Authorization"));
}

TEST_CASE("the certificate inside a tunnel is checked against the registry's name") {
  TunnelFixture tunnel;
  CertificateFiles files;
  files.write("ca.crt", tunnel.certificate.cert_pem);
  tunnel.endpoint = {.tls_verify = true, .ca_dir_certs = files.path(), .client_cert = {}, .client_key = {}};
  CHECK(tunnel.text("https://registry.test/") == "inside");
  CHECK(contains(tunnel.error_of([&] { tunnel.get("https://other.test/"); }),
                 "certificate is valid for registry.test, not other.test"));
}

TEST_CASE("a proxy that refuses the tunnel is quoted") {
  ScriptedServer proxy;
  proxy.on("CONNECT", "*", reply(403, {}, "no"));
  HttpFixture http;
  http.options.https_proxy = proxy.host();
  CHECK(HttpFixture::error_of([&] { http.get("https://registry.test/v2/"); }) ==
        "Get \"https://registry.test/v2/\": proxyconnect tcp: CONNECT registry.test:443: 403 Forbidden");
}

TEST_CASE("a proxy that is not there is named") {
  HttpFixture http;
  http.options.https_proxy = "http://127.0.0.1:1";
  CHECK(contains(HttpFixture::error_of([&] { http.get("https://registry.test/v2/"); }),
                 "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused"));
}

TEST_CASE("the proxy itself may be reached over TLS") {
  ServerOptions options;
  const Certificate certificate = make_certificate();
  options.tls = certificate;
  ScriptedServer proxy(options);
  proxy.on("*", "*", reply(200, {}, "proxied"));
  CertificateFiles files;
  HttpFixture http;
  http.options.ssl_cert_file = files.write("ca.pem", certificate.cert_pem);
  http.options.http_proxy = proxy.url("");
  CHECK(http.text("http://registry.test/v2/") == "proxied");
}
