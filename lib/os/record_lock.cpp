#include "os/record_lock.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace lade::os {

namespace {

// False if somebody else has it.
bool try_record_lock(const UniqueFd& fd, RecordLock::Mode mode, const std::filesystem::path& path) {
  struct flock request {};
  request.l_type = mode == RecordLock::Mode::shared ? F_RDLCK : F_WRLCK;
  request.l_whence = SEEK_SET;
  while (::fcntl(fd.get(), F_OFD_SETLK, &request) != 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EACCES) return false;
    throw Error::from_errno(errno, "lock " + path.string());
  }
  return true;
}

// F_OFD_SETLKW could not be woken by a stop token: ask again and again, but often enough to get a turn among
// programs that wait in the kernel.
void wait_for_record_lock(const Context& context, const UniqueFd& fd, RecordLock::Mode mode,
                          const std::filesystem::path& path) {
  using std::chrono::milliseconds;
  for (milliseconds pause{1}; !try_record_lock(fd, mode, path); pause = std::min(pause * 2, milliseconds{8}))
    context.clock.sleep(pause, context.stop);
}

bool is_still_at(const UniqueFd& fd, const std::filesystem::path& path) {
  struct ::stat open {
  }, named{};
  return ::fstat(fd.get(), &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

}  // namespace

RecordLock::RecordLock(const Context& context, const std::filesystem::path& path, Mode mode,
                       mode_t file_mode) {
  do {
    fd_ = open_file(path, O_RDWR | O_CREAT, file_mode);
    wait_for_record_lock(context, fd_, mode, path);
  } while (!is_still_at(fd_, path));
}

std::optional<RecordLock> RecordLock::try_lock(const std::filesystem::path& path, Mode mode) {
  auto fd = try_open_file(path, O_RDWR);
  if (!fd || !try_record_lock(*fd, mode, path) || !is_still_at(*fd, path)) return std::nullopt;
  return RecordLock(*std::move(fd));
}

std::optional<RecordLock> RecordLock::lock_read_only(const Context& context,
                                                     const std::filesystem::path& path) {
  auto fd = try_open_file(path, O_RDONLY);
  if (!fd) return std::nullopt;
  wait_for_record_lock(context, *fd, Mode::shared, path);
  return RecordLock(*std::move(fd));
}

}  // namespace lade::os
