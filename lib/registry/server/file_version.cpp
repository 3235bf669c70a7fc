#include "registry/server/file_version.hpp"

#include <sys/stat.h>

#include <cerrno>

#include "base/error.hpp"

namespace lade::registry::server {

FileVersion version_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    throw Error::from_errno(errno, "stat " + path.string());
  }
  return {status.st_ino, status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

}  // namespace lade::registry::server
