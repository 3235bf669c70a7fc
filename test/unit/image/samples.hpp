// Images for the tests of image/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/digester.hpp"
#include "spec/json.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "support/memory_transport.hpp"

namespace lade::test {

inline const std::string docker_config =
    R"({"architecture":"amd64","config":{"Hostname":"h","Env":["A=1"],"Labels":{"l":"x<y"}},"container":"c",)"
    R"("created":"2024-01-02T03:04:05.500Z","docker_version":"20.10","os":"linux","history":[)"
    R"({"created":"2024-01-02T03:04:01Z","created_by":"ADD a","author":"me"},)"
    R"({"created":"2024-01-02T03:04:02Z","created_by":"ENV A=1","empty_layer":true},)"
    R"({"created":"2024-01-02T03:04:03Z","created_by":"ADD b","comment":"last"}],)"
    R"("rootfs":{"type":"layers","diff_ids":["sha256:1111111111111111111111111111111111111111111111111111111111111111",)"
    R"("sha256:2222222222222222222222222222222222222222222222222222222222222222"]}})";

inline spec::RawManifest make_raw(std::string bytes, std::string_view type) {
  const auto digest = io::digest_of(spec::manifest_payload(bytes));
  return {std::move(bytes), std::string(type), digest};
}

// An image with two layers, "layer one" and "layer two", which is the top of the store.
struct Sample {
  std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
  MemorySource source{store};
  spec::Manifest manifest;
  spec::RawManifest raw;

  explicit Sample(std::string_view type = spec::media_type::docker_manifest,
                  const std::string& config = docker_config)
      : manifest(make(*store, type, config)), raw(make_raw(manifest.serialize(), type)) {
    set_top(*store, raw);
  }

  static spec::Manifest make(MemoryStore& store, std::string_view type, const std::string& config) {
    const bool is_oci = type == spec::media_type::oci_manifest;
    const auto layer = is_oci ? spec::media_type::oci_layer_gzip : spec::media_type::docker_layer_gzip;
    const auto config_type = is_oci ? spec::media_type::oci_config : spec::media_type::docker_config;
    return spec::Manifest::make(type, add_blob(store, config_type, config),
                                {add_blob(store, layer, "layer one"), add_blob(store, layer, "layer two")});
  }
};

// A schema 1 manifest of three layers, the middle one empty.
inline std::string schema1_text() {
  const auto id = [](char fill) { return std::string(64, fill); };
  const auto layer = [](const std::string& text) {
    return spec::Json{{"blobSum", io::digest_of(text).str()}};
  };
  const auto entry = [](const spec::Json& v1) {
    return spec::Json{{"v1Compatibility", spec::dump_json(v1)}};
  };
  const spec::Json top = {{"id", id('c')},
                          {"parent", id('b')},
                          {"architecture", "amd64"},
                          {"os", "linux"},
                          {"created", "2015-01-01T00:00:03.5Z"},
                          {"docker_version", "1.9.1"},
                          {"Size", 7},
                          {"container_config", {{"Cmd", {"/bin/sh", "-c", "third"}}}},
                          {"config", {{"Env", {"A=1"}}, {"Labels", {{"l", "v"}}}}}};
  const spec::Json middle = {{"id", id('b')},
                             {"parent", id('a')},
                             {"created", "2015-01-01T00:00:02Z"},
                             {"container_config", {{"Cmd", {"second"}}}},
                             {"throwaway", true}};
  const spec::Json root = {{"id", id('a')}, {"created", "2015-01-01T00:00:01Z"}, {"author", "me"}};
  return spec::dump_json({{"name", "library/old"},
                          {"tag", "v1"},
                          {"architecture", "amd64"},
                          {"fsLayers", {layer("layer two"), layer("empty"), layer("layer one")}},
                          {"history", {entry(top), entry(middle), entry(root)}},
                          {"schemaVersion", 1}});
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to replace");
  return text.replace(at, from.size(), to);
}

}  // namespace lade::test
