#include "transport/oci/layout.hpp"

#include "os/file.hpp"

namespace lade::transport::oci {

namespace fs = std::filesystem;

LayoutDirectory::LayoutDirectory(fs::path path, const std::string& shared_blob_dir)
    : path_(path.empty() ? fs::path(".") : std::move(path)),
      blobs_(shared_blob_dir.empty() ? path_ / "blobs" : fs::path(shared_blob_dir)) {}

fs::path LayoutDirectory::blob_path(const spec::Digest& digest) const {
  return blobs_ / digest.algorithm_name() / digest.hex();
}

bool LayoutDirectory::exists() const {
  return fs::exists(index_path());
}

std::string LayoutDirectory::index() const {
  return os::read_file(index_path(), max_index_size);
}

std::optional<Blob> LayoutDirectory::find_blob(const spec::Digest& digest) const {
  auto fd = os::try_open_file(blob_path(digest), O_RDONLY);
  if (!fd) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(os::stat_of(*fd).st_size);
  return Blob{std::make_unique<os::FileReader>(std::move(*fd)), size};
}

}  // namespace lade::transport::oci
