// fcntl(2) locks of whole files: they exclude, and are excluded by, the POSIX record locks that other
// programs hold. Between threads of one process too, since they belong to the open file (F_OFD_SETLK).
#pragma once

#include <filesystem>
#include <optional>

#include "base/context.hpp"
#include "os/unique_fd.hpp"

namespace lade::os {

// Held while the object lives. The file is created empty if it is not there; it MUST never be renamed, and
// only be removed by who holds the lock.
class [[nodiscard]] RecordLock {
 public:
  enum class Mode { shared, exclusive };

  // Waits for others; Cancelled when the context is stopped meanwhile. After the wait the file at `path` is
  // the one that is locked, even if somebody removed it meanwhile.
  RecordLock(const Context& context, const std::filesystem::path& path, Mode mode, mode_t file_mode = 0644);

  // Does not wait and creates nothing: nullopt if another has it, or if there is no such file.
  static std::optional<RecordLock> try_lock(const std::filesystem::path& path, Mode mode);

  // Shared, of a file that may only be read. nullopt if there is no such file.
  static std::optional<RecordLock> lock_read_only(const Context& context, const std::filesystem::path& path);

  const UniqueFd& fd() const { return fd_; }

 private:
  explicit RecordLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace lade::os
