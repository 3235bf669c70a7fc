#include "spec/manifest.hpp"

#include <doctest/doctest.h>

#include "spec/media_type.hpp"
#include "support/errors.hpp"

using namespace lade::spec;
using lade::test::kind_of;
using lade::test::message_of;
namespace mt = lade::spec::media_type;

namespace {

const std::string hex_a(64, 'a'), hex_b(64, 'b');

Descriptor blob(std::string_view type, char fill, std::uint64_t size) {
  return {std::string(type),
          Digest::from_hex(Digest::Algorithm::sha256, std::string(64, fill)),
          size,
          {},
          {},
          {},
          "",
          ""};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const std::string oci =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
    R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:)" +
    hex_a +
    R"(","size":7},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",)"
    R"("digest":"sha256:)" +
    hex_b + R"(","size":9}]})";

const std::string docker =
    R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
    R"("config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":7,"digest":"sha256:)" +
    hex_a +
    R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":9,"digest":"sha256:)" +
    hex_b + R"("}]})";

std::string manifest_fault(const std::string& bytes, std::string_view type = mt::oci_manifest) {
  CHECK(kind_of([&] { Manifest::parse(bytes, type); }) == lade::Kind::invalid_input);
  return message_of([&] { Manifest::parse(bytes, type); });
}

}  // namespace

TEST_CASE("manifest: made with the members in the order of containers/image") {
  const auto made =
      Manifest::make(mt::oci_manifest, blob(mt::oci_config, 'a', 7), {blob(mt::oci_layer_gzip, 'b', 9)});
  CHECK(made.serialize() == oci);
  const auto old = Manifest::make(mt::docker_manifest, blob(mt::docker_config, 'a', 7),
                                  {blob(mt::docker_layer_gzip, 'b', 9)});
  CHECK(old.serialize() == docker);
}

TEST_CASE("manifest: config and layers are read") {
  const auto manifest = Manifest::parse(oci, mt::oci_manifest);
  CHECK(manifest.media_type() == mt::oci_manifest);
  CHECK(manifest.config() == blob(mt::oci_config, 'a', 7));
  CHECK(manifest.layers() == std::vector{blob(mt::oci_layer_gzip, 'b', 9)});
  CHECK_FALSE(manifest.is_artifact());
  CHECK_FALSE(manifest.subject());
}

TEST_CASE("manifest: an empty subject is none") {
  const std::string text =
      R"({"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:)" + std::string(64, 'a') +
      R"(","size":1},"layers":[],"subject":{"mediaType":"","digest":"","size":0}})";
  CHECK_FALSE(Manifest::parse(text, media_type::oci_manifest).subject());
}

TEST_CASE("manifest: urls, annotations, subject and artifact type are read") {
  std::string text =
      replaced(oci, R"("size":9)", R"("size":9,"urls":["https://x/y"],"annotations":{"k":"v"})");
  text = replaced(text, R"("layers")",
                  R"("artifactType":"a/b","annotations":{"n":"w"},"subject":{"mediaType":"m/n",)"
                  R"("digest":"sha256:)" +
                      hex_b + R"(","size":3},"layers")");
  const auto manifest = Manifest::parse(text, mt::oci_manifest);
  CHECK(manifest.layers()[0].urls == std::vector<std::string>{"https://x/y"});
  CHECK(manifest.layers()[0].annotations.at("k") == "v");
  CHECK(manifest.artifact_type() == "a/b");
  CHECK(manifest.annotations().at("n") == "w");
  CHECK(manifest.subject() == blob("m/n", 'b', 3));
  CHECK_FALSE(manifest.is_artifact());
}

TEST_CASE("manifest: another config type makes an artifact in OCI, but not in Docker's format") {
  const std::string helm = "application/vnd.cncf.helm.config.v1+json";
  CHECK(Manifest::parse(replaced(oci, mt::oci_config, helm), mt::oci_manifest).is_artifact());
  CHECK(Manifest::parse(replaced(oci, mt::oci_config, mt::oci_empty), mt::oci_manifest).is_artifact());
  const auto old =
      Manifest::parse(replaced(docker, mt::docker_config, "application/octet-stream"), mt::docker_manifest);
  CHECK_FALSE(old.is_artifact());
}

TEST_CASE("manifest: what is malformed is refused") {
  const std::string what = "invalid manifest of type application/vnd.oci.image.manifest.v1+json: ";
  CHECK(manifest_fault("[]") == what + "not an object");
  CHECK(manifest_fault("{}") == what + "schemaVersion is not 2");
  CHECK(manifest_fault(replaced(oci, ":2,", ":3,")) == what + "schemaVersion is not 2");
  CHECK(manifest_fault(docker) ==
        what + "its mediaType is \"application/vnd.docker.distribution.manifest.v2+json\"");
  CHECK(manifest_fault(R"({"schemaVersion":2})") == what + "no config");
  CHECK(manifest_fault(replaced(oci, R"("size":9)", R"("size":-9)")) ==
        what + "size is not an integer from 0 to 2^63-1");
  CHECK(manifest_fault(replaced(oci, R"(,"size":9)", "")) == what + "a descriptor has no size");
  CHECK(manifest_fault(replaced(oci, hex_b, "b")) == what + "invalid checksum digest length");
  CHECK(manifest_fault(replaced(oci, R"("layers":[)", R"("layers":[3,)")) ==
        what + "a descriptor is not an object");
  CHECK(manifest_fault(replaced(oci, mt::oci_layer_gzip, "")) == what + "a descriptor has no mediaType");
  CHECK(manifest_fault(std::string(4194305, ' ')) == what + "larger than 4194304 bytes");
}

TEST_CASE("manifest: one that mixes formats is refused, whatever the case of its members") {
  for (const std::string name : {"manifests", "fsLayers", "history", "FSLAYERS", "Layers", "CONFIG"}) {
    CAPTURE(name);
    const std::string text = replaced(oci, R"("layers")", "\"" + name + R"(":[],"layers")");
    CHECK(manifest_fault(text).starts_with("rejecting ambiguous manifest, unexpected field \"" + name +
                                           "\" in supposedly "));
  }
  CHECK_NOTHROW(
      Manifest::parse(replaced(oci, R"("layers")", R"("manifests":null,"layers")"), mt::oci_manifest));
}

TEST_CASE("manifest: types that are no manifests of one image are not supported") {
  for (const auto type : {mt::oci_index, mt::docker_manifest_v1_signed, mt::oci_config})
    CHECK(kind_of([&] { Manifest::parse(oci, type); }) == lade::Kind::unsupported);
}

TEST_CASE("manifest: changed layers leave all that is not known in its place") {
  const std::string text = replaced(oci, R"("size":9)", R"("x":[1],"size":9,"data":"eA==")");
  const auto manifest =
      Manifest::parse(replaced(text, R"({"schema)", R"({"vendor":{"a":1},"schema)"), mt::oci_manifest);
  auto layer = blob(mt::oci_layer_zstd, 'c', 11);
  layer.annotations = {{"k", "v"}};
  const std::string changed = manifest.with_layers({layer}).serialize();
  CHECK(changed.starts_with(R"({"vendor":{"a":1},"schemaVersion":2)"));
  CHECK(changed.ends_with(R"([{"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"sha256:)" +
                          std::string(64, 'c') + R"(","x":[1],"size":11,"annotations":{"k":"v"}}]})"));
  CHECK(manifest.with_layers(manifest.layers()).serialize() == manifest.serialize());
}

TEST_CASE("manifest: the number of layers cannot change") {
  const auto manifest = Manifest::parse(oci, mt::oci_manifest);
  CHECK(message_of([&] { manifest.with_layers({}); }) ==
        "Error preparing updated manifest: layer count changed from 1 to 0");
}

TEST_CASE("manifest: a changed config is written") {
  const auto config = blob(mt::oci_config, 'd', 1);
  const auto changed = Manifest::parse(oci, mt::oci_manifest).with_config(config);
  CHECK(changed.config() == config);
  CHECK(Manifest::parse(changed.serialize(), mt::oci_manifest).config() == config);
}

TEST_CASE("manifest: between OCI and Docker only media types change") {
  CHECK(Manifest::parse(oci, mt::oci_manifest).as_media_type(mt::docker_manifest).serialize() == docker);
  CHECK(Manifest::parse(docker, mt::docker_manifest).as_media_type(mt::oci_manifest).serialize() == oci);
  CHECK(Manifest::parse(oci, mt::oci_manifest).as_media_type(mt::oci_manifest).serialize() == oci);
}

TEST_CASE("manifest: foreign layers have counterparts in both formats") {
  auto layer = blob(mt::oci_nondistributable_gzip, 'b', 9);
  layer.urls = {"https://x/y"};
  const auto manifest = Manifest::make(mt::oci_manifest, blob(mt::oci_config, 'a', 7), {layer});
  const auto converted = manifest.as_media_type(mt::docker_manifest);
  CHECK(converted.layers()[0].media_type == mt::docker_foreign_layer_gzip);
  CHECK(converted.layers()[0].urls == layer.urls);
  CHECK(converted.as_media_type(mt::oci_manifest).layers() == manifest.layers());
}

TEST_CASE("manifest: layers that Docker cannot express are not converted") {
  const std::pair<std::string, std::string> rows[] = {
      {std::string(mt::oci_layer_zstd), "zstd compression is not supported for docker images"},
      {std::string(mt::oci_layer_gzip) + "+encrypted", "encrypted layers"},
      {"x/y", "Unknown media type during manifest conversion: \"x/y\""}};
  for (const auto& [type, words] : rows) {
    const auto manifest =
        Manifest::make(mt::oci_manifest, blob(mt::oci_config, 'a', 7), {blob(type, 'b', 9)});
    const auto error = lade::test::error_of([&] { manifest.as_media_type(mt::docker_manifest); });
    CHECK(error.kind() == lade::Kind::unsupported);
    CHECK(error.message().find(words) != std::string::npos);
  }
}

TEST_CASE("manifest: an artifact is not converted") {
  const auto manifest = Manifest::make(mt::oci_manifest, blob("x/y", 'a', 7), {});
  CHECK(message_of([&] { manifest.as_media_type(mt::docker_manifest); }) ==
        "unsupported image-specific operation on artifact with type \"x/y\"");
}

TEST_CASE("manifest: copies are independent values") {
  auto one = Manifest::parse(oci, mt::oci_manifest);
  const Manifest two = one;
  one = one.with_config(blob(mt::oci_config, 'e', 1));
  CHECK(two.serialize() == oci);
  one = two;
  CHECK(one.serialize() == oci);
}
