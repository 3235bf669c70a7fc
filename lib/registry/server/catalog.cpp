#include "registry/server/catalog.hpp"

#include "base/error.hpp"
#include "spec/media_type.hpp"

namespace lade::registry::server {

namespace {

// Indexes may nest; deeper than this they are somebody's joke.
constexpr int max_nesting = 8;

bool is_known_manifest(std::string_view media_type) {
  return media_type == spec::media_type::oci_manifest || media_type == spec::media_type::docker_manifest;
}

StoredManifest read_image(const spec::RawManifest& raw, StoredManifest stored) {
  const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
  stored.blobs = manifest.layers();
  stored.blobs.push_back(manifest.config());
  if (manifest.subject()) stored.subject = manifest.subject()->digest;
  // Distribution-spec, "Listing Referrers": without an artifactType it is the media type of the config.
  const auto& type = manifest.artifact_type();
  stored.descriptor.artifact_type = type.empty() ? manifest.config().media_type : type;
  stored.descriptor.annotations = manifest.annotations();
  return stored;
}

StoredManifest read_index(const spec::RawManifest& raw, StoredManifest stored) {
  const auto index = spec::Index::parse(raw.bytes, raw.media_type);
  stored.instances = index.instances();
  if (index.subject()) stored.subject = index.subject()->digest;
  stored.descriptor.artifact_type = index.artifact_type();
  stored.descriptor.annotations = index.annotations();
  return stored;
}

void add_manifest(Repository& repository, const ManifestPtr& manifest, const ManifestLoader& load,
                  int depth) {
  if (!repository.manifests.emplace(manifest->descriptor.digest, manifest).second) return;
  if (depth == max_nesting) return;
  for (const auto& instance : manifest->instances) {
    if (const auto child = load(instance.digest, instance.media_type)) {
      add_manifest(repository, child, load, depth + 1);
    }
  }
}

}  // namespace

StoredManifest read_manifest(const spec::RawManifest& raw) {
  StoredManifest stored{{raw.media_type, raw.digest, raw.bytes.size(), {}, {}, {}, {}, {}}, {}, {}, {}};
  if (is_known_manifest(raw.media_type)) return read_image(raw, std::move(stored));
  if (spec::is_list(raw.media_type)) return read_index(raw, std::move(stored));
  throw Error(Kind::unsupported, "manifests of type \"" + raw.media_type + "\" are not supported");
}

Catalog build_catalog(const LayoutIndex& index, const ManifestLoader& load) {
  Catalog catalog;
  for (const auto& entry : index.entries()) {
    const auto manifest = load(entry.digest, entry.media_type);
    if (!manifest) continue;
    Repository& repository = catalog[entry.repository];
    if (entry.tag) repository.tags.insert_or_assign(*entry.tag, manifest);
    add_manifest(repository, manifest, load, 0);
  }
  return catalog;
}

}  // namespace lade::registry::server
