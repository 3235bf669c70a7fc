// The registry's storage: an OCI image layout folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/context.hpp"
#include "os/atomic_file.hpp"
#include "os/unique_fd.hpp"
#include "registry/server/catalog.hpp"
#include "registry/server/file_version.hpp"

namespace lade::registry::server {

// Thread-safe.
class LayoutStore {
 public:
  // Makes the layout if it is not there, unless readonly.
  LayoutStore(std::filesystem::path folder, bool readonly, Logger& log);

  // The layout as it is now.
  std::shared_ptr<const Catalog> catalog();

  std::filesystem::path blob_path(const spec::Digest& digest) const;
  // Its size; nullopt if it is not there.
  std::optional<std::uint64_t> find_blob(const spec::Digest& digest) const;
  std::string read_manifest_bytes(const spec::Digest& digest) const;

  // A file that commit_blob can publish.
  os::AtomicFile new_blob() const;
  // The caller has checked that the content matches.
  void commit_blob(os::AtomicFile file, const spec::Digest& digest) const;
  // False if it is not there.
  bool remove_blob(const spec::Digest& digest) const;

  void put_manifest(const Context& context, const std::string& repository,
                    const std::optional<std::string>& tag, const spec::RawManifest& manifest);
  // False if it is not there.
  bool remove_tag(const Context& context, const std::string& repository, const std::string& tag);
  bool remove_manifest(const Context& context, const std::string& repository, const spec::Digest& digest);

 private:
  std::filesystem::path index_path() const { return folder_ / "index.json"; }
  void create_layout() const;
  void remove_stale_uploads() const;
  void check_layout() const;
  LayoutIndex read_index() const;
  void refresh();  // with mutex_ held
  ManifestPtr load(const spec::Digest& digest, const std::string& media_type);
  // Changes index.json under the lock; `change` returns whether there is something to write.
  bool update(const Context& context, const std::function<bool(LayoutIndex&)>& change);

  std::filesystem::path folder_;
  std::string repository_;
  Logger& log_;
  std::mutex mutex_;
  std::optional<FileVersion> version_;
  std::shared_ptr<const Catalog> catalog_;
  std::map<spec::Digest, ManifestPtr> manifests_;  // content-addressed, so they are never out of date
};

}  // namespace lade::registry::server
