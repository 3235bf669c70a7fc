#include <doctest/doctest.h>

#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "support/errors.hpp"

using namespace lade::spec;
using lade::test::message_of;
namespace mt = lade::spec::media_type;

namespace {

Descriptor instance(char fill, std::string_view platform = "", std::string_view type = mt::oci_manifest) {
  Descriptor descriptor{std::string(type),
                        Digest::from_hex(Digest::Algorithm::sha256, std::string(64, fill)),
                        5,
                        {},
                        {},
                        {},
                        "",
                        ""};
  if (!platform.empty()) descriptor.platform = Platform::parse(platform);
  return descriptor;
}

Descriptor zstd_instance(char fill, std::string_view platform) {
  auto descriptor = instance(fill, platform);
  descriptor.annotations = {{"io.github.containers.compression.zstd", "true"}};
  return descriptor;
}

char chosen(std::string_view type, const std::vector<Descriptor>& instances, const PlatformChoice& choice) {
  return Index::make(type, instances).choose(choice).digest.hex()[0];
}

const PlatformChoice amd64{"linux", "amd64", ""}, arm{"linux", "arm", ""}, armv6{"linux", "arm", "v6"};

}  // namespace

TEST_CASE("index: made with the members in the order of containers/image") {
  auto arm7 = instance('a', "linux/arm/v7");
  arm7.annotations = {{"k", "v"}};
  CHECK(
      Index::make(mt::oci_index, {arm7}).serialize() ==
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
      R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:)" +
          std::string(64, 'a') +
          R"(","size":5,"annotations":{"k":"v"},"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]})");
  CHECK(
      Index::make(mt::docker_list, {instance('a', "", mt::docker_manifest)}).serialize() ==
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[)"
      R"({"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":5,"digest":"sha256:)" +
          std::string(64, 'a') + R"(","platform":{"architecture":"","os":""}}]})");
}

TEST_CASE("index: instances round-trip with platform, os version and features") {
  auto windows = instance('a', "windows/amd64");
  windows.platform->os_version = "10.0.1";
  windows.platform->os_features = {"win32k"};
  const auto index = Index::make(mt::oci_index, {windows, instance('b')});
  CHECK(Index::parse(index.serialize(), mt::oci_index).instances() == std::vector{windows, instance('b')});
}

TEST_CASE("index: a Docker list gives the first instance in the order of wanted platforms") {
  const std::vector list{instance('a', "linux/arm/v5"), instance('b', "linux/arm/v6"),
                         instance('c', "linux/arm"), instance('d', "linux/amd64"),
                         instance('e', "linux/amd64")};
  CHECK(chosen(mt::docker_list, list, amd64) == 'd');
  CHECK(chosen(mt::docker_list, list, arm) == 'c');
  CHECK(chosen(mt::docker_list, list, armv6) == 'b');
  CHECK(chosen(mt::docker_list, list, {"linux", "arm", "v5"}) == 'a');
}

TEST_CASE("index: zstd is preferred in an OCI index only, and only on the same platform") {
  const std::vector list{instance('a', "linux/amd64"), zstd_instance('b', "linux/amd64"),
                         zstd_instance('c', "linux/arm/v8"), instance('d', "linux/arm")};
  CHECK(chosen(mt::oci_index, list, amd64) == 'b');
  CHECK(chosen(mt::docker_list, list, amd64) == 'a');
  CHECK(chosen(mt::oci_index, list, arm) == 'd');
}

TEST_CASE("index: instances without a platform come last, in an OCI index only") {
  const std::vector list{instance('a'), instance('b', "linux/amd64")};
  CHECK(chosen(mt::oci_index, list, amd64) == 'b');
  CHECK(chosen(mt::oci_index, list, arm) == 'a');
  CHECK_THROWS_AS(chosen(mt::docker_list, list, arm), lade::Error);
}

TEST_CASE("index: the error names what was looked for") {
  const auto fault = [](std::string_view type) {
    return message_of([&] { chosen(type, {instance('a', "linux/amd64")}, {"os", "cpu", "v1"}); });
  };
  CHECK(fault(mt::docker_list) ==
        R"(no image found in manifest list for architecture "cpu", variant "v1", OS "os")");
  CHECK(fault(mt::oci_index) ==
        R"(no image found in image index for architecture "cpu", variant "v1", OS "os")");
  CHECK_THROWS_AS(chosen(mt::oci_index, {}, amd64), lade::Error);
}

TEST_CASE("index: updated instances keep platform and unknown members") {
  const std::string text = R"({"manifests":[{"x":1,"mediaType":"a/b","size":1,"digest":"sha256:)" +
                           std::string(64, 'a') +
                           R"(","platform":{"os":"linux","architecture":"arm","y":2}}],)"
                           R"("schemaVersion":2})";
  const auto updated = Index::parse(text, mt::oci_index).with_instances({instance('b')}).serialize();
  CHECK(updated ==
        R"({"manifests":[{"x":1,"mediaType":"application/vnd.oci.image.manifest.v1+json","size":5,)"
        R"("digest":"sha256:)" +
            std::string(64, 'b') +
            R"(","platform":{"os":"linux","architecture":"arm","y":2}}],"schemaVersion":2})");
  CHECK_THROWS_AS(Index::parse(text, mt::oci_index).with_instances({}), lade::Error);
}

TEST_CASE("index: a subset keeps the order") {
  const auto index = Index::make(mt::oci_index, {instance('a'), instance('b'), instance('c')});
  CHECK(index.with_subset({true, false, true}).instances() == std::vector{instance('a'), instance('c')});
  CHECK(index.with_subset({false, false, false}).instances().empty());
  CHECK_THROWS_AS(index.with_subset({true}), lade::Error);
}

TEST_CASE("index: a list is converted without its annotations, and Docker's always has platforms") {
  const auto index = Index::make(mt::oci_index, {zstd_instance('a', "linux/arm/v7"), instance('b')});
  const auto list = index.as_media_type(mt::docker_list);
  CHECK(list.media_type() == mt::docker_list);
  CHECK(list.instances()[0] == instance('a', "linux/arm/v7"));
  CHECK(list.instances()[1].platform->architecture == host_architecture());
  CHECK(list.as_media_type(mt::oci_index).media_type() == mt::oci_index);
  CHECK(index.as_media_type(mt::oci_index).serialize() == index.serialize());
}

TEST_CASE("index: it cannot become a manifest of one image") {
  const auto index = Index::make(mt::oci_index, {});
  CHECK(message_of([&] { index.as_media_type(mt::oci_manifest); }) ==
        "Can not convert manifest list to MIME type \"application/vnd.oci.image.manifest.v1+json\", which is "
        "not a "
        "list type");
}

TEST_CASE("index: malformed and ambiguous lists are refused") {
  for (const std::string text :
       {"{}", R"({"schemaVersion":1,"manifests":[]})", R"({"schemaVersion":2,"manifests":{}})",
        R"({"schemaVersion":2,"manifests":[],"layers":[]})",
        R"({"schemaVersion":2,"manifests":[],"config":{}})", R"({"schemaVersion":2,"manifests":[{}]})",
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]})"}) {
    CAPTURE(text);
    CHECK(lade::test::kind_of([&] { Index::parse(text, mt::oci_index); }) == lade::Kind::invalid_input);
  }
}
