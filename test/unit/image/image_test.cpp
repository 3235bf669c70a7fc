#include "image/image.hpp"

#include <doctest/doctest.h>

#include "samples.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using image::choose_instance;
using image::Image;
namespace mt = spec::media_type;

namespace {

const spec::PlatformChoice amd64{"linux", "amd64", ""};

spec::RawManifest make_list(MemoryStore& store, std::string_view type, const spec::RawManifest& manifest,
                            std::string_view platform) {
  auto instance = add_manifest(store, manifest);
  instance.platform = spec::Platform::parse(platform);
  return make_raw(spec::Index::make(type, {instance}).serialize(), type);
}

}  // namespace

TEST_CASE("image: layers are shown root first, with sizes and annotations") {
  Sample sample(mt::oci_manifest);
  auto layers = sample.manifest.layers();
  layers[1].annotations = {{"k", "v"}};
  Image image(sample.source, make_raw(sample.manifest.with_layers(layers).serialize(), mt::oci_manifest));
  CHECK(image.layers().size() == 2);
  CHECK(image.layers()[0].digest == io::digest_of("layer one"));
  CHECK(image.layers()[1].size == 9U);
  CHECK(image.layers()[1].annotations.at("k") == "v");
}

TEST_CASE("image: the config is read once, only when it is asked for") {
  Sample sample;
  Image image(sample.source, sample.raw);
  CHECK(sample.store->lock()->blobs_read.empty());
  CHECK(image.config(background()).docker_version == "20.10");
  CHECK(image.config_bytes(background()) == docker_config);
  CHECK(sample.store->lock()->blobs_read.size() == 1);
}

TEST_CASE("image: a config that does not match its digest is refused") {
  Sample sample;
  const std::string digest = sample.manifest.config().digest.str();
  for (const std::string& bytes :
       {replaced(docker_config, "20.10", "20.11"), docker_config + " ", std::string("{}")}) {
    sample.store->lock()->blobs[digest] = bytes;
    Image image(sample.source, sample.raw);
    const auto error = error_of([&] { image.config_bytes(background()); });
    CHECK(error.kind() == Kind::integrity);
    CHECK(error.context().back() == "reading config " + digest);
  }
}

TEST_CASE("image: a config that claims to be huge is not read") {
  Sample sample;
  auto config = sample.manifest.config();
  config.size = spec::max_manifest_size + 1;
  Image image(sample.source, make_raw(sample.manifest.with_config(config).serialize(), mt::docker_manifest));
  CHECK(
      message_of([&] { image.config_bytes(background()); }).ends_with("config is larger than 4194304 bytes"));
  CHECK(sample.store->lock()->blobs_read.empty());
}

TEST_CASE("image: an artifact has no image configuration") {
  Sample sample(mt::oci_manifest);
  auto config = sample.manifest.config();
  config.media_type = "application/vnd.cncf.helm.config.v1+json";
  Image image(sample.source, make_raw(sample.manifest.with_config(config).serialize(), mt::oci_manifest));
  CHECK(image.is_artifact());
  CHECK(image.artifact_type() == config.media_type);
  CHECK(image.config_bytes(background()) == docker_config);
  const auto error = error_of([&] { image.config(background()); });
  CHECK(error.kind() == Kind::unsupported);
  CHECK(error.message() ==
        "unsupported image-specific operation on artifact with type \"" + config.media_type + "\"");
}

TEST_CASE("image: schema 1 has its configuration in the manifest") {
  Sample sample;
  Image image(sample.source, make_raw(schema1_text(), mt::docker_manifest_v1));
  CHECK(image.manifest() == nullptr);
  CHECK(image.schema1()->tag == "v1");
  CHECK(image.config_bytes(background()).empty());
  CHECK(image.config(background()).env == std::vector<std::string>{"A=1"});
  CHECK(image.layers().size() == 3);
  CHECK_FALSE(image.layers()[0].size);
  CHECK_FALSE(image.is_artifact());
}

TEST_CASE("image: a list is no image") {
  Sample sample;
  const auto list = make_list(*sample.store, mt::docker_list, sample.raw, "linux/amd64");
  CHECK(kind_of([&] { Image(sample.source, list); }) == Kind::unsupported);
}

TEST_CASE("choosing an instance: a single image is itself") {
  Sample sample;
  CHECK(choose_instance(background(), sample.source, sample.raw, {"none", "none", ""}).digest ==
        sample.raw.digest);
}

TEST_CASE("choosing an instance: of a list, and of a list within a list") {
  Sample sample;
  const auto list = make_list(*sample.store, mt::docker_list, sample.raw, "linux/amd64");
  const auto outer = make_list(*sample.store, mt::oci_index, list, "linux/amd64");
  CHECK(choose_instance(background(), sample.source, list, amd64).digest == sample.raw.digest);
  CHECK(choose_instance(background(), sample.source, outer, amd64).digest == sample.raw.digest);
}

TEST_CASE("choosing an instance: errors say what was looked for and what was missing") {
  Sample sample;
  const auto list = make_list(*sample.store, mt::docker_list, sample.raw, "linux/amd64");
  CHECK(
      message_of([&] {
        choose_instance(background(), sample.source, list, {"linux", "mips", ""});
      }) ==
      "choosing image instance: no image found in manifest list for architecture \"mips\", variant \"\", OS "
      "\"linux\"");
  sample.store->lock()->manifests.clear();
  const auto error = error_of([&] { choose_instance(background(), sample.source, list, amd64); });
  CHECK(error.kind() == Kind::image_not_found);
  CHECK(error.context().back() == "loading manifest for target platform");
}

TEST_CASE("choosing an instance: lists nested without end are refused") {
  Sample sample;
  auto list = make_list(*sample.store, mt::oci_index, sample.raw, "linux/amd64");
  for (int i = 0; i < 5; ++i) list = make_list(*sample.store, mt::oci_index, list, "linux/amd64");
  CHECK(message_of([&] { choose_instance(background(), sample.source, list, amd64); }) ==
        "lists are nested too deeply");
}
