#include <doctest/doctest.h>
#include <fmt/format.h>

#include "client_fixture.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"

using namespace lade;
using namespace lade::test;

namespace {

const std::string oci_type(spec::media_type::oci_manifest);

FakeAnswer document(const std::string& body, const std::string& type = oci_type) {
  return {.headers = {{"Content-Type", type}}, .body = body};
}

// A blob server that breaks off after each `piece` bytes and continues by Range.
FakePool::Answer brittle(std::string blob, std::size_t piece) {
  return [blob = std::move(blob), piece](const FakeRequest& request) {
    const std::string range = request.header("Range");
    if (range.empty()) return FakeAnswer{.body = blob, .cut_at = piece};
    const std::size_t start = std::stoull(range.substr(6));
    FakeAnswer answer{.status = 206, .body = blob.substr(start)};
    answer.headers = {{"Content-Range", "bytes " + std::to_string(start) + "-" +
                                            std::to_string(blob.size() - 1) + "/" +
                                            std::to_string(blob.size())}};
    if (answer.body.size() > piece) answer.cut_at = piece;
    return answer;
  };
}

std::string pull(ClientFixture& f, const spec::Digest& digest) {
  return read_text(*f.client()->blob(f.context(), digest, 0).reader);
}

}  // namespace

TEST_CASE("a manifest is asked for with every type lade knows, and comes as it is") {
  ClientFixture f([](const FakeRequest&) { return document("{ \"a\": 1 }", oci_type + "; charset=utf-8"); });
  const auto manifest = f.client()->manifest(f.context(), "v1");
  CHECK(manifest.bytes == "{ \"a\": 1 }");
  CHECK(manifest.media_type == oci_type);
  CHECK(manifest.digest == io::digest_of(manifest.bytes));
  int accepts = 0;
  const auto requests = f.pool->requests();
  for (const auto& [name, value] : requests[0].headers) accepts += name == "Accept";
  CHECK(accepts == 6);
}

TEST_CASE("a manifest fetched by digest must have that digest") {
  ClientFixture f([](const FakeRequest&) { return document("{}"); });
  auto client = f.client();
  CHECK(client->manifest(f.context(), io::digest_of("{}").str()).bytes == "{}");
  const auto sha512 = io::digest_of("{}", spec::Digest::Algorithm::sha512);
  CHECK(client->manifest(f.context(), sha512.str()).digest == sha512);
  CHECK(kind_of([&] { client->manifest(f.context(), io::digest_of("{ }").str()); }) == Kind::integrity);
}

TEST_CASE("the type of a manifest that comes as text is guessed from the document") {
  const std::string v2 =
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"})";
  for (const auto* type :
       {"text/plain", "application/octet-stream", "", "application/json", "text/html; x=y"}) {
    CAPTURE(type);
    ClientFixture f([&](const FakeRequest&) { return document(v2, type); });
    CHECK(f.client()->manifest(f.context(), "v1").media_type == spec::media_type::docker_manifest);
  }
}

TEST_CASE("a manifest over 4 MiB is refused") {
  ClientFixture f([](const FakeRequest&) { return document(std::string(4 * 1024 * 1024 + 1, ' ')); });
  CHECK(kind_of([&] { f.client()->manifest(f.context(), "v1"); }) == Kind::invalid_input);
}

TEST_CASE("errors of the registry keep the words that scripts know") {
  struct Row {
    FakeAnswer answer;
    Kind kind;
    std::string text;
  };
  const std::string page(60, 'x');
  const std::vector<Row> rows = {
      {refused(404, "MANIFEST_UNKNOWN", "manifest unknown"), Kind::image_not_found, "manifest unknown"},
      {refused(404, "NAME_UNKNOWN", ""), Kind::not_found, "repository name not known to registry"},
      {refused(403, "DENIED", "requested access to the resource is denied"), Kind::denied,
       "requested access to the resource is denied"},
      {refused(403, "DENIED", "your plan is over"), Kind::denied, "denied: your plan is over"},
      {refused(404, "NOT_FOUND", "artifact x not found"), Kind::not_found, "not found: artifact x not found"},
      {{.status = 404, .body = page}, Kind::not_found, "StatusCode: 404, \"" + page.substr(10) + "...\""},
      {{.status = 404, .body = "404 page not found\n"},
       Kind::not_found,
       "StatusCode: 404, \"404 page not found\\n\""},
      {{.status = 401}, Kind::denied, "authentication required"},
      {{.status = 403}, Kind::denied, "StatusCode: 403 Forbidden"},
      {{.status = 400, .body = R"({"errors":[]})"},
       Kind::invalid_input,
       R"(StatusCode: 400, "{\"errors\":[]}")"},
      {{.status = 400, .body = R"({"details":"sorry"})"}, Kind::invalid_input, "unknown: sorry"},
  };
  for (const Row& row : rows) {
    ClientFixture f([&](const FakeRequest&) { return row.answer; });
    const Error error = error_of([&] { f.client()->manifest(f.context(), "v1"); });
    CHECK(error.kind() == row.kind);
    CHECK(error.what() == "reading manifest v1 in reg.example/ns/app: " + row.text);
  }
}

TEST_CASE("an error carries the status and the codes for whoever decides by them") {
  ClientFixture f([](const FakeRequest&) { return refused(403, "DENIED", "no"); });
  try {
    f.client()->manifest(f.context(), "v1");
    FAIL("no error");
  } catch (const registry::RegistryError& error) {
    CHECK(error.status() == 403);
    CHECK(error.has_code("DENIED"));
    CHECK(error.entries()[0].message == "no");
  }
}

TEST_CASE("control characters of a registry's message do not reach the terminal") {
  ClientFixture f([](const FakeRequest&) { return refused(403, "DENIED", R"(a\u001b[2Jb\nc)"); });
  CHECK(message_of([&] { f.client()->manifest(f.context(), "v1"); }).ends_with("denied: a [2Jb c"));
}

TEST_CASE("HEAD tells digest, type and size of a manifest, and nullopt of one that is not there") {
  ClientFixture f([](const FakeRequest& request) {
    CHECK(request.method == "HEAD");
    if (request.url.ends_with("/none")) return FakeAnswer{.status = 404};
    FakeAnswer answer = document("{}");
    answer.headers.emplace_back("Docker-Content-Digest", io::digest_of("{}").str());
    return answer;
  });
  const auto info = f.client()->find_manifest(f.context(), "v1");
  REQUIRE(info);
  CHECK(info->digest == io::digest_of("{}"));
  CHECK(info->media_type == oci_type);
  CHECK(info->size == 2);
  CHECK(!f.client()->find_manifest(f.context(), "none"));
}

TEST_CASE("a registry without digests in its HEAD, or without HEAD, is asked with GET") {
  for (const int status : {200, 405}) {
    CAPTURE(status);
    ClientFixture f([&](const FakeRequest& request) {
      if (request.method == "HEAD") return FakeAnswer{.status = status};
      return document("{}");
    });
    CHECK(f.client()->find_manifest(f.context(), "v1")->digest == io::digest_of("{}"));
  }
}

TEST_CASE("tags and digests are checked before they become part of a URL") {
  ClientFixture f([](const FakeRequest&) { return document("{}"); });
  for (const auto* reference : {"", "../x", "a/b", "a?b", "sha256:12", "-x"}) {
    CAPTURE(reference);
    CHECK(kind_of([&] { f.client()->manifest(f.context(), reference); }) == Kind::invalid_input);
  }
  CHECK(f.pool->requests().empty());
}

TEST_CASE("a broken blob is continued where it broke off, again and again while there is progress") {
  const std::string blob = random_bytes(10 * 1024 * 1024 + 17);
  ClientFixture f(brittle(blob, 1024 * 1024));
  CHECK(pull(f, io::digest_of(blob)) == blob);
  CHECK(f.pool->requests().size() == 11);
  CHECK(f.pool->requests()[1].header("Range") == "bytes=1048576-");
}

TEST_CASE("without progress the tries are few") {
  const std::string blob = random_bytes(1000);
  ClientFixture f(brittle(blob, 1));
  const Error error = error_of([&] { pull(f, io::digest_of(blob)); });
  CHECK(error.kind() == Kind::unavailable);
  CHECK(std::string(error.what()).find("broken off at byte 6: unexpected EOF") != std::string::npos);
  CHECK(f.pool->requests().size() == 6);
  CHECK(f.clock.sleeps().size() == 5);
}

namespace {

// Serves a blob and its parts; the whole, over one connection, comes slowly.
FakePool::Answer slow_registry(const std::string& blob, FakeClock& clock, bool ranges) {
  return [&blob, &clock, ranges](const FakeRequest& request) {
    const std::string range = request.header("Range");
    if (range.empty() || !ranges) {
      FakeAnswer whole{.body = blob};
      whole.on_read = [&clock](std::size_t) { clock.advance(std::chrono::milliseconds(100)); };
      return whole;
    }
    const std::size_t start = std::stoull(range.substr(6));
    const std::size_t last = std::stoull(range.substr(range.find('-') + 1));
    FakeAnswer part{.status = 206, .body = blob.substr(start, last + 1 - start)};
    part.headers = {{"Content-Range", fmt::format("bytes {}-{}/{}", start, last, blob.size())}};
    return part;
  };
}

}  // namespace

TEST_CASE("a large blob that comes slowly is fetched on over several connections, and comes in order") {
  const std::string blob = random_bytes(40 * 1024 * 1024 + 5);
  for (const bool ranges : {true, false}) {
    CAPTURE(ranges);
    FakeClock clock;
    ClientFixture f(slow_registry(blob, clock, ranges));
    f.options.parallel_ranges = 4;
    const Context context{{}, null_logger(), silent_progress(), clock};
    const auto body = f.client()->blob(context, io::digest_of(blob), blob.size());
    CHECK(body.size == blob.size());
    CHECK((read_text(*body.reader) == blob));
    const std::size_t requests = f.pool->requests().size();
    if (ranges) CHECK(requests > 8);
    if (!ranges) CHECK(requests == 2);  // asked once, and never again
  }
}

TEST_CASE("a large blob that comes fast is fetched over one connection") {
  const std::string blob = random_bytes(40 * 1024 * 1024);
  ClientFixture f([&](const FakeRequest&) { return FakeAnswer{.body = blob}; });
  CHECK((read_text(*f.client()->blob(f.context(), io::digest_of(blob), blob.size()).reader) == blob));
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("a small blob, or one of unknown size, is fetched over one connection") {
  ClientFixture f([](const FakeRequest& request) {
    CHECK(request.header("Range").empty());
    return FakeAnswer{.body = "data"};
  });
  f.options.parallel_ranges = 4;
  for (const std::uint64_t size : {0, 4}) {
    CHECK(read_text(*f.client()->blob(f.context(), io::digest_of("data"), size).reader) == "data");
  }
}

TEST_CASE("a server that ignores the range is read from the start, without the part that is known") {
  int requests = 0;
  ClientFixture f([&](const FakeRequest&) {
    FakeAnswer answer{.body = "0123456789"};
    if (++requests == 1) answer.cut_at = 4;
    return answer;
  });
  CHECK(pull(f, io::digest_of("0123456789")) == "0123456789");
}

TEST_CASE("a continuation from the wrong place is refused") {
  for (const auto* range : {"bytes 3-9/10", "bytes */10", "", "4-9/10"}) {
    CAPTURE(range);
    ClientFixture f([&](const FakeRequest& request) {
      if (request.header("Range").empty()) return FakeAnswer{.body = "0123456789", .cut_at = 4};
      return FakeAnswer{.status = 206, .headers = {{"Content-Range", range}}, .body = "456789"};
    });
    CHECK(kind_of([&] { pull(f, io::digest_of("0123456789")); }) == Kind::integrity);
  }
}

TEST_CASE("a blob that is not there is not_found") {
  ClientFixture f(
      [](const FakeRequest&) { return refused(404, "BLOB_UNKNOWN", "blob unknown to registry"); });
  const auto digest = io::digest_of("x");
  CHECK(kind_of([&] { f.client()->blob(f.context(), digest, 0); }) == Kind::not_found);
  CHECK(!f.client()->find_blob(f.context(), digest));
}

TEST_CASE("find_blob gives the size that HEAD tells") {
  ClientFixture f([](const FakeRequest& request) {
    CHECK(request.method == "HEAD");
    return FakeAnswer{.body = "12345"};
  });
  CHECK(f.client()->find_blob(f.context(), io::digest_of("x")) == 5);
}

TEST_CASE("external layers are fetched from the first place that has them, without credentials") {
  ClientFixture f([](const FakeRequest& request) {
    CHECK(request.header("Authorization").empty());
    if (request.url == "https://a.example/l") return FakeAnswer{.status = 404};
    return FakeAnswer{.body = "layer"};
  });
  f.options.registry_token = "secret";
  const auto blob = f.client()->blob_from_urls(f.context(), {"https://a.example/l", "https://b.example/l"});
  CHECK(read_text(*blob.reader) == "layer");
  CHECK(blob.size == 5);
  CHECK(kind_of([&] { f.client()->blob_from_urls(f.context(), {"https://a.example/l"}); }) ==
        Kind::not_found);
  CHECK(kind_of([&] { f.client()->blob_from_urls(f.context(), {}); }) == Kind::not_found);
}

TEST_CASE("docker.io is reached at registry-1.docker.io and named docker.io") {
  ClientFixture f([](const FakeRequest&) { return refused(404, "MANIFEST_UNKNOWN", ""); });
  auto client = registry::Client::make("docker.io", "library/x", registry::Access::pull, f.options);
  CHECK(message_of([&] { client->manifest(f.context(), "v1"); }) ==
        "reading manifest v1 in docker.io/library/x: manifest unknown");
  CHECK(f.pool->lines()[0] == "GET https://registry-1.docker.io/v2/library/x/manifests/v1");
}
