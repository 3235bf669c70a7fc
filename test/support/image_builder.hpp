// Small images made in memory, the same bytes for the same options on every machine.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "archive/tar_writer.hpp"
#include "io/codec/codec.hpp"
#include "io/digester.hpp"
#include "io/stream.hpp"
#include "spec/image_config.hpp"
#include "spec/manifest.hpp"
#include "spec/media_type.hpp"
#include "support/text_writer.hpp"

namespace lade::test {

// A tar of regular files, name and content; names ending in '/' are directories.
inline std::string make_tar(const std::vector<std::pair<std::string, std::string>>& files) {
  TextWriter out;
  archive::TarWriter tar(out);
  for (const auto& [name, content] : files) {
    archive::TarHeader header;
    header.name = name;
    if (name.ends_with('/')) header.type = archive::TarType::directory;
    tar.add(header, content);
  }
  tar.finish();
  return out.text;
}

inline std::string compressed(std::string text, io::Compression format) {
  if (format == io::Compression::none) return text;
  io::CompressOptions options;
  options.format = format;
  options.threads = 1;
  const auto reader = io::compress(io::make_text_reader(std::move(text)), options);
  return io::read_all(*reader, 1 << 30, "test data");
}

struct TestBlob {
  spec::Descriptor descriptor;
  std::string bytes;
};

inline TestBlob make_blob(std::string_view media_type, std::string bytes) {
  spec::Descriptor descriptor{
      std::string(media_type), io::digest_of(bytes), bytes.size(), {}, {}, {}, "", ""};
  return {std::move(descriptor), std::move(bytes)};
}

struct TestImage {
  spec::RawManifest manifest;
  TestBlob config;
  std::vector<TestBlob> layers;
  std::vector<spec::DiffId> diff_ids;

  // Config and layers, by "sha256:<hex>".
  std::map<std::string, std::string> blobs() const {
    std::map<std::string, std::string> result{{config.descriptor.digest.str(), config.bytes}};
    for (const auto& layer : layers) result[layer.descriptor.digest.str()] = layer.bytes;
    return result;
  }
};

struct ImageOptions {
  std::size_t layers = 2;
  std::string name = "image";  // goes into the files of the layers: other name, other digests
  std::string_view manifest_type = spec::media_type::oci_manifest;
  io::Compression compression = io::Compression::gzip;
  std::string os = "linux";
  std::string architecture = "amd64";
};

inline std::string_view layer_type(std::string_view manifest_type, io::Compression compression) {
  const bool oci = manifest_type == spec::media_type::oci_manifest;
  switch (compression) {
    case io::Compression::none:
      return oci ? spec::media_type::oci_layer_tar : spec::media_type::docker_layer_tar;
    case io::Compression::zstd:
      return oci ? spec::media_type::oci_layer_zstd : spec::media_type::docker_layer_zstd;
    default: return oci ? spec::media_type::oci_layer_gzip : spec::media_type::docker_layer_gzip;
  }
}

inline spec::RawManifest make_raw(std::string bytes, std::string_view media_type) {
  const auto digest = io::digest_of(bytes);
  return {std::move(bytes), std::string(media_type), digest};
}

inline TestImage make_image(const ImageOptions& options = {}) {
  std::vector<TestBlob> layers;
  std::vector<spec::DiffId> diff_ids;
  spec::Json diffs = spec::Json::array();
  spec::Json history = spec::Json::array();
  for (std::size_t i = 0; i < options.layers; ++i) {
    const auto number = std::to_string(i);
    auto tar = make_tar({{"etc/", ""}, {"etc/" + number, "layer " + number + " of " + options.name + "\n"}});
    diff_ids.push_back({io::digest_of(tar)});
    diffs.push_back(diff_ids.back().digest.str());
    history.push_back({{"created", "2024-01-02T03:04:05Z"}, {"created_by", "step " + number}});
    layers.push_back(make_blob(layer_type(options.manifest_type, options.compression),
                               compressed(std::move(tar), options.compression)));
  }
  const spec::Json config_json = {
      {"created", "2024-01-02T03:04:05Z"},
      {"architecture", options.architecture},
      {"os", options.os},
      {"config", {{"Env", {"PATH=/bin", "NAME=" + options.name}}, {"Cmd", {"/bin/sh"}}}},
      {"rootfs", {{"type", "layers"}, {"diff_ids", std::move(diffs)}}},
      {"history", std::move(history)}};
  const bool oci = options.manifest_type == spec::media_type::oci_manifest;
  auto config = make_blob(oci ? spec::media_type::oci_config : spec::media_type::docker_config,
                          spec::dump_json(config_json));
  std::vector<spec::Descriptor> descriptors;
  for (const auto& layer : layers) descriptors.push_back(layer.descriptor);
  auto bytes = spec::Manifest::make(options.manifest_type, config.descriptor, descriptors).serialize();
  return {make_raw(std::move(bytes), options.manifest_type), std::move(config), std::move(layers),
          std::move(diff_ids)};
}

// A list of such images, one a platform.
struct TestList {
  spec::RawManifest manifest;
  std::vector<TestImage> images;
};

inline TestList make_list(const std::vector<spec::Platform>& platforms, ImageOptions options = {}) {
  std::vector<TestImage> images;
  std::vector<spec::Descriptor> instances;
  for (const auto& platform : platforms) {
    options.os = platform.os;
    options.architecture = platform.architecture;
    options.name = platform.str();
    images.push_back(make_image(options));
    const auto& manifest = images.back().manifest;
    instances.push_back(
        {manifest.media_type, manifest.digest, manifest.bytes.size(), {}, {}, platform, "", ""});
  }
  const bool oci = options.manifest_type == spec::media_type::oci_manifest;
  const auto type = oci ? spec::media_type::oci_index : spec::media_type::docker_list;
  return {make_raw(spec::Index::make(type, instances).serialize(), type), std::move(images)};
}

}  // namespace lade::test
