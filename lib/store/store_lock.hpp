// The lock files of a store: who holds one may read (shared) or write (exclusive) what it guards, and its
// content tells readers that something has changed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "os/record_lock.hpp"

namespace lade::store {

using LockMode = os::RecordLock::Mode;

class [[nodiscard]] StoreLock {
 public:
  StoreLock(const Context& context, const std::filesystem::path& path, LockMode mode)
      : lock_(os::RecordLock(context, path, mode)) {}

  // Of a store that is only read: shared, and without a lock where there is no file.
  static StoreLock of_read_only(const Context& context, const std::filesystem::path& path) {
    return StoreLock(os::RecordLock::lock_read_only(context, path));
  }

  // What the last writer left; "" if nobody has written. Opaque: equal means that nothing has changed.
  std::string last_writer() const;

  // MUST be called, with the lock held exclusively, before what the lock guards is replaced.
  void mark_written();

 private:
  explicit StoreLock(std::optional<os::RecordLock> lock) : lock_(std::move(lock)) {}

  std::optional<os::RecordLock> lock_;
};

}  // namespace lade::store
