// What tests of transports share.
#pragma once

#include "support/errors.hpp"
#include "support/image_builder.hpp"
#include "support/streams.hpp"
#include "support/temp_dir.hpp"
#include "transport/options.hpp"
#include "transport/transports.hpp"

namespace lade::test {

inline transport::PutBlob put_of(const TestBlob& blob, bool is_config = false) {
  transport::PutBlob put;
  put.digest = blob.descriptor.digest;
  put.size = blob.descriptor.size;
  put.is_config = is_config;
  return put;
}

inline void put(transport::ImageDestination& destination, const TestBlob& blob, bool is_config = false) {
  const auto reader = io::make_text_reader(blob.bytes);
  destination.put_blob(background(), put_of(blob, is_config), *reader);
}

inline void put_blobs(transport::ImageDestination& destination, const TestImage& image) {
  for (const auto& layer : image.layers) put(destination, layer);
  put(destination, image.config, true);
}

inline void write_image(const std::string& name, const TestImage& image,
                        const transport::Options& options = {}) {
  const auto destination = transport::parse_image_name(name)->open_destination(background(), options);
  put_blobs(*destination, image);
  destination->put_manifest(background(), image.manifest, std::nullopt);
  destination->commit(background());
}

inline std::unique_ptr<transport::ImageSource> open_source(const std::string& name,
                                                           const transport::Options& options = {}) {
  return transport::parse_image_name(name)->open_source(background(), options);
}

inline spec::RawManifest top_manifest(const std::string& name, const transport::Options& options = {}) {
  return open_source(name, options)->manifest(background(), std::nullopt);
}

inline std::string read_blob(transport::ImageSource& source, const spec::Digest& digest) {
  const spec::Descriptor descriptor{"", digest, 0, {}, {}, {}, "", ""};
  return read_text(*source.blob(background(), descriptor).reader);
}

inline ImageOptions named(std::string name) {
  ImageOptions options;
  options.name = std::move(name);
  return options;
}

inline ImageOptions docker_options(std::string name = "image") {
  return {.name = std::move(name),
          .manifest_type = spec::media_type::docker_manifest,
          .compression = io::Compression::none};
}

}  // namespace lade::test
