#include "image/inspect.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "samples.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::test;
using image::Image;
using image::Inspection;
namespace mt = spec::media_type;

namespace {

Inspection inspected(Sample& sample, const spec::RawManifest& raw) {
  Image image(sample.source, raw);
  return image::inspect(background(), image, raw.digest);
}

}  // namespace

TEST_CASE("inspect: members and nulls are those of skopeo") {
  const Sample sample(mt::oci_manifest);
  Inspection inspection;
  inspection.name = "quay.io/a";
  inspection.digest = sample.raw.digest.str();
  inspection.layers = {"sha256:x"};
  inspection.layers_data = {{"m/n", io::digest_of("x"), 7U, {}},
                            {"", io::digest_of("y"), std::nullopt, {{"k", "v"}}}};
  CHECK(spec::dump_json(inspection.to_json()) ==
        R"({"Name":"quay.io/a","Digest":")" + sample.raw.digest.str() +
            R"(","RepoTags":[],"Created":null,"DockerVersion":"","Labels":null,"Architecture":"","Os":"",)"
            R"("Layers":["sha256:x"],"LayersData":[{"MIMEType":"m/n","Digest":")" +
            io::digest_of("x").str() + R"(","Size":7,"Annotations":null},{"MIMEType":"","Digest":")" +
            io::digest_of("y").str() + R"(","Size":-1,"Annotations":{"k":"v"}}],"Env":null})");
}

TEST_CASE("inspect: a Docker image") {
  Sample sample;
  const auto inspection = inspected(sample, sample.raw);
  CHECK(inspection.digest == sample.raw.digest.str());
  CHECK(inspection.created == "2024-01-02T03:04:05.5Z");
  CHECK(inspection.docker_version == "20.10");
  CHECK(inspection.labels->at("l") == "x<y");
  CHECK(inspection.env == std::vector<std::string>{"A=1"});
  CHECK(inspection.layers[0] == io::digest_of("layer one").str());
  CHECK(inspection.layers_data[0].media_type == mt::docker_layer_gzip);
  CHECK(inspection.tag.empty());
}

TEST_CASE("inspect: a time that was never set is null in OCI and zero in Docker's format") {
  Sample oci(mt::oci_manifest, R"({"os":"linux"})"), docker(mt::docker_manifest, R"({"os":"linux"})");
  CHECK_FALSE(inspected(oci, oci.raw).created);
  CHECK(inspected(docker, docker.raw).created == "0001-01-01T00:00:00Z");
}

TEST_CASE("inspect: schema 1 has a tag and no sizes") {
  Sample sample;
  const auto raw = make_raw(schema1_text(), mt::docker_manifest_v1);
  const auto json = inspected(sample, raw).to_json();
  CHECK(json.at("Tag") == "v1");
  CHECK(json.at("Created") == "2015-01-01T00:00:03.5Z");
  CHECK(json.at("LayersData").at(0).at("Size") == -1);
  CHECK(json.at("Layers").size() == 3);
}

TEST_CASE("inspect: an artifact shows its layers and its type instead of failing") {
  Sample sample(mt::oci_manifest);
  auto config = sample.manifest.config();
  config.media_type = "x/y";
  const auto raw = make_raw(sample.manifest.with_config(config).serialize(), mt::oci_manifest);
  const auto json = inspected(sample, raw).to_json();
  CHECK(json.at("ArtifactType") == "x/y");
  CHECK(json.at("Layers").size() == 2);
  CHECK(json.at("Os") == "");
  CHECK(sample.store->lock()->blobs_read.empty());
}

TEST_CASE("total size: config and layers, each blob once") {
  Sample sample;
  CHECK(image::total_size(Image(sample.source, sample.raw)) == docker_config.size() + 18);
  auto layers = sample.manifest.layers();
  layers[1] = layers[0];
  const auto twice = make_raw(sample.manifest.with_layers(layers).serialize(), mt::docker_manifest);
  CHECK(image::total_size(Image(sample.source, twice)) == docker_config.size() + 9);
  CHECK_FALSE(image::total_size(Image(sample.source, make_raw(schema1_text(), mt::docker_manifest_v1))));
}

TEST_CASE("total size: sizes that cannot be true are refused") {
  Sample sample;
  std::vector<spec::Descriptor> layers;
  for (const std::string text : {"a", "b", "c"}) {
    layers.push_back(add_blob(*sample.store, mt::oci_layer_gzip, text));
    layers.back().size = std::numeric_limits<std::int64_t>::max();
  }
  const auto manifest = spec::Manifest::make(mt::oci_manifest, sample.manifest.config(), layers);
  const Image image(sample.source, make_raw(manifest.serialize(), mt::oci_manifest));
  CHECK(kind_of([&] { image::total_size(image); }) == Kind::invalid_input);
}

TEST_CASE("platform rows: one for each instance, with its size where it can be known") {
  Sample sample(mt::oci_manifest);
  auto here = add_manifest(*sample.store, sample.raw);
  here.platform = spec::Platform::parse("linux/arm/v7");
  auto missing = here;
  missing.digest = io::digest_of("missing");
  auto nested = here;
  nested.media_type = mt::oci_index;
  nested.platform.reset();
  const auto list =
      make_raw(spec::Index::make(mt::oci_index, {here, missing, nested}).serialize(), mt::oci_index);
  const auto rows = image::platform_rows(background(), sample.source, list);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].platform.str() == "linux/arm/v7");
  CHECK(rows[0].size == docker_config.size() + 18);
  CHECK(rows[0].digest == sample.raw.digest);
  CHECK_FALSE(rows[1].size);
  CHECK_FALSE(rows[2].size);
}

TEST_CASE("platform rows: a single image is one row, with the platform of its config") {
  Sample sample;
  const auto rows = image::platform_rows(background(), sample.source, sample.raw);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].platform.str() == "linux/amd64");
  CHECK(rows[0].size == docker_config.size() + 18);
}

TEST_CASE("platform rows: a broken instance is an error, not a gap") {
  Sample sample;
  const auto instance = add_manifest(*sample.store, sample.raw);
  sample.store->lock()->manifests.at(instance.digest.str()).bytes = "{}";
  const auto list = make_raw(spec::Index::make(mt::docker_list, {instance}).serialize(), mt::docker_list);
  CHECK(kind_of([&] { image::platform_rows(background(), sample.source, list); }) == Kind::integrity);
}
