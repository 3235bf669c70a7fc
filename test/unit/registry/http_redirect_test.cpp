#include <doctest/doctest.h>

#include "http_fixture.hpp"

using namespace lade;
using namespace lade::test;
using registry::HttpRequest;

namespace {

HttpRequest authorized_get(const std::string& url) {
  HttpRequest request = HttpFixture::request("GET", url);
  request.headers = {{"Authorization", "Bearer secret"}, {"Cookie", "c=d"}, {"Range", "bytes=1-"}};
  request.max_redirects = 10;
  return request;
}

}  // namespace

TEST_CASE("the target of a redirect is used byte for byte") {
  const std::string signed_target = "/blob?sig=ab%2Bcd%2F%3D%26x&e=%u0041";
  ScriptedServer server;
  server.on("GET", "/v2/blob", reply(307, {{"Location", signed_target}}));
  server.on("GET", signed_target, reply(200, {}, "blob"));
  HttpFixture http;
  const auto response = http.get(server.url("/v2/blob"), 10);
  CHECK(read_text(response->body()) == "blob");
  CHECK(response->url().str() == server.url(signed_target));
  CHECK(server.unmatched().empty());
}

TEST_CASE("credentials follow a redirect to the same origin only") {
  ScriptedServer other;
  other.on("GET", "/blob", reply(200, {}, "blob"));
  ScriptedServer server;
  server.on("GET", "/same", reply(302, {{"Location", "/there"}}));
  server.on("GET", "/there", reply(302, {{"Location", other.url("/blob")}}));
  HttpFixture http;
  CHECK(read_text(http.send(authorized_get(server.url("/same")))->body()) == "blob");
  CHECK(server.requests().at(1).header("Authorization") == "Bearer secret");
  const RecordedRequest seen = other.requests().at(0);
  CHECK_FALSE(seen.has_header("Authorization"));
  CHECK_FALSE(seen.has_header("Cookie"));
  CHECK(seen.header("Range") == "bytes=1-");
}

TEST_CASE("credentials that were dropped do not come back with a redirect home") {
  ScriptedServer server;
  ScriptedServer other;
  other.on("GET", "/back", reply(302, {{"Location", server.url("/home")}}));
  server.on("GET", "/out", reply(302, {{"Location", other.url("/back")}}));
  server.on("GET", "/home", reply(200));
  HttpFixture http;
  http.send(authorized_get(server.url("/out")));
  CHECK_FALSE(server.requests().at(1).has_header("Authorization"));
}

TEST_CASE("a redirect is not followed unless asked for") {
  ScriptedServer server;
  server.on("*", "*", reply(307, {{"Location", "/x"}}));
  HttpFixture http;
  CHECK(http.get(server.url("/"))->status() == 307);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a redirect without a target is a response like others") {
  ScriptedServer server;
  server.on("*", "*", reply(302, {}, "nowhere"));
  HttpFixture http;
  CHECK(read_text(http.get(server.url("/"), 10)->body()) == "nowhere");
}

TEST_CASE("a loop of redirects ends") {
  ScriptedServer server;
  server.on("*", "*", reply(302, {{"Location", "/again?secret=1"}}));
  HttpFixture http;
  const std::string error = HttpFixture::error_of([&] { http.get(server.url("/"), 10); });
  CHECK(error == "Get \"" + server.url("/again") + "\": stopped after 10 redirects");
  CHECK(server.requests().size() == 11);
  CHECK(server.connections() == 1);
}

TEST_CASE("https is never left for http") {
  CertificateFiles files;
  const Certificate certificate = make_certificate();
  files.write("ca.crt", certificate.cert_pem);
  ServerOptions options;
  options.tls = certificate;
  ScriptedServer server(options);
  server.on("*", "*", reply(302, {{"Location", "http://127.0.0.1:1/x"}}));
  HttpFixture http;
  http.endpoint.ca_dir_certs = files.path();
  const std::string error = HttpFixture::error_of([&] { http.get(server.url("/"), 10); });
  CHECK(contains(error, "refusing to follow a redirect from https to http://127.0.0.1:1"));
}

TEST_CASE("a redirect to something else than http is an error") {
  ScriptedServer server;
  server.on("*", "*", reply(302, {{"Location", "file:///etc/passwd"}}));
  HttpFixture http;
  CHECK(
      contains(HttpFixture::error_of([&] { http.get(server.url("/"), 10); }), "unsupported protocol scheme"));
}
