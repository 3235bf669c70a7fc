#include "registry/server/layout_store.hpp"

#include <sys/stat.h>

#include <chrono>
#include <system_error>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/lock_file.hpp"
#include "spec/json.hpp"
#include "spec/media_type.hpp"

namespace lade::registry::server {

namespace {

constexpr std::string_view upload_prefix = ".upload-";
constexpr std::chrono::hours longest_upload{24};

constexpr std::string_view layout_document = R"({"imageLayoutVersion":"1.0.0"})";

std::string folder_name(const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  return absolute.has_filename() ? absolute.filename() : absolute.parent_path().filename();
}

}  // namespace

LayoutStore::LayoutStore(std::filesystem::path folder, bool readonly, Logger& log)
    : folder_(std::move(folder)), repository_(default_repository(folder_name(folder_))), log_(log) {
  if (!readonly) create_layout();
  check_layout();
  catalog();
}

void LayoutStore::create_layout() const {
  os::mkdir_all(folder_ / "blobs" / "sha256");
  if (!os::find_file(folder_ / "oci-layout", 4096)) os::write_file(folder_ / "oci-layout", layout_document);
  remove_stale_uploads();
}

// A server that was killed leaves them. Young ones may belong to another that is alive.
void LayoutStore::remove_stale_uploads() const {
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::error_code gone;
    const auto modified = entry.last_write_time(gone);
    const bool upload = entry.path().filename().string().starts_with(upload_prefix);
    if (upload && !gone && now - modified > longest_upload) os::remove_file(entry.path());
  }
}

void LayoutStore::check_layout() const {
  const auto marker = os::find_file(folder_ / "oci-layout", 4096);
  if (!marker)
    throw Error(Kind::not_found, folder_.string() + " is not an OCI layout: it has no oci-layout file");
}

LayoutIndex LayoutStore::read_index() const {
  const auto text = os::find_file(index_path(), max_index_size);
  return text ? LayoutIndex(*text, repository_) : LayoutIndex(repository_);
}

std::shared_ptr<const Catalog> LayoutStore::catalog() {
  const std::lock_guard lock(mutex_);
  refresh();
  return catalog_;
}

void LayoutStore::refresh() {
  const FileVersion now = version_of(index_path());
  if (version_ == now) return;
  const auto loader = [this](const auto& digest, const auto& type) { return load(digest, type); };
  catalog_ = std::make_shared<const Catalog>(build_catalog(read_index(), loader));
  version_ = now;
}

// One unreadable manifest must not take the others down: it is served as it stands, or left out.
ManifestPtr LayoutStore::load(const spec::Digest& digest, const std::string& media_type) {
  if (const auto known = manifests_.find(digest); known != manifests_.end()) return known->second;
  const auto bytes = os::find_file(blob_path(digest), spec::max_manifest_size);
  if (!bytes) return nullptr;
  const spec::RawManifest raw{*bytes, media_type.empty() ? spec::guess_manifest_type(*bytes) : media_type,
                              digest};
  StoredManifest stored{{raw.media_type, digest, bytes->size(), {}, {}, {}, {}, {}}, {}, {}, {}};
  try {
    stored = read_manifest(raw);
  } catch (const Error& error) {
    log_.warning("manifest " + digest.str() + ": " + error.what());
  }
  return manifests_.emplace(digest, std::make_shared<const StoredManifest>(std::move(stored))).first->second;
}

std::filesystem::path LayoutStore::blob_path(const spec::Digest& digest) const {
  return folder_ / "blobs" / digest.algorithm_name() / digest.hex();
}

std::optional<std::uint64_t> LayoutStore::find_blob(const spec::Digest& digest) const {
  struct stat status {};
  if (::stat(blob_path(digest).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

std::string LayoutStore::read_manifest_bytes(const spec::Digest& digest) const {
  return os::read_file(blob_path(digest), spec::max_manifest_size);
}

os::AtomicFile LayoutStore::new_blob() const {
  return {folder_, upload_prefix};
}

void LayoutStore::commit_blob(os::AtomicFile file, const spec::Digest& digest) const {
  const auto path = blob_path(digest);
  os::mkdir_all(path.parent_path());
  // Clients skip blobs that are there, so one that a power cut emptied would never be mended.
  file.commit(path, {.mode = 0644, .sync = true});
}

bool LayoutStore::remove_blob(const spec::Digest& digest) const {
  return os::remove_file(blob_path(digest));
}

bool LayoutStore::update(const Context& context, const std::function<bool(LayoutIndex&)>& change) {
  const std::lock_guard guard(mutex_);
  const os::LockFile lock(context, folder_);
  LayoutIndex index = read_index();
  if (!change(index)) return false;
  os::write_file(index_path(), index.dump());
  const auto loader = [this](const auto& digest, const auto& type) { return load(digest, type); };
  catalog_ = std::make_shared<const Catalog>(build_catalog(index, loader));
  version_ = version_of(index_path());
  return true;
}

void LayoutStore::put_manifest(const Context& context, const std::string& repository,
                               const std::optional<std::string>& tag, const spec::RawManifest& manifest) {
  os::AtomicFile file = new_blob();
  file.write(io::as_bytes(manifest.bytes));
  commit_blob(std::move(file), manifest.digest);
  const spec::Descriptor descriptor{
      manifest.media_type, manifest.digest, manifest.bytes.size(), {}, {}, {}, {}, {}};
  update(context, [&](LayoutIndex& index) {
    if (tag) {
      index.set_tag(repository, *tag, descriptor);
    } else {
      index.add(repository, descriptor);
    }
    return true;
  });
}

bool LayoutStore::remove_tag(const Context& context, const std::string& repository, const std::string& tag) {
  return update(context, [&](LayoutIndex& index) { return index.remove_tag(repository, tag); });
}

bool LayoutStore::remove_manifest(const Context& context, const std::string& repository,
                                  const spec::Digest& digest) {
  return update(context, [&](LayoutIndex& index) { return index.remove_manifest(repository, digest); });
}

}  // namespace lade::registry::server
