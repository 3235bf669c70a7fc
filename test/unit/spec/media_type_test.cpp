#include "spec/media_type.hpp"

#include <doctest/doctest.h>

using namespace lade::spec;
namespace mt = lade::spec::media_type;

TEST_CASE("media type: manifests, lists and schema 1 are told apart") {
  CHECK(is_list(mt::oci_index));
  CHECK(is_list(mt::docker_list));
  CHECK_FALSE(is_list(mt::oci_manifest));
  CHECK(is_schema1(mt::docker_manifest_v1));
  CHECK(is_manifest(mt::docker_manifest_v1_signed));
  CHECK(is_manifest(mt::docker_manifest));
  CHECK_FALSE(is_manifest(mt::oci_index));
  CHECK_FALSE(is_manifest(mt::oci_config));
}

TEST_CASE("media type: layers, foreign and encrypted ones") {
  CHECK(is_layer(mt::docker_layer_gzip));
  CHECK(is_layer(mt::oci_nondistributable_zstd));
  CHECK(is_layer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"));
  CHECK_FALSE(is_layer(mt::oci_config));
  CHECK_FALSE(is_layer(""));
  CHECK(is_foreign_layer(mt::docker_foreign_layer_gzip));
  CHECK_FALSE(is_foreign_layer(mt::oci_layer_tar));
  CHECK(is_encrypted_layer("application/vnd.oci.image.layer.v1.tar+encrypted"));
  CHECK_FALSE(is_encrypted_layer(mt::oci_layer_gzip));
}

TEST_CASE("media type: a Content-Type loses its parameters") {
  CHECK(normalize_manifest_type("application/vnd.oci.image.index.v1+json; charset=utf-8") == mt::oci_index);
  CHECK(normalize_manifest_type(" Application/Vnd.OCI.image.manifest.v1+JSON ") == mt::oci_manifest);
  CHECK(normalize_manifest_type("") == mt::docker_manifest_v1_signed);
  CHECK(normalize_manifest_type("application/json;x") == mt::docker_manifest_v1_signed);
  CHECK(normalize_manifest_type("text/plain") == "text/plain");
}

TEST_CASE("media type: manifests without a type are guessed as containers/image does") {
  const std::pair<const char*, std::string_view> rows[] = {
      {R"({"mediaType":"application/vnd.oci.image.index.v1+json"})", mt::oci_index},
      {R"({"mediaType":"application/vnd.docker.distribution.manifest.v2+json","schemaVersion":2})",
       mt::docker_manifest},
      {R"({"schemaVersion":1})", mt::docker_manifest_v1},
      {R"({"schemaVersion":1,"signatures":[]})", mt::docker_manifest_v1_signed},
      {R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json"}})",
       mt::oci_manifest},
      {R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.docker.container.image.v1+json"}})",
       mt::docker_manifest},
      {R"({"schemaVersion":2,"manifests":[{}]})", mt::oci_index},
      {R"({"schemaVersion":2,"manifests":[]})", mt::oci_manifest},
      {R"({"schemaVersion":2,"config":{"mediaType":"x/y"},"layers":[]})", mt::oci_manifest},
      {R"({"schemaVersion":2,"config":{"mediaType":"x/y"},"manifests":[{}]})", ""},
      {R"({"mediaType":7,"schemaVersion":2})", ""},
      {R"({"schemaVersion":3})", ""},
      {R"({"schemaVersion":"2"})", ""},
      {"[]", ""},
      {"not json", ""},
      {"", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(guess_manifest_type(row.first) == row.second);
  }
}
