#include "os/temp_dir.hpp"

#include <stdlib.h>

#include <cerrno>

#include "base/error.hpp"

namespace lade::os {

TempDir::TempDir(const std::filesystem::path& parent, std::string_view prefix) {
  std::string name = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error::from_errno(errno, "create a temporary directory in " + parent.string());
  }
  path_ = std::move(name);
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace lade::os
