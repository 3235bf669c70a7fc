#include <doctest/doctest.h>

#include "client_fixture.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"
#include "support/fake_registry.hpp"

using namespace lade;
using namespace lade::test;
using registry::Access;

namespace {

constexpr std::size_t mib = 1024 * 1024;

struct PushFixture : ClientFixture {
  PushFixture() : ClientFixture([this](const FakeRequest& request) { return answer(request); }) {}

  FakeAnswer answer(const FakeRequest& request) {
    if (disturb) {
      if (auto disturbed = disturb(request)) return *disturbed;
    }
    return registry(request);
  }

  spec::Digest put(io::Reader& data, std::optional<spec::Digest> digest, std::optional<std::uint64_t> size) {
    std::uint64_t written = 0;
    const auto result = client(Access::push)->put_blob(context(), digest, size, data, written);
    CHECK(registry.blobs.at("ns/app@" + result.str()).size() == written);
    return result;
  }
  spec::Digest put(const std::string& blob, bool known = true) {
    SlowReader reader(blob, 100'000);
    if (!known) return put(reader, std::nullopt, std::nullopt);
    return put(reader, io::digest_of(blob), blob.size());
  }
  // Methods of all requests: "POST PATCH PUT".
  std::string methods() const {
    std::string result;
    for (const auto& request : pool->requests()) result += (result.empty() ? "" : " ") + request.method;
    return result;
  }

  FakeRegistry registry;
  std::function<std::optional<FakeAnswer>(const FakeRequest&)> disturb;
};

}  // namespace

TEST_CASE("a large blob goes in one streaming PATCH between POST and PUT") {
  PushFixture f;
  const std::string blob = random_bytes(3 * mib);
  CHECK(f.put(blob) == io::digest_of(blob));
  CHECK(f.methods() == "POST PATCH PUT");
  CHECK(f.registry.blobs.at("ns/app@" + io::digest_of(blob).str()) == blob);
}

TEST_CASE("a small blob goes with the closing PUT") {
  PushFixture f;
  f.put("config");
  f.put("");
  CHECK(f.methods() == "POST PUT POST PUT");
}

TEST_CASE("a blob of unknown digest and size is digested on the way") {
  PushFixture f;
  const std::string blob = random_bytes(mib);
  CHECK(f.put(blob, false) == io::digest_of(blob));
  CHECK(f.put("", false) == io::digest_of(""));
}

TEST_CASE("a sha512 blob is closed with its sha512 digest") {
  PushFixture f;
  SlowReader reader("data", 2);
  const auto digest = io::digest_of("data", spec::Digest::Algorithm::sha512);
  CHECK(f.put(reader, digest, 4) == digest);
}

TEST_CASE("bytes that do not match are refused before the PUT, and the upload is cancelled") {
  struct Row {
    std::string name;
    spec::Digest digest;
    std::optional<std::uint64_t> size;
  };
  const std::string blob = random_bytes(mib);
  for (const Row& row :
       {Row{"wrong digest", io::digest_of("other"), mib},
        Row{"wrong digest, size unknown", io::digest_of("other"), std::nullopt},
        Row{"too short", io::digest_of(blob), mib + 1}, Row{"too long", io::digest_of(blob), mib - 1},
        Row{"too long for small", io::digest_of(blob), 10}}) {
    CAPTURE(row.name);
    PushFixture f;
    SlowReader reader(blob, 100'000);
    CHECK(kind_of([&] { f.put(reader, row.digest, row.size); }) == Kind::integrity);
    CHECK(f.methods().find("PUT") == std::string::npos);
    CHECK(f.registry.blobs.empty());
    CHECK(f.registry.uploads.empty());
    CHECK(f.registry.cancelled.size() == 1);
  }
}

TEST_CASE("a source that breaks off is not the registry's fault: no retry, upload cancelled") {
  PushFixture f;
  SlowReader reader(random_bytes(mib), 100'000, true);
  const Error error = error_of([&] { f.put(reader, std::nullopt, std::nullopt); });
  CHECK(std::string(error.what()) == "broken");
  CHECK(f.registry.cancelled.size() == 1);
}

TEST_CASE("chunks have the size asked for and say where they belong") {
  PushFixture f;
  f.options.chunk_size = mib;
  const std::string blob = random_bytes(2 * mib + 5);
  f.put(blob);
  CHECK(f.methods() == "POST PATCH PATCH PATCH PUT");
  const auto requests = f.pool->requests();
  CHECK(requests[1].header("Content-Range") == "0-1048575");
  CHECK(requests[3].header("Content-Range") == "2097152-2097156");
  CHECK(requests[3].body.size() == 5);
}

TEST_CASE("a registry's least chunk size is kept") {
  PushFixture f;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.method != "POST") return std::nullopt;
    FakeAnswer answer = f.registry(request);
    answer.headers.emplace_back("OCI-Chunk-Min-Length", "2097152");
    return answer;
  };
  f.options.chunk_size = mib;
  f.put(random_bytes(3 * mib));
  CHECK(f.methods() == "POST PATCH PATCH PUT");
}

TEST_CASE("a 413 during the streaming PATCH leads to chunks that get smaller until they are taken") {
  PushFixture f;
  f.registry.largest_body = mib;
  f.pool->read_before_early = 2 * mib;
  bool first = true;
  f.pool->early = [&](const FakeRequest&) -> std::optional<FakeAnswer> {
    if (!std::exchange(first, false)) return std::nullopt;
    return FakeAnswer{.status = 413};
  };
  const std::string blob = random_bytes(9 * mib + 3);
  f.put(blob);
  CHECK(f.registry.blobs.at("ns/app@" + io::digest_of(blob).str()) == blob);
  CHECK(f.methods().starts_with("POST PATCH PATCH PATCH PATCH PATCH"));
}

TEST_CASE("a 413 after more was read than is kept is an error that names the way out") {
  PushFixture f;
  f.pool->early = [](const FakeRequest&) -> std::optional<FakeAnswer> { return FakeAnswer{.status = 413}; };
  f.pool->read_before_early = 5 * mib;
  const std::string blob = random_bytes(9 * mib);
  const std::string text = message_of([&] { f.put(blob); });
  CHECK(text.find("413") != std::string::npos);
  CHECK(text.find("--dest-chunk-size") != std::string::npos);
  CHECK(f.registry.cancelled.size() == 1);
}

TEST_CASE("an interrupted chunk is continued from where the registry got to") {
  PushFixture f;
  f.options.chunk_size = mib;
  int patches = 0;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.method != "PATCH" || ++patches != 2) return std::nullopt;
    f.registry.uploads.begin()->second += request.body.substr(0, 1000);
    return FakeAnswer{.error = "write: broken pipe"};
  };
  const std::string blob = random_bytes(3 * mib);
  f.put(blob);
  CHECK(f.methods() == "POST PATCH PATCH GET PATCH PATCH PUT");
  CHECK(f.pool->requests()[4].header("Content-Range") == "1049576-2097151");
  CHECK(f.clock.sleeps().size() == 1);
}

TEST_CASE("a chunk that arrived although its answer was lost is not sent again") {
  PushFixture f;
  f.options.chunk_size = mib;
  int patches = 0;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.method != "PATCH" || ++patches != 1) return std::nullopt;
    f.registry(request);
    return FakeAnswer{.status = 502};
  };
  f.put(random_bytes(2 * mib));
  CHECK(f.methods() == "POST PATCH GET PATCH PUT");
}

TEST_CASE("a registry that forgot bytes it had taken is an error, not a broken blob") {
  PushFixture f;
  f.options.chunk_size = mib;
  int patches = 0;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.method != "PATCH" || ++patches != 2) return std::nullopt;
    f.registry.uploads.begin()->second.resize(10);
    return FakeAnswer{.error = "broken pipe"};
  };
  CHECK(kind_of([&] { f.put(random_bytes(3 * mib)); }) == Kind::integrity);
}

TEST_CASE("a streaming upload that fails early starts over, one that fails late does not") {
  PushFixture f;
  int patches = 0;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.method != "PATCH" || ++patches > 1) return std::nullopt;
    return FakeAnswer{.error = "connection reset by peer"};
  };
  SUBCASE("early") {
    const std::string blob = random_bytes(2 * mib);
    f.put(blob);
    CHECK(f.methods() == "POST PATCH POST PATCH PUT");
  }
  SUBCASE("late") {
    const std::string blob = random_bytes(5 * mib);
    const Error error = error_of([&] { f.put(blob); });
    CHECK(error.kind() == Kind::unavailable);
    CHECK(error.context().back() == "uploading a blob to reg.example/ns/app");
  }
}

TEST_CASE("a lost answer to the closing PUT is found out by looking for the blob") {
  PushFixture f;
  int puts = 0;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.method != "PUT" || ++puts > 1) return std::nullopt;
    f.registry(request);
    return FakeAnswer{.status = 504};
  };
  f.put(random_bytes(mib));
  CHECK(f.methods() == "POST PATCH PUT PUT HEAD");
}

TEST_CASE("the upload follows the places the registry names, with their queries as they are") {
  PushFixture f;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    FakeAnswer answer = f.registry(request);
    for (auto& [name, value] : answer.headers) {
      if (name == "Location") value = "https://reg.example" + value + "?_state=a%2Bb%3D%3D";
    }
    return answer;
  };
  f.put(random_bytes(mib));
  const auto requests = f.pool->requests();
  CHECK(requests[1].url.ends_with("/uploads/1?_state=a%2Bb%3D%3D"));
  CHECK(requests[2].url.find("/uploads/1?_state=a%2Bb%3D%3D&digest=sha256%3A") != std::string::npos);
}

TEST_CASE("a Location that names the registry with http stays on https") {
  PushFixture f;
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    FakeAnswer answer = f.registry(request);
    for (auto& [name, value] : answer.headers) {
      if (name == "Location") value = "http://reg.example" + value;
    }
    return answer;
  };
  f.put(random_bytes(mib));
  for (const auto& line : f.pool->lines()) CHECK(line.find(" https://reg.example/") != std::string::npos);
}

TEST_CASE("an upload on another host gets no credentials, and must be https") {
  PushFixture f;
  f.options.registry_token = "secret";
  std::string place = "https://storage.example/up";
  f.disturb = [&](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.url.starts_with("https://reg.example")) {
      CHECK(request.header("Authorization") == "Bearer secret");
      return FakeAnswer{.status = 202, .headers = {{"Location", place}}};
    }
    CHECK(request.header("Authorization").empty());
    return FakeAnswer{.status = 201};
  };
  std::uint64_t written = 0;
  SlowReader reader("data", 4);
  const auto put = [&] {
    f.client(Access::push)->put_blob(f.context(), io::digest_of("data"), 4, reader, written);
  };
  SUBCASE("https") {
    put();
  }
  SUBCASE("http") {
    place = "http://storage.example/up";
    CHECK(kind_of(put) == Kind::denied);
  }
  SUBCASE("none") {
    place = "";
    CHECK(kind_of(put) == Kind::invalid_input);
  }
}

TEST_CASE("a refusal of the upload names what was refused") {
  PushFixture f;
  f.disturb = [](const FakeRequest&) {
    return refused(403, "DENIED", "requested access to the resource is denied");
  };
  CHECK(message_of([&] { f.put("x"); }) ==
        "initiating layer upload in reg.example: requested access to the resource is denied");
}

TEST_CASE("a stop during the upload is not an error of the registry, and sends nothing more") {
  PushFixture f;
  struct Stopping final : io::Reader {
    explicit Stopping(std::stop_source& source) : stop(source) {}
    std::stop_source& stop;
    std::size_t read(io::Buffer) override {
      stop.request_stop();
      throw Cancelled();
    }
  } reader(f.stop);
  CHECK_THROWS_AS(f.put(reader, std::nullopt, std::nullopt), Cancelled);
  CHECK(f.methods() == "POST");
}

TEST_CASE("a mount asks for the scope of the other repository too") {
  PushFixture f;
  f.disturb = [](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.url.starts_with("https://auth.example/")) return token_answer("t");
    if (request.header("Authorization").empty()) return bearer_challenge();
    return std::nullopt;
  };
  const auto digest = io::digest_of("layer");
  f.registry.blobs["other/repo@" + digest.str()] = "layer";
  auto client = f.client(Access::push);
  CHECK(client->mount_blob(f.context(), digest, "other/repo"));
  CHECK(f.registry.blobs.count("ns/app@" + digest.str()) == 1);
  CHECK(f.pool->lines()[1].find(
            "scope=repository%3Ans%2Fapp%3Apull%2Cpush&scope=repository%3Aother%2Frepo%3Apull") !=
        std::string::npos);
}

TEST_CASE("a mount that the registry turns into an upload is cancelled") {
  PushFixture f;
  CHECK(!f.client(Access::push)->mount_blob(f.context(), io::digest_of("layer"), "other/repo"));
  CHECK(f.registry.cancelled.size() == 1);
}

TEST_CASE("a mount that is refused is only not done") {
  PushFixture f;
  f.disturb = [](const FakeRequest&) { return refused(403, "DENIED", ""); };
  CHECK(!f.client(Access::push)->mount_blob(f.context(), io::digest_of("layer"), "other/repo"));
}

TEST_CASE("a token server that refuses the other repository only prevents the mount") {
  PushFixture f;
  f.disturb = [](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.url.starts_with("https://auth.example/")) return FakeAnswer{.status = 403};
    return bearer_challenge();
  };
  CHECK(!f.client(Access::push)->mount_blob(f.context(), io::digest_of("layer"), "other/repo"));
}

TEST_CASE("a manifest is put with its type and bytes") {
  PushFixture f;
  const std::string type(spec::media_type::oci_manifest);
  f.client(Access::push)->put_manifest(f.context(), "v1", {"{}", type, io::digest_of("{}")});
  CHECK(f.registry.manifests.at("ns/app:v1").body == "{}");
  CHECK(f.pool->requests()[0].header("Content-Type") == type);
}

namespace {

constexpr auto oci_index = spec::media_type::oci_index;

// A signature, told by its name, of the manifest with this digest.
spec::RawManifest referrer_of(const spec::Digest& subject, const std::string& name = "a") {
  const std::string bytes =
      R"({"schemaVersion":2,"artifactType":"x/signature","config":{"mediaType":"x/config","digest":")" +
      io::digest_of("{}").str() + R"(","size":2},"layers":[],"annotations":{"name":")" + name +
      R"("},"subject":{"mediaType":"x/y","digest":")" + subject.str() + R"(","size":1}})";
  return {bytes, std::string(spec::media_type::oci_manifest), io::digest_of(bytes)};
}

void push(PushFixture& f, const spec::RawManifest& manifest) {
  f.client(Access::push)->put_manifest(f.context(), manifest.digest.str(), manifest);
}

}  // namespace

TEST_CASE("where the registry does not list referrers, a manifest with a subject is added to their tag") {
  PushFixture f;
  const auto subject = io::digest_of("image");
  const auto first = referrer_of(subject, "a"), second = referrer_of(subject, "b");
  push(f, first), push(f, second), push(f, first);
  const auto& list = f.registry.manifests.at("ns/app:sha256-" + subject.hex());
  CHECK(list.headers.at(0).second == oci_index);
  const auto entries = spec::Index::parse(list.body, oci_index).instances();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].digest == first.digest);
  CHECK(entries[0].size == first.bytes.size());
  CHECK(entries[0].artifact_type == "x/signature");
  CHECK(entries[1].annotations.at("name") == "b");
}

TEST_CASE("the list of referrers keeps what others wrote into it") {
  PushFixture f;
  const auto subject = io::digest_of("image");
  const std::string tag = "ns/app:sha256-" + subject.hex();
  f.registry.manifests[tag] = {.headers = {{"Content-Type", std::string(oci_index)}},
                               .body = R"({"schemaVersion":2,"manifests":[],"annotations":{"by":"oras"}})"};
  push(f, referrer_of(subject));
  const auto list = spec::Index::parse(f.registry.manifests.at(tag).body, oci_index);
  CHECK(list.instances().size() == 1);
  CHECK(list.annotations().at("by") == "oras");
}

TEST_CASE("a registry that answers with OCI-Subject is left to list referrers itself") {
  PushFixture f;
  const auto subject = io::digest_of("image");
  f.disturb = [&](const FakeRequest&) {
    return FakeAnswer{.status = 201, .headers = {{"OCI-Subject", subject.str()}}};
  };
  push(f, referrer_of(subject));
  CHECK(f.methods() == "PUT");
}

TEST_CASE("an image under the tag of the referrers is not overwritten") {
  PushFixture f;
  const auto subject = io::digest_of("image");
  const std::string tag = "ns/app:sha256-" + subject.hex();
  f.registry.manifests[tag] = {.headers = {{"Content-Type", std::string(spec::media_type::oci_manifest)}},
                               .body = "{}"};
  CHECK(kind_of([&] { push(f, referrer_of(subject)); }) == Kind::invalid_input);
  CHECK(f.registry.manifests.at(tag).body == "{}");
}

TEST_CASE("the tag of a long digest's referrers has its first 64 digits") {
  PushFixture f;
  const auto subject = io::digest_of("image", spec::Digest::Algorithm::sha512);
  push(f, referrer_of(subject));
  CHECK(f.registry.manifests.contains("ns/app:sha512-" + subject.hex().substr(0, 64)));
}

TEST_CASE("an index may refer to an image too, and a list of referrers to nothing") {
  PushFixture f;
  const auto subject = io::digest_of("image");
  const std::string bytes = R"({"schemaVersion":2,"manifests":[],"artifactType":"x/list","subject":{)"
                            R"("mediaType":"x/y","digest":")" +
                            subject.str() + R"(","size":1}})";
  const std::string tag = "ns/app:sha256-" + subject.hex();
  f.registry.manifests[tag] = {.headers = {{"Content-Type", std::string(oci_index)}}, .body = bytes};
  push(f, {bytes, std::string(oci_index), io::digest_of(bytes)});
  CHECK(spec::Index::parse(f.registry.manifests.at(tag).body, oci_index).instances().at(0).artifact_type ==
        "x/list");
}

TEST_CASE("a manifest type that the registry does not take is unsupported, other refusals are not") {
  struct Row {
    FakeAnswer answer;
    Kind kind;
  };
  for (const Row& row :
       {Row{refused(400, "MANIFEST_INVALID", "manifest invalid"), Kind::unsupported},
        Row{refused(400, "TAG_INVALID", ""), Kind::unsupported},
        Row{refused(405, "UNSUPPORTED", "Invalid JSON syntax"), Kind::unsupported},
        Row{{.status = 415}, Kind::unsupported},
        Row{refused(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"), Kind::not_found},
        Row{refused(403, "DENIED", ""), Kind::denied}}) {
    PushFixture f;
    f.disturb = [&](const FakeRequest&) { return row.answer; };
    const spec::RawManifest manifest{"{}", "x/y", io::digest_of("{}")};
    const Error error = error_of([&] { f.client(Access::push)->put_manifest(f.context(), "v1", manifest); });
    CHECK(error.kind() == row.kind);
    CHECK(error.context() == std::vector<std::string>{"uploading manifest v1 to reg.example/ns/app"});
  }
}

TEST_CASE("manifests are deleted by digest with the scope for everything") {
  PushFixture f;
  f.disturb = [](const FakeRequest& request) -> std::optional<FakeAnswer> {
    if (request.url.starts_with("https://auth.example/")) return token_answer("t");
    if (request.header("Authorization").empty()) return bearer_challenge();
    return std::nullopt;
  };
  const auto digest = io::digest_of("{}");
  f.registry.manifests["ns/app@" + digest.str()] = {.body = "{}"};
  f.client(Access::remove)->delete_manifest(f.context(), digest);
  CHECK(f.registry.manifests.empty());
  CHECK(f.pool->lines()[1].ends_with("scope=repository%3Ans%2Fapp%3A%2A"));
  CHECK(kind_of([&] { f.client(Access::remove)->delete_manifest(f.context(), digest); }) ==
        Kind::image_not_found);
}

TEST_CASE("a registry that cannot untag says so") {
  for (const auto& answer :
       {refused(400, "DIGEST_INVALID", ""), refused(405, "UNSUPPORTED", ""), FakeAnswer{.status = 405}}) {
    PushFixture f;
    f.disturb = [&](const FakeRequest&) { return answer; };
    CHECK(kind_of([&] { f.client(Access::remove)->delete_tag(f.context(), "v1"); }) == Kind::unsupported);
  }
  PushFixture f;
  f.registry.manifests["ns/app:v1"] = {.body = "{}"};
  f.client(Access::remove)->delete_tag(f.context(), "v1");
  CHECK(f.registry.manifests.empty());
}
