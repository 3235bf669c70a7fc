// Images in memory to copy, and the shortest way to copy them.
#pragma once

#include <string>
#include <vector>

#include "copy/copy.hpp"
#include "spec/media_type.hpp"
#include "support/memory_transport.hpp"

namespace lade::test {

namespace types = spec::media_type;

inline trust::PolicyContext accept_anything() {
  return trust::PolicyContext({{config::InsecureAcceptAnything{}}, {}});
}

inline copy::CopyResult run(const MemoryReference& from, const MemoryReference& to,
                            const copy::CopyOptions& options = {}) {
  return copy::copy_image(background(), accept_anything(), from, to, options);
}

inline spec::RawManifest raw(const spec::Manifest& manifest) {
  std::string bytes = manifest.serialize();
  const auto digest = io::digest_of(bytes);
  return {std::move(bytes), manifest.media_type(), digest};
}

inline spec::RawManifest raw(const spec::Index& index) {
  std::string bytes = index.serialize();
  const auto digest = io::digest_of(bytes);
  return {std::move(bytes), index.media_type(), digest};
}

// An OCI image with these layers, as plain tar unless another type is given.
inline spec::RawManifest add_image(MemoryStore& store, const std::vector<std::string>& layers,
                                   std::string_view layer_type = types::oci_layer_tar,
                                   const std::string& architecture = "amd64") {
  const std::string config = R"({"architecture":")" + architecture +
                             R"(","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}})";
  std::vector<spec::Descriptor> descriptors;
  for (const auto& layer : layers) descriptors.push_back(add_blob(store, layer_type, layer));
  return raw(
      spec::Manifest::make(types::oci_manifest, add_blob(store, types::oci_config, config), descriptors));
}

// A list of one image for each architecture.
inline spec::RawManifest add_list(MemoryStore& store, const std::vector<std::string>& architectures) {
  std::vector<spec::Descriptor> instances;
  for (const auto& architecture : architectures) {
    auto instance = add_manifest(
        store, add_image(store, {"layer of " + architecture, "shared"}, types::oci_layer_tar, architecture));
    instance.platform = spec::Platform{"linux", architecture, "", "", {}};
    instances.push_back(instance);
  }
  return raw(spec::Index::make(types::oci_index, instances));
}

inline transport::DestinationTraits compressing() {
  transport::DestinationTraits traits;
  traits.layers = transport::DestinationTraits::Layers::compress;
  return traits;
}

inline spec::Manifest top_manifest(const MemoryReference& reference) {
  auto content = reference.store->lock();
  return spec::Manifest::parse(content->top->bytes, content->top->media_type);
}

inline spec::Digest top_digest(const MemoryReference& reference) {
  return reference.store->lock()->top->digest;
}

inline std::string blob_of(const MemoryReference& reference, const spec::Digest& digest) {
  return reference.store->lock()->blobs.at(digest.str());
}

}  // namespace lade::test
