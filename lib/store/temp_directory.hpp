// Temporary directories that other programs remove if, and only if, whoever made them is gone: each has a
// lock file beside it, "lock-N" for "temp-dir-N".
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "os/record_lock.hpp"

namespace lade::store {

class TempDirectory {
 public:
  // Creates `parent` (0700) if it is not there.
  TempDirectory(const Context& context, const std::filesystem::path& parent);
  TempDirectory(TempDirectory&& other) noexcept;
  TempDirectory& operator=(TempDirectory&&) = delete;
  ~TempDirectory() { remove(); }

  const std::filesystem::path& path() const { return path_; }
  // A name in it that nobody has had yet.
  std::filesystem::path next_name();
  // With all it holds. What cannot be removed is left to the next remove_stale().
  void remove() noexcept;

 private:
  std::filesystem::path path_, lock_path_;
  std::optional<os::RecordLock> lock_;
  int count_ = 0;
};

// Those in `parent` whose makers are gone.
std::vector<std::filesystem::path> stale_temp_directories(const std::filesystem::path& parent);

// Removes those in `parent` whose makers are gone. Errors are not reported: what remains is tried again by
// the next.
void remove_stale_temp_directories(const std::filesystem::path& parent) noexcept;

}  // namespace lade::store
