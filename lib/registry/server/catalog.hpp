// What a layout holds at one moment, as a registry sees it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "registry/server/layout_index.hpp"
#include "spec/descriptor.hpp"
#include "spec/manifest.hpp"

namespace lade::registry::server {

// The parts of a manifest that a registry looks at.
struct StoredManifest {
  // Of the manifest itself; artifact_type and annotations are those that the referrers API shows.
  spec::Descriptor descriptor;
  std::optional<spec::Digest> subject;
  std::vector<spec::Descriptor> blobs;      // config and layers
  std::vector<spec::Descriptor> instances;  // of an index
};

// Kind::invalid_input for malformed and Kind::unsupported for unknown kinds of manifests.
StoredManifest read_manifest(const spec::RawManifest& manifest);

using ManifestPtr = std::shared_ptr<const StoredManifest>;

struct Repository {
  std::map<std::string, ManifestPtr, std::less<>> tags;
  std::map<spec::Digest, ManifestPtr> manifests;
};

using Catalog = std::map<std::string, Repository, std::less<>>;

// nullptr for manifests that cannot be read. media_type may be "".
using ManifestLoader = std::function<ManifestPtr(const spec::Digest& digest, const std::string& media_type)>;

Catalog build_catalog(const LayoutIndex& index, const ManifestLoader& load);

}  // namespace lade::registry::server
