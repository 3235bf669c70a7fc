// Tells one version of a file from another, to notice that somebody has changed it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace lade::registry::server {

struct FileVersion {
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified = 0;  // nanoseconds
  bool operator==(const FileVersion&) const = default;
};

// All zero if there is no such file.
FileVersion version_of(const std::filesystem::path& path);

}  // namespace lade::registry::server
