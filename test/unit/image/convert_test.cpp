#include "image/convert.hpp"

#include <doctest/doctest.h>

#include "image/image.hpp"
#include "samples.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using image::convert;
using image::Schema1;
namespace mt = spec::media_type;

namespace {

spec::Manifest parsed(const image::Conversion& conversion) {
  return spec::Manifest::parse(conversion.manifest.bytes, conversion.manifest.media_type);
}

std::vector<spec::Descriptor> blobs_of(const Schema1& manifest) {
  std::vector<spec::Descriptor> blobs;
  for (const auto& layer : manifest.layers)
    blobs.push_back({std::string(mt::docker_layer_gzip), layer.blob, 9, {}, {}, {}, "", ""});
  return blobs;
}

std::vector<spec::DiffId> diff_ids(std::size_t count) {
  std::vector<spec::DiffId> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back({io::digest_of(std::to_string(i))});
  return ids;
}

}  // namespace

TEST_CASE("convert: OCI to Docker changes media types only") {
  const Sample sample(mt::oci_manifest);
  const auto conversion = convert(sample.manifest, docker_config, mt::docker_manifest);
  CHECK_FALSE(conversion.config);
  CHECK(parsed(conversion).config().digest == sample.manifest.config().digest);
  CHECK(parsed(conversion).layers()[1].media_type == mt::docker_layer_gzip);
  CHECK(conversion.manifest.digest == io::digest_of(conversion.manifest.bytes));
}

TEST_CASE("convert: Docker to OCI writes the config again, without what OCI does not know") {
  const Sample sample;
  const auto conversion = convert(sample.manifest, docker_config, mt::oci_manifest);
  REQUIRE(conversion.config);
  CHECK(conversion.config->descriptor.media_type == mt::oci_config);
  CHECK(conversion.config->descriptor.digest == io::digest_of(conversion.config->bytes));
  CHECK(conversion.config->bytes.find("Hostname") == std::string::npos);
  CHECK(conversion.config->bytes.find("docker_version") == std::string::npos);
  CHECK(parsed(conversion).config() == conversion.config->descriptor);
  CHECK(parsed(conversion).layers()[0].media_type == mt::oci_layer_gzip);
}

TEST_CASE("convert: to the same type nothing changes") {
  const Sample sample;
  const auto conversion = convert(sample.manifest, docker_config, mt::docker_manifest);
  CHECK(conversion.manifest.bytes == sample.raw.bytes);
  CHECK_FALSE(conversion.config);
}

TEST_CASE("convert: layer IDs of schema 1 are those that Docker computes") {
  const Sample sample;
  const auto conversion = convert(sample.manifest, docker_config, mt::docker_manifest_v1,
                                  spec::Reference::parse("quay.io/a/b:c"));
  const auto old = Schema1::parse(conversion.manifest.bytes);
  const std::string first = io::digest_of(io::digest_of("layer one").hex() + " ").hex();
  const std::string second = io::digest_of(image::empty_layer_digest().hex() + " " + first).hex();
  CHECK(old.layers[0].id == first);
  CHECK(old.layers[1].id == second);
  CHECK(old.layers[2].id ==
        io::digest_of(io::digest_of("layer two").hex() + " " + second + " " + docker_config).hex());
  CHECK(old.layers[2].parent == second);
}

TEST_CASE("convert: schema 1 is signed, named, and says which empty layer it needs") {
  const Sample sample;
  const auto conversion = convert(sample.manifest, docker_config, mt::docker_manifest_v1,
                                  spec::Reference::parse("quay.io/a/b:c"));
  const auto old = Schema1::parse(conversion.manifest.bytes);
  CHECK(conversion.manifest.media_type == mt::docker_manifest_v1_signed);
  CHECK(conversion.manifest.digest == io::digest_of(old.serialize()));
  CHECK(conversion.needs_empty_layer);
  CHECK(old.layers[1].blob == image::empty_layer_digest());
  CHECK(old.layers[1].empty);
  CHECK(old.name == "a/b");
  CHECK(old.tag == "c");
}

TEST_CASE("convert: the history in schema 1 is Docker's") {
  const Sample sample(mt::oci_manifest);
  const auto conversion = convert(sample.manifest, docker_config, mt::docker_manifest_v1_signed);
  const auto old = Schema1::parse(conversion.manifest.bytes);
  CHECK(old.layers[0].v1_compatibility == "{\"id\":\"" + old.layers[0].id +
                                              R"(","created":"2024-01-02T03:04:01Z","container_config":)"
                                              R"({"Cmd":["ADD a"]},"author":"me"})");
  CHECK(old.layers[1].v1_compatibility.ends_with(
      R"("container_config":{"Cmd":["ENV A=1"]},"throwaway":true})"));
  CHECK(old.layers[2].v1_compatibility.starts_with(R"({"architecture":"amd64","config":{"Hostname":"h",)"));
  CHECK(old.layers[2].v1_compatibility.find("rootfs") == std::string::npos);
}

TEST_CASE("convert: a config that does not fit its layers is refused") {
  const Sample sample;
  const auto none = error_of([&] { convert(sample.manifest, "{}", mt::docker_manifest_v1); });
  CHECK(none.kind() == Kind::unsupported);
  CHECK(none.message().starts_with("Cannot convert an image with 0 history entries to "));
  const auto more =
      error_of([&] { convert(sample.manifest, R"({"history":[{},{},{}]})", mt::docker_manifest_v1); });
  CHECK(more.message() == "Invalid image configuration, needs more than the 2 distributed layers");
}

TEST_CASE("convert: schema 1 to Docker drops empty layers and makes a config") {
  const auto old = Schema1::parse(schema1_text());
  const auto conversion = convert(old, blobs_of(old), diff_ids(3), mt::docker_manifest);
  const auto manifest = parsed(conversion);
  CHECK(manifest.layers().size() == 2);
  CHECK(manifest.layers()[1].digest == io::digest_of("layer two"));
  const auto config = spec::ImageConfig::parse(conversion.config->bytes);
  CHECK(config.diff_ids == std::vector{diff_ids(3)[0], diff_ids(3)[2]});
  CHECK(config.history[1].empty_layer);
  CHECK(conversion.config->bytes.starts_with(R"({"architecture":"amd64","config":{"Env":["A=1"])"));
  for (const char* name : {"\"id\"", "\"parent\"", "\"Size\""})
    CHECK(conversion.config->bytes.find(name) == std::string::npos);
}

TEST_CASE("convert: schema 1 to OCI") {
  const auto old = Schema1::parse(schema1_text());
  const auto conversion = convert(old, blobs_of(old), diff_ids(3), mt::oci_manifest);
  CHECK(parsed(conversion).config().media_type == mt::oci_config);
  CHECK(parsed(conversion).layers()[0].media_type == mt::oci_layer_gzip);
  CHECK(conversion.config->bytes.find("container_config") == std::string::npos);
}

TEST_CASE("convert: schema 1 needs a blob and a diff id for each layer") {
  const auto old = Schema1::parse(schema1_text());
  CHECK(kind_of([&] { convert(old, blobs_of(old), diff_ids(2), mt::docker_manifest); }) ==
        Kind::invalid_input);
  CHECK(kind_of([&] { convert(old, {}, diff_ids(3), mt::docker_manifest); }) == Kind::invalid_input);
}
