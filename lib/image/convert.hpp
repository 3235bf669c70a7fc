// Images from one manifest format to another, as containers/image does it. Pure: what must be written is
// returned.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/schema1.hpp"
#include "spec/manifest.hpp"
#include "spec/reference.hpp"

namespace lade::image {

// A document that lade made, to be written as a blob.
struct Document {
  spec::Descriptor descriptor;
  std::string bytes;
};

struct Conversion {
  spec::RawManifest manifest;
  std::optional<Document> config;  // the new configuration; nullopt: the old one stays
  bool needs_empty_layer = false;  // the manifest names empty_layer(), which must be there as well
};

// A manifest of Docker schema 2 or OCI as `media_type`: one of these two or schema 1 (signed; "v1+json" too,
// since registries accept no other). `config` is the image's configuration blob. OCI to Docker: only media
// types change. Docker to OCI: the configuration is written again without the members that OCI does not know,
// so its digest changes. To schema 1: `destination` gives name and tag. Kind::unsupported when a layer or an
// artifact cannot be expressed.
Conversion convert(const spec::Manifest& manifest, std::string_view config, std::string_view media_type,
                   const std::optional<spec::Reference>& destination = std::nullopt);

// A schema 1 manifest as Docker schema 2 or OCI. For each of its layers, root first, empty ones too: the blob
// at the destination, and the digest of its uncompressed bytes.
Conversion convert(const Schema1& manifest, const std::vector<spec::Descriptor>& layers,
                   const std::vector<spec::DiffId>& diff_ids, std::string_view media_type);

}  // namespace lade::image
