#include <set>

#include "os/atomic_file.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "spec/media_type.hpp"
#include "transport/oci/layout.hpp"

namespace lade::transport::oci {

namespace {

using Digests = std::set<spec::Digest>;

bool is_readable(std::string_view media_type) {
  return spec::is_list(media_type) || media_type == spec::media_type::oci_manifest ||
         media_type == spec::media_type::docker_manifest;
}

// What a manifest or list refers to.
std::vector<spec::Descriptor> children_of(const spec::RawManifest& raw) {
  if (spec::is_list(raw.media_type)) return spec::Index::parse(raw.bytes, raw.media_type).instances();
  const auto manifest = spec::Manifest::parse(raw.bytes, raw.media_type);
  auto children = manifest.layers();
  children.push_back(manifest.config());
  return children;
}

// Adds the blobs that an entry needs, itself among them. A manifest that is not there needs nothing.
void add_reachable(const LayoutFiles& files, const spec::Descriptor& entry, Digests& result) {
  std::vector<spec::Descriptor> pending{entry};
  while (!pending.empty()) {
    const spec::Descriptor next = std::move(pending.back());
    pending.pop_back();
    if (!result.insert(next.digest).second || !is_readable(next.media_type)) continue;
    const auto raw = find_manifest(files, next.digest, next.media_type);
    if (!raw) continue;
    for (auto& child : children_of(*raw)) pending.push_back(std::move(child));
  }
}

}  // namespace

void remove_image(const Context& context, const LayoutName& name, const Options& options) {
  const LayoutDirectory layout(name.path, options.shared_blob_dir);
  const os::LockFile lock(context, layout.path());
  LayoutIndex index(layout.index());
  const auto position = index.choose(name);
  Digests unneeded;
  add_reachable(layout, index.manifests()[position], unneeded);
  index.remove(position);
  Digests needed;
  for (const auto& entry : index.manifests()) add_reachable(layout, entry, needed);

  const auto mode = os::stat_of(os::open_file(layout.index_path(), O_RDONLY)).st_mode & 07777;
  os::write_file(layout.index_path(), index.serialize() + "\n", {.mode = mode, .sync = false});
  const LayoutDirectory own(name.path, "");
  for (const auto& digest : unneeded) {
    if (!needed.contains(digest)) os::remove_file(own.blob_path(digest));
  }
}

}  // namespace lade::transport::oci
