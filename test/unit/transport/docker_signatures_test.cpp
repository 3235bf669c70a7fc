#include <doctest/doctest.h>

#include "config/base64.hpp"
#include "io/digester.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"
#include "support/errors.hpp"
#include "support/fake_registry.hpp"
#include "support/temp_dir.hpp"
#include "transport/docker/docker.hpp"
#include "transport/signature_format.hpp"

using namespace lade;
using namespace lade::test;

namespace {

const std::string image_text = R"({"schemaVersion":2,"config":{}})", gpg_signature = "\243one",
                  gpg_other = "\243two";

// One image in a registry, whose signatures are where `yaml` says.
struct SignedRepository {
  explicit SignedRepository(const std::string& yaml)
      : pool(std::make_shared<FakePool>([this](const FakeRequest& request) { return answer(request); })) {
    config::RegistriesD conf;
    conf.add(yaml, "r.yaml");
    options.registries_d = std::make_shared<const config::RegistriesD>(std::move(conf));
    options.registry.pool = pool;
    registry.manifests["ns/app:v1"] = registry.manifests["ns/app@" + digest.str()] = {
        .headers = {{"Content-Type", std::string(spec::media_type::oci_manifest)},
                    {"Docker-Content-Digest", digest.str()}},
        .body = image_text};
  }

  FakeAnswer answer(const FakeRequest& request) {
    auto result = request.url.starts_with(registry.origin + "/extensions/") ? extension(request)
                  : request.url.starts_with(registry.origin)                ? registry(request)
                                                                            : elsewhere(request);
    if (has_extension) result.headers.emplace_back("X-Registry-Supports-Signatures", "1");
    return result;
  }
  FakeAnswer extension(const FakeRequest& request) {
    if (request.method == "PUT") {
      stored.push_back(spec::parse_json(request.body, "signature"));
      return {.status = 201};
    }
    return {.body = spec::dump_json({{"signatures", stored}})};
  }
  FakeAnswer elsewhere(const FakeRequest& request) {
    const auto found = documents.find(request.url);
    return found == documents.end() ? FakeAnswer{.status = 404} : FakeAnswer{.body = found->second};
  }

  std::vector<std::string> read() {
    const auto source = reference->open_source(background(), options);
    return source->signature_source()->signatures(background(), std::nullopt);
  }
  void write(const std::vector<std::string>& signatures) {
    const auto destination = reference->open_destination(background(), options);
    destination->put_manifest(background(), {image_text, std::string(spec::media_type::oci_manifest), digest},
                              std::nullopt);
    destination->signature_destination()->put_signatures(background(), signatures, std::nullopt);
  }

  spec::Digest digest = io::digest_of(image_text);
  std::string place = "/ns/app@sha256=" + digest.hex() + "/signature-";
  FakeRegistry registry;
  bool has_extension = false;
  std::vector<spec::Json> stored;
  std::map<std::string, std::string> documents;
  std::shared_ptr<FakePool> pool;
  transport::Options options;
  std::unique_ptr<transport::ImageReference> reference =
      transport::docker_transport().parse("//reg.example/ns/app:v1");
};

std::string sigstore_document(const std::string& payload) {
  return serialize(transport::SigstoreSignature{std::string(transport::sigstore::payload_type),
                                                payload,
                                                {{"dev.cosignproject.cosign/signature", "AAAA"}}});
}

std::string lookaside_in(const Directory& directory) {
  return "default-docker: {lookaside: 'file://" + directory.path().string() + "'}";
}

}  // namespace

TEST_CASE("signatures of images in a registry are files of a lookaside directory") {
  const Directory directory;
  SignedRepository repository(lookaside_in(directory));
  CHECK(repository.read().empty());
  repository.write({gpg_signature, gpg_other});
  CHECK(repository.read() == std::vector{gpg_signature, gpg_other});
  CHECK(directory.read(repository.place.substr(1) + "2") == gpg_other);
  repository.write({gpg_other});
  CHECK(repository.read() == std::vector{gpg_other});
  repository.reference->remove(background(), repository.options);
  CHECK_FALSE(std::filesystem::exists(directory.path().string() + repository.place + "1"));
}

TEST_CASE("a lookaside may be a web server, which is only read") {
  SignedRepository repository("docker: {reg.example/ns: {lookaside: 'https://sigs.example/top'}}");
  repository.documents["https://sigs.example/top" + repository.place + "1"] = gpg_signature;
  CHECK(repository.read() == std::vector{gpg_signature});
  CHECK(message_of([&] {
          repository.write({gpg_signature});
        }).find("Configure a lookaside-staging: location") != std::string::npos);
  repository.documents["https://sigs.example/top" + repository.place + "2"] = "<html>";
  CHECK(message_of([&] { repository.read(); }).find("unrecognized signature format") != std::string::npos);
}

TEST_CASE("a lookaside without end is given up") {
  SignedRepository repository("default-docker: {lookaside: 'https://sigs.example'}");
  for (int i = 1; i < 200; ++i)
    repository.documents["https://sigs.example" + repository.place + std::to_string(i)] = gpg_signature;
  CHECK(message_of([&] { repository.read(); }).find("unreasonable and a server error") != std::string::npos);
}

TEST_CASE("a lookaside that is nowhere is refused") {
  for (const auto* url : {"ftp://sigs.example", "file://host/dir", "https://sigs.example?x=y"}) {
    SignedRepository repository("default-docker: {lookaside: '" + std::string(url) + "'}");
    CHECK(message_of([&] { repository.read(); }) != "");
  }
}

TEST_CASE("a registry that keeps signatures itself is asked") {
  SignedRepository repository("default-docker: {lookaside: 'https://sigs.example'}");
  repository.has_extension = true;
  repository.write({gpg_signature});
  repository.write({gpg_signature, gpg_other});
  REQUIRE(repository.stored.size() == 2);
  CHECK(repository.stored[0].at("type") == "atomic");
  CHECK(repository.stored[0].at("name").get<std::string>().starts_with(repository.digest.str() + "@"));
  CHECK(repository.read() == std::vector{gpg_signature, gpg_other});
}

TEST_CASE("sigstore signatures are attachments, where that is configured") {
  const Directory directory;
  SignedRepository repository(lookaside_in(directory) +
                              "\ndocker: {reg.example: {use-sigstore-attachments: true}}");
  const auto one = sigstore_document("one"), two = sigstore_document("two");
  CHECK(repository.read().empty());
  repository.write({one, gpg_signature});
  CHECK(repository.registry.manifests.contains("ns/app:sha256-" + repository.digest.hex() + ".sig"));
  repository.write({two, one});
  CHECK(repository.read() == std::vector{gpg_signature, one, two});
}

TEST_CASE("sigstore signatures are neither written nor looked for where it is not") {
  const Directory directory;
  SignedRepository repository(lookaside_in(directory));
  CHECK(message_of([&] { repository.write({sigstore_document("one")}); }) ==
        "writing sigstore attachments is disabled by configuration");
  repository.read();
  for (const auto& line : repository.pool->lines()) CHECK(line.find(".sig") == std::string::npos);
}

TEST_CASE("an attachment whose bytes are not what its manifest says is refused") {
  const Directory directory;
  SignedRepository repository(lookaside_in(directory) +
                              "\ndocker: {reg.example: {use-sigstore-attachments: true}}");
  repository.write({sigstore_document("one")});
  repository.registry.blobs["ns/app@" + io::digest_of("one").str()] = "two";
  CHECK(kind_of([&] { repository.read(); }) == Kind::integrity);
}
