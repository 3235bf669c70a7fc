// Large files of a tree as copies that share their data with it (ioctl_ficlone(2): XFS, btrfs, bcachefs):
// whoever makes the tar reads the copy, and whoever unpacks it gives the copy a name instead of writing. So
// what is unpacked is what was read and hashed, whatever happens to the tree meanwhile.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "os/unique_fd.hpp"

namespace lade::layer {

// Between the thread that reads and the one that unpacks.
class FileClones {
 public:
  // Smaller files are as quickly written.
  static constexpr std::uint64_t min_size = 256 * 1024;

  // `directory`: where the tar is unpacked, or of the same file system. Not owned.
  explicit FileClones(const os::UniqueFd& directory) : directory_(directory) {}

  // A clone of `file`, to be read from its beginning; nullopt if it cannot be had. `name`: the entry's.
  std::optional<os::UniqueFd> make(const os::UniqueFd& file, const std::string& name);
  // The clone made for that entry, writable and without a name; nullopt if there is none of this size.
  std::optional<os::UniqueFd> take(const std::string& name, std::uint64_t size);

 private:
  const os::UniqueFd& directory_;
  std::mutex mutex_;
  std::map<std::string, os::UniqueFd> made_;
  bool possible_ = true;
};

// linkat(2) of a file without a name; false with errno.
bool link_unnamed(const os::UniqueFd& file, int directory, const std::string& name);

}  // namespace lade::layer
