#include "base/error.hpp"
#include "config/blob_info_tables.hpp"

namespace lade::config {

std::unique_ptr<BlobInfoFile> open_blob_info_file(const std::filesystem::path&, bool) {
  throw Error(Kind::unsupported, "this build has no SQLite");
}

}  // namespace lade::config
