#include <doctest/doctest.h>

#include "base/parallel.hpp"
#include "config/registries_conf.hpp"
#include "io/digester.hpp"
#include "spec/media_type.hpp"
#include "support/errors.hpp"
#include "support/fake_registry.hpp"
#include "support/streams.hpp"
#include "transport/docker/docker.hpp"

using namespace lade;
using namespace lade::test;
using transport::docker_transport;

namespace {

const std::string manifest_text = R"({"schemaVersion":2,"config":{}})";
const std::string hex_a(64, 'a');

struct DockerFixture {
  DockerFixture()
      : pool(std::make_shared<FakePool>([this](const FakeRequest& request) { return answer(request); })) {
    options.registry.pool = pool;
    registry.manifests["ns/app:v1"] = registry.manifests["ns/app@" + digest.str()] = stored;
  }
  // Any host but reg.example is down.
  FakeAnswer answer(const FakeRequest& request) {
    if (request.url.starts_with(registry.origin)) return registry(request);
    return {.error = "dial tcp: lookup: no such host"};
  }
  void configure(const std::string& toml) {
    options.registry.registries =
        std::make_shared<config::RegistriesConf>(config::RegistriesConf::parse(toml, "registries.conf"));
  }
  std::unique_ptr<transport::ImageSource> source(const std::string& name) {
    return docker_transport().parse(name)->open_source(background(), options);
  }
  std::unique_ptr<transport::ImageDestination> destination(const std::string& name) {
    return docker_transport().parse(name)->open_destination(background(), options);
  }

  spec::Digest digest = io::digest_of(manifest_text);
  FakeAnswer stored{.headers = {{"Content-Type", std::string(spec::media_type::oci_manifest)},
                                {"Docker-Content-Digest", digest.str()}},
                    .body = manifest_text};
  FakeRegistry registry;
  std::shared_ptr<FakePool> pool;
  transport::Options options;
};

spec::RawManifest raw(const std::string& text) {
  return {text, std::string(spec::media_type::oci_manifest), io::digest_of(text)};
}

}  // namespace

TEST_CASE("docker references are normalised and parse to themselves again") {
  struct Row {
    std::string typed, rest, full;
  };
  for (const Row& row :
       {Row{"//busybox", "//busybox:latest", "docker.io/library/busybox:latest"},
        Row{"//localhost:5000/a/b:v1", "//localhost:5000/a/b:v1", "localhost:5000/a/b:v1"},
        Row{"//x/y@sha256:" + hex_a, "//x/y@sha256:" + hex_a, "docker.io/x/y@sha256:" + hex_a},
        Row{"//x/y:1@sha256:" + hex_a, "//x/y:1@sha256:" + hex_a, "docker.io/x/y:1@sha256:" + hex_a},
        Row{"//x.io/y@@unknown-digest@@", "//x.io/y@@unknown-digest@@", "x.io/y"}}) {
    CAPTURE(row.typed);
    const auto reference = docker_transport().parse(row.typed);
    CHECK(reference->str() == "docker:" + row.rest);
    CHECK(reference->docker_reference()->str() == row.full);
    CHECK(docker_transport().parse(reference->rest())->str() == reference->str());
  }
}

TEST_CASE("what is not a docker reference is refused in known words") {
  const auto message = [](const std::string& rest) {
    return message_of([&] { docker_transport().parse(rest); });
  };
  CHECK(message("busybox") == "docker: image reference busybox does not start with //");
  CHECK(message("//UPPER/x").find("invalid reference format") != std::string::npos);
  CHECK(message("//a:b@@unknown-digest@@") ==
        "docker: image reference \"docker.io/library/a:b@@unknown-digest@@\" has unknown digest set but it "
        "contains "
        "either a tag or digest");
}

TEST_CASE("policy scopes go from the repository to the wildcards of its domain") {
  const auto reference = docker_transport().parse("//a.b.example:5000/ns/app:v1");
  CHECK(reference->policy_identity() == "a.b.example:5000/ns/app:v1");
  CHECK(reference->policy_scopes() == std::vector<std::string>{"a.b.example:5000/ns/app",
                                                               "a.b.example:5000/ns", "a.b.example:5000",
                                                               "*.b.example", "*.example"});
  CHECK(docker_transport().parse("//localhost/x")->policy_scopes() ==
        std::vector<std::string>{"localhost/x", "localhost"});
}

TEST_CASE("a source reads the manifest when it is opened, and once") {
  DockerFixture f;
  auto source = f.source("//reg.example/ns/app:v1");
  CHECK(source->manifest(background(), std::nullopt).bytes == manifest_text);
  CHECK(source->manifest(background(), f.digest).digest == f.digest);
  CHECK(f.pool->requests().size() == 2);
}

TEST_CASE("of tag and digest a source reads the digest") {
  DockerFixture f;
  f.source("//reg.example/ns/app:gone@" + f.digest.str());
  CHECK(f.pool->lines()[0].ends_with("/manifests/" + f.digest.str()));
}

TEST_CASE("a missing image is image_not_found in the peer's words") {
  DockerFixture f;
  const Error error = error_of([&] { f.source("//reg.example/ns/app:none"); });
  CHECK(error.kind() == Kind::image_not_found);
  CHECK(std::string(error.what()) == "reading manifest none in reg.example/ns/app: manifest unknown");
}

TEST_CASE("mirrors are tried in order, and all failures are told") {
  DockerFixture f;
  f.configure(R"([[registry]]
location = "main.example/ns"
[[registry.mirror]]
location = "one.example/ns"
[[registry.mirror]]
location = "reg.example/ns")");
  SUBCASE("the second mirror has it") {
    CHECK(f.source("//main.example/ns/app:v1")->manifest(background(), std::nullopt).bytes == manifest_text);
    CHECK(f.pool->requests().size() == 2);
  }
  SUBCASE("none has it") {
    const Error error = error_of([&] { f.source("//main.example/ns/app:none"); });
    const std::string text = error.what();
    CHECK(
        text.starts_with("(Mirrors also failed: [one.example/ns/app:none: reading manifest none in "
                         "one.example/ns/app: "));
    CHECK(text.find(
              "]\n[reg.example/ns/app:none: reading manifest none in reg.example/ns/app: manifest unknown]): "
              "main.example/ns/app:none: reading manifest none in main.example/ns/app: ") !=
          std::string::npos);
  }
}

TEST_CASE("the failure of a rewritten location is told without mirrors") {
  DockerFixture f;
  f.configure("[[registry]]\nprefix = \"alias.example\"\nlocation = \"reg.example\"");
  CHECK(f.source("//alias.example/ns/app:v1")->manifest(background(), std::nullopt).digest == f.digest);
  CHECK(message_of([&] { f.source("//alias.example/ns/app:none"); }) ==
        "reading manifest none in reg.example/ns/app: manifest unknown");
}

TEST_CASE("credentials typed for a registry are not sent to its mirror on another host") {
  DockerFixture f;
  f.configure("[[registry]]\nlocation = \"main.example\"\n[[registry.mirror]]\nlocation = \"reg.example\"");
  f.options.registry.registry_token = "secret";
  f.source("//main.example/ns/app:v1");
  CHECK(f.pool->requests()[0].header("Authorization").empty());
  f.source("//reg.example/ns/app:v1");
  CHECK(f.pool->requests()[1].header("Authorization") == "Bearer secret");
}

TEST_CASE("an insecure mirror may be plain HTTP unless --tls-verify says no") {
  DockerFixture f;
  f.registry.origin = "http://reg.example";
  f.configure("[[registry]]\nlocation = \"reg.example\"\ninsecure = true");
  SUBCASE("by configuration") {
    CHECK(f.source("//reg.example/ns/app:v1")->manifest(background(), std::nullopt).digest == f.digest);
    CHECK(f.destination("//reg.example/ns/app:v1")->find_manifest_digest(background()) == f.digest);
  }
  SUBCASE("--tls-verify") {
    f.options.registry.tls_verify = true;
    CHECK(kind_of([&] { f.source("//reg.example/ns/app:v1"); }) == Kind::unavailable);
    CHECK(f.pool->requests().size() == 1);
  }
}

TEST_CASE("a blocked registry is refused before anything is sent") {
  DockerFixture f;
  f.configure("[[registry]]\nlocation = \"reg.example\"\nblocked = true");
  CHECK(message_of([&] {
          f.source("//reg.example/ns/app:v1");
        }).find("registry reg.example is blocked in ") != std::string::npos);
  CHECK(kind_of([&] { f.destination("//reg.example/ns/app:v1"); }) == Kind::denied);
  CHECK(f.pool->requests().empty());
}

TEST_CASE("destination, tags and removal take the name literally") {
  DockerFixture f;
  f.configure("[[registry]]\nprefix = \"reg.example\"\nlocation = \"elsewhere.example\"");
  f.destination("//reg.example/ns/app:v2")->put_manifest(background(), raw("{}"), std::nullopt);
  docker_transport().parse("//reg.example/ns/app:v2")->remove(background(), f.options);
  for (const auto& line : f.pool->lines()) CHECK(line.find("https://reg.example/") != std::string::npos);
}

TEST_CASE("blobs are read from the registry, or from their urls when it does not have them") {
  DockerFixture f;
  auto source = f.source("//reg.example/ns/app:v1");
  spec::Descriptor layer{.media_type = "x",
                         .digest = io::digest_of("layer"),
                         .size = 5,
                         .urls = {},
                         .annotations = {},
                         .platform = {},
                         .artifact_type = {},
                         .data = {}};
  f.registry.blobs["other/place@" + layer.digest.str()] = "layer";
  CHECK(kind_of([&] { source->blob(background(), layer); }) == Kind::not_found);
  layer.urls = {"https://reg.example/v2/other/place/blobs/" + layer.digest.str()};
  CHECK(read_text(*source->blob(background(), layer).reader) == "layer");
  f.registry.blobs["ns/app@" + layer.digest.str()] = "layer";
  CHECK(source->blob(background(), layer).size == 5);
  CHECK(f.pool->lines().back() == "GET https://reg.example/v2/ns/app/blobs/" + layer.digest.str());
}

TEST_CASE("referrers include cosign's tags") {
  DockerFixture f;
  f.registry.manifests["ns/app:sha256-" + f.digest.hex() + ".sig"] = f.stored;
  auto source = f.source("//reg.example/ns/app:v1");
  const auto referrers = source->referrer_lister()->referrers(background(), f.digest);
  REQUIRE(referrers.size() == 1);
  CHECK(referrers[0].tag == "sha256-" + f.digest.hex() + ".sig");
  CHECK(referrers[0].descriptor.digest == f.digest);
  CHECK(referrers[0].descriptor.size == manifest_text.size());
}

TEST_CASE("a destination puts instances by digest and the top manifest by tag") {
  DockerFixture f;
  auto destination = f.destination("//reg.example/ns/app:v2");
  destination->put_manifest(background(), raw("{\"i\":1}"), io::digest_of("{\"i\":1}"));
  destination->put_manifest(background(), raw("{}"), std::nullopt);
  destination->commit(background());
  CHECK(f.pool->lines()[0].ends_with("/manifests/" + io::digest_of("{\"i\":1}").str()));
  CHECK(f.pool->lines()[1].ends_with("/manifests/v2"));
}

TEST_CASE("a destination with a digest takes only that manifest") {
  DockerFixture f;
  const auto digest = io::digest_of("{}");
  for (const std::string& name :
       {"//reg.example/ns/app@" + digest.str(), "//reg.example/ns/app:v2@" + digest.str()}) {
    CAPTURE(name);
    auto destination = f.destination(name);
    CHECK(destination->traits().required_digest == digest);
    CHECK(kind_of([&] { destination->put_manifest(background(), raw("{ }"), std::nullopt); }) ==
          Kind::integrity);
    destination->put_manifest(background(), raw("{}"), std::nullopt);
  }
  CHECK(f.pool->lines()[0].ends_with(digest.str()));
  CHECK(f.pool->lines()[1].ends_with("/v2"));
}

TEST_CASE("an untagged destination stores under the digest that comes out") {
  DockerFixture f;
  auto destination = f.destination("//reg.example/ns/app@@unknown-digest@@");
  CHECK(!destination->find_manifest_digest(background()));
  destination->put_manifest(background(), raw("{}"), std::nullopt);
  CHECK(f.pool->lines()[0].ends_with("/manifests/" + io::digest_of("{}").str()));
  CHECK(kind_of([&] { f.source("//reg.example/ns/app@@unknown-digest@@"); }) == Kind::invalid_input);
}

TEST_CASE("what a destination knows of a blob is not asked again") {
  DockerFixture f;
  auto destination = f.destination("//reg.example/ns/app:v2");
  const auto digest = io::digest_of("layer");
  CHECK(!destination->find_blob(background(), digest));
  CHECK(!destination->find_blob(background(), digest));
  CHECK(f.pool->requests().size() == 1);
  SlowReader data("layer", 2);
  const auto info =
      destination->put_blob(background(), {.digest = digest, .size = 5, .media_type = "x"}, data);
  CHECK((info.digest == digest && info.size == 5));
  CHECK(destination->find_blob(background(), digest) == 5);
  CHECK(f.pool->requests().size() == 3);
}

TEST_CASE("a destination takes several blobs at once") {
  DockerFixture f;
  auto destination = f.destination("//reg.example/ns/app:v2");
  parallel_for(background(), 8, 8, [&](const Context& context, std::size_t i) {
    const std::string blob = random_bytes(400'000, i / 2 + 1);
    const auto digest = io::digest_of(blob);
    destination->find_blob(context, digest);
    SlowReader data(blob, 50'000);
    destination->put_blob(context, {.digest = digest, .size = blob.size(), .media_type = "x"}, data);
    if (destination->find_blob(context, digest) != blob.size()) throw Error(Kind::not_found, "it is gone");
  });
  CHECK(f.registry.blobs.size() == 4);
  CHECK(f.registry.uploads.empty());
}

TEST_CASE("a mounted blob is known afterwards") {
  DockerFixture f;
  const auto digest = io::digest_of("layer");
  f.registry.blobs["other/repo@" + digest.str()] = "layer";
  auto destination = f.destination("//reg.example/ns/app:v2");
  CHECK(destination->mounter()->mount(background(), {digest, 5}, "other/repo"));
  CHECK(destination->find_blob(background(), digest) == 5);
  CHECK(f.pool->requests().size() == 1);
}

TEST_CASE("a sibling writes to another tag of the same repository") {
  DockerFixture f;
  auto destination = f.destination("//reg.example/ns/app:v2@" + f.digest.str());
  auto sibling = destination->sibling(background(), "sha256-x.sig");
  sibling->put_manifest(background(), raw("{}"), std::nullopt);
  CHECK(f.pool->lines()[0] == "PUT https://reg.example/v2/ns/app/manifests/sha256-x.sig");
}

TEST_CASE("removal deletes the manifest that the tag points to") {
  DockerFixture f;
  docker_transport().parse("//reg.example/ns/app:v1")->remove(background(), f.options);
  CHECK(f.pool->lines() ==
        std::vector<std::string>{"HEAD https://reg.example/v2/ns/app/manifests/v1",
                                 "DELETE https://reg.example/v2/ns/app/manifests/" + f.digest.str()});
  CHECK(message_of([&] {
          docker_transport().parse("//reg.example/ns/app:none")->remove(background(), f.options);
        }) ==
        "Unable to delete reg.example/ns/app:none. Image may not exist or is not stored with a v2 Schema in "
        "a v2 "
        "registry");
}

TEST_CASE("a tag can be deleted without its image, and a repository has neither tag nor digest") {
  DockerFixture f;
  transport::delete_docker_tag(background(), spec::Reference::parse("reg.example/ns/app:v1"), f.options);
  CHECK(f.registry.manifests.count("ns/app@" + f.digest.str()) == 1);
  CHECK(f.registry.manifests.count("ns/app:v1") == 0);
  CHECK(transport::parse_docker_repository("//busybox").str() == "docker.io/library/busybox");
  CHECK(message_of([] { transport::parse_docker_repository("//busybox:v1"); }) ==
        "No tag or digest allowed in reference");
  CHECK(message_of([] { transport::parse_docker_repository("busybox"); }) ==
        "docker: image reference busybox does not start with //");
}
