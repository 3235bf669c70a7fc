#include "os/lock_file.hpp"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>

namespace lade::os {

namespace {

UniqueFd open_for_lock(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_file(path, O_RDONLY | O_DIRECTORY);
  return open_file(path, O_RDWR | O_CREAT, 0600);
}

}  // namespace

LockFile::LockFile(const Context& context, const std::filesystem::path& path, Mode mode)
    : fd_(open_for_lock(path)) {
  const int operation = (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  // flock has no time limit and no way to be woken by a stop token: ask again and again, more and more
  // rarely.
  for (std::chrono::milliseconds pause{1}; ::flock(fd_.get(), operation) != 0;
       pause = std::min(pause * 2, std::chrono::milliseconds{50})) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) throw Error::from_errno(errno, "lock " + path.string());
    context.clock.sleep(pause, context.stop);
  }
}

}  // namespace lade::os
