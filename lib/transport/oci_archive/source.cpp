#include <filesystem>

#include "spec/json.hpp"
#include "transport/archive_input.hpp"
#include "transport/local_path.hpp"
#include "transport/oci/layout_source.hpp"
#include "transport/oci_archive/archive.hpp"

namespace lade::transport::oci_archive {

namespace {

class ArchiveFiles final : public oci::LayoutFiles {
 public:
  ArchiveFiles(const Context& context, const std::string& path, const std::string& spool_dir)
      : path_(path), tar_(open(context, path, spool_dir)) {}

  std::string index() const override {
    const auto found = find(std::string(oci::index_file));
    if (!found) {
      throw Error(Kind::not_found, "there is no " + std::string(oci::index_file) + " in " + path_);
    }
    return io::read_all(*found->reader, oci::max_index_size, oci::index_file);
  }

  std::optional<Blob> find_blob(const spec::Digest& digest) const override {
    return find("blobs/" + std::string(digest.algorithm_name()) + "/" + digest.hex());
  }

 private:
  // As unpacking would do it: of two members with one name, the last stays.
  static archive::TarIndex open(const Context& context, const std::string& path,
                                const std::string& spool_dir) {
    if (!std::filesystem::exists(path)) {
      throw Error(Kind::not_found, "archive file not found: " + spec::dump_json(path));
    }
    return open_archive(context, path, spool_dir, archive::TarIndex::Duplicates::last);
  }

  std::optional<Blob> find(const std::string& name) const {
    const auto* entry = tar_.find_file(name);
    if (entry == nullptr || entry->header.type != archive::TarType::regular) return std::nullopt;
    return Blob{tar_.open(*entry), entry->header.size};
  }

  std::string path_;
  archive::TarIndex tar_;
};

}  // namespace

std::unique_ptr<ImageSource> open_source(const Context& context, const oci::LayoutName& name,
                                         const Options& options) {
  return oci::make_layout_source(
      std::make_unique<ArchiveFiles>(context, resolve_path(name.path), options.big_files_dir), name, options);
}

}  // namespace lade::transport::oci_archive
