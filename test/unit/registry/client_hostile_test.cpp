// The client over real sockets, against servers that do what they should not.
#include <doctest/doctest.h>

#include "io/digester.hpp"
#include "registry/client.hpp"
#include "support/errors.hpp"
#include "support/scripted_server.hpp"
#include "support/streams.hpp"

using namespace lade;
using namespace lade::test;
using registry::Access;

namespace {

ServerOptions with_tls() {
  ServerOptions options;
  options.tls = make_certificate();
  return options;
}

struct HostileFixture {
  explicit HostileFixture(const ServerOptions& how = with_tls()) : server(how) {
    options.tls_verify = false;
    registry::PoolOptions quick;
    quick.connect_timeout = quick.read_timeout = std::chrono::milliseconds(300);
    options.pool = registry::make_http_pool(quick);
  }
  std::unique_ptr<registry::Client> client(Access access = Access::pull) {
    return registry::Client::make(server.host(), "ns/app", access, options);
  }
  Error manifest_error() {
    return error_of([&] { client()->manifest(background(), "v1"); });
  }

  ScriptedServer server;
  registry::Options options;
};

constexpr auto manifest_path = "/v2/ns/app/manifests/v1";
const HeaderList oci = {{"Content-Type", "application/vnd.oci.image.manifest.v1+json"}};

}  // namespace

TEST_CASE("over sockets: a plain HTTP registry is found, and its connection is used again") {
  HostileFixture f{ServerOptions{}};
  f.server.on("GET", manifest_path, reply(200, oci, "{}"));
  auto client = f.client();
  for (int i = 0; i < 3; ++i) CHECK(client->manifest(background(), "v1").bytes == "{}");
  const auto requests = f.server.requests("GET", manifest_path);
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].connection == requests[2].connection);
}

TEST_CASE("over sockets: a manifest that is cut at any byte is an error") {
  const std::string whole = reply(200, oci, R"({"schemaVersion":2})").bytes;
  for (std::size_t cut = 0; cut < whole.size(); cut += 5) {
    CAPTURE(cut);
    HostileFixture f;
    Reply cut_reply = raw_reply(whole);
    cut_reply.cut_at = cut;
    f.server.on("GET", manifest_path, cut_reply);
    const Error error = f.manifest_error();
    CHECK((error.kind() == Kind::unavailable || error.kind() == Kind::invalid_input));
  }
}

TEST_CASE("over sockets: endless headers, a slow head and nonsense end in one error") {
  const std::vector<std::string> heads = {"HTTP/1.1 200 OK\r\n" + std::string(2'000'000, 'x'),
                                          "HTTP/1.1 200 OK\r\nX-Slow: ", "\x15\x03\x01", "<html>\r\n\r\n"};
  for (const auto& head : heads) {
    HostileFixture f;
    f.server.on("GET", manifest_path, raw_reply(head, head.size() > 100));
    CHECK(f.manifest_error().context().size() >= 2);
  }
}

TEST_CASE("over sockets: a loop of redirects ends") {
  HostileFixture f;
  f.server.on("GET", manifest_path, reply(307, {{"Location", manifest_path}}));
  CHECK_THROWS_AS(f.client()->manifest(background(), "v1"), Error);
  CHECK(f.server.requests().size() <= 12);
}

TEST_CASE("over sockets: credentials stay at home when a blob is redirected to another host") {
  HostileFixture f;
  ScriptedServer elsewhere(with_tls());
  const auto digest = io::digest_of("blob");
  f.options.registry_token = "secret";
  f.server.on("GET", "/v2/ns/app/blobs/" + digest.str(),
              reply(307, {{"Location", elsewhere.url("/b?sig=%2B")}}));
  elsewhere.on("GET", "/b?sig=%2B", reply(200, {}, "blob"));
  const auto blob = f.client()->blob(background(), digest, 4);
  CHECK(read_text(*blob.reader) == "blob");
  CHECK(f.server.requests()[0].header("Authorization") == "Bearer secret");
  CHECK(!elsewhere.requests()[0].has_header("Authorization"));
}

TEST_CASE("over sockets: an upload refused at its head falls back to chunks without reading the blob again") {
  HostileFixture f;
  std::string stored;
  f.server.on("POST", "/v2/ns/app/blobs/uploads/", reply(202, {{"Location", "/up"}}));
  f.server.on("PATCH", "/up", [&](const RecordedRequest& request) {
    if (!request.has_header("Content-Range")) {
      Reply refusal = reply(413);
      refusal.read_body = false;
      refusal.close = true;
      return refusal;
    }
    stored += request.body;
    return reply(202, {{"Location", "/up"}});
  });
  f.server.on("PUT", "/up", reply(201));
  // Small enough to be kept whole, whatever the sockets' buffers take before the refusal is seen.
  const std::string blob = random_bytes(1536 * 1024);
  SlowReader data(blob, 64 * 1024);
  std::uint64_t written = 0;
  f.client(Access::push)->put_blob(background(), io::digest_of(blob), blob.size(), data, written);
  CHECK(stored.size() == written);
  CHECK(io::digest_of(stored) == io::digest_of(blob));
}

TEST_CASE("over sockets: a blob with a wrong digest is never complete at the registry") {
  HostileFixture f;
  f.server.on("POST", "/v2/ns/app/blobs/uploads/", reply(202, {{"Location", "/up"}}));
  f.server.on("PATCH", "/up", reply(202, {{"Location", "/up"}}));
  f.server.on("DELETE", "/up", reply(204));
  SlowReader data(random_bytes(1024 * 1024), 64 * 1024);
  std::uint64_t written = 0;
  CHECK(kind_of([&] {
          f.client(Access::push)->put_blob(background(), io::digest_of("x"), 1024 * 1024, data, written);
        }) == Kind::integrity);
  CHECK(f.server.requests("PUT", "/up").empty());
  CHECK(f.server.requests("DELETE", "/up").size() == 1);
}
