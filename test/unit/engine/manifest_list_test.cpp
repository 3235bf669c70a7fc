#include "engine/manifest_list.hpp"

#include <doctest/doctest.h>

#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "support/errors.hpp"

using namespace lade;
using namespace lade::engine;

namespace {

spec::Digest digest_of(char digit) {
  return spec::Digest::parse("sha256:" + std::string(64, digit));
}

ManifestList::Entry entry_of(char digit, const std::string& architecture) {
  spec::Descriptor descriptor{
      std::string(spec::media_type::oci_manifest), digest_of(digit), 100, {}, {}, {}, "", ""};
  descriptor.platform = spec::Platform{"linux", architecture, "", "", {}};
  return {descriptor, {}};
}

std::string type_of(const ManifestList& list) {
  return spec::guess_manifest_type(list.serialize());
}

}  // namespace

TEST_CASE("manifest list: an empty one is Docker's, one with images OCI's") {
  ManifestList list;
  CHECK(list.serialize() ==
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.list.v2+json\","
        "\"manifests\":null}");
  list.add(entry_of('a', "amd64"));
  CHECK(type_of(list) == spec::media_type::oci_index);
}

TEST_CASE("manifest list: features of processors are only in Docker's, annotations only in OCI's") {
  ManifestList list;
  list.add(entry_of('a', "amd64"));
  list.entry(digest_of('a')).features = {"sse"};
  CHECK(type_of(list) == spec::media_type::docker_list);
  CHECK(ManifestList::parse(list.serialize()).entries()[0].features == std::vector<std::string>{"sse"});
  list.annotate({{"a", "b"}});
  CHECK(type_of(list) == spec::media_type::oci_index);
  CHECK(ManifestList::parse(list.serialize()).annotations() == spec::Annotations{{"a", "b"}});
}

TEST_CASE("manifest list: an image that is added again replaces itself") {
  ManifestList list;
  list.add(entry_of('a', "amd64"));
  list.add(entry_of('b', "arm64"));
  list.add(entry_of('a', "riscv64"));
  REQUIRE(list.entries().size() == 2);
  CHECK(list.entries()[1].descriptor.platform->architecture == "riscv64");
}

TEST_CASE("manifest list: what is not in it cannot go") {
  ManifestList list;
  list.add(entry_of('a', "amd64"));
  const std::string message = test::message_of([&] { list.remove(digest_of('b')); });
  CHECK(message.find("no instance matching digest \"sha256:bbb") == 0);
  CHECK(message.find("found in manifest list: file does not exist") != std::string::npos);
  list.remove(digest_of('a'));
  CHECK(list.entries().empty());
}

TEST_CASE("manifest list: it is shown with all that either format knows") {
  ManifestList list;
  auto entry = entry_of('a', "arm");
  entry.descriptor.platform->variant = "v7";
  entry.descriptor.annotations = {{"k", "v"}};
  entry.features = {"f"};
  list.add(entry);
  CHECK(spec::dump_json(list.to_json({{entry.descriptor.digest.str(), {"/x"}}})["manifests"][0]) ==
        "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":100,\"digest\":\"" +
            digest_of('a').str() +
            "\",\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\",\"features\":[\"f\"]},"
            "\"annotations\":{\"k\":\"v\"},\"files\":[\"/x\"]}");
}

TEST_CASE("manifest list: a single image is none") {
  CHECK_THROWS_AS(ManifestList::parse("{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"), Error);
}
