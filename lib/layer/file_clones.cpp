#include "layer/file_clones.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "os/file.hpp"

namespace lade::layer {

std::optional<os::UniqueFd> FileClones::make(const os::UniqueFd& file, const std::string& name) {
  constexpr std::size_t most_waiting = 64;  // more than a reader is ahead by
  {
    const std::lock_guard lock(mutex_);
    if (!possible_ || made_.size() >= most_waiting) return std::nullopt;
  }
  os::UniqueFd clone(::openat(directory_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!clone.is_open() || ::ioctl(clone.get(), FICLONE, file.get()) != 0) {
    const std::lock_guard lock(mutex_);
    possible_ = false;
    return std::nullopt;
  }
  // A descriptor of its own, with a position of its own.
  auto reader = os::try_open_file(fmt::format("/proc/self/fd/{}", clone.get()), O_RDONLY);
  if (!reader) return std::nullopt;
  const std::lock_guard lock(mutex_);
  made_.insert_or_assign(name, std::move(clone));
  return std::move(*reader);
}

std::optional<os::UniqueFd> FileClones::take(const std::string& name, std::uint64_t size) {
  if (size < min_size) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(name);
  if (found == made_.end()) return std::nullopt;
  os::UniqueFd clone = std::move(found->second);
  made_.erase(found);
  if (static_cast<std::uint64_t>(os::stat_of(clone).st_size) != size) return std::nullopt;
  return clone;
}

bool link_unnamed(const os::UniqueFd& file, int directory, const std::string& name) {
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  return ::linkat(AT_FDCWD, path.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace lade::layer
