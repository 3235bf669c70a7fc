#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "runtime/child_files.hpp"

namespace lade::runtime {
namespace {

constexpr int deepest_copy = 64;  // each level has its buffers on the stack

struct LinuxEntry {  // of getdents64(2)
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

int copy_file(int from, int to, const char* name, const struct stat& info) {
  const int source = ::openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (source < 0) return -errno;
  const int target = ::openat(to, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
  int result = target < 0 ? -errno : 0;
  off_t left = info.st_size;
  while (result == 0 && left > 0) {
    const auto sent = ::sendfile(target, source, nullptr, static_cast<std::size_t>(left));
    if (sent < 0) result = -errno;
    if (sent <= 0) break;
    left -= sent;
  }
  if (target >= 0) ::close(target);
  ::close(source);
  return result;
}

int copy_link(int from, int to, const char* name) {
  char link[PATH_MAX];
  const auto length = ::readlinkat(from, name, link, sizeof link - 1);
  if (length < 0) return -errno;
  link[length] = 0;
  return ::symlinkat(link, to, name) < 0 ? -errno : 0;
}

int copy_directory(int from, int to, int depth);

int copy_subdirectory(int from, int to, const char* name, int depth) {
  if (::mkdirat(to, name, 0700) < 0) return -errno;
  const int source = ::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (source < 0) return -errno;
  const int target = ::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const int result = target < 0 ? -errno : copy_directory(source, target, depth + 1);
  if (target >= 0) ::close(target);
  ::close(source);
  return result;
}

int copy_owner_mode_times(int to, const char* name, const struct stat& info) {
  // Owners that a user namespace does not have stay those of the one who copies.
  if (::fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM &&
      errno != EINVAL)
    return -errno;
  if (!S_ISLNK(info.st_mode) && ::fchmodat(to, name, info.st_mode & 07777, 0) < 0) return -errno;
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return ::utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int copy_entry(int from, int to, const char* name, int depth) {
  struct stat info;
  if (::fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
  int result = 0;
  switch (info.st_mode & S_IFMT) {
    case S_IFREG: result = copy_file(from, to, name, info); break;
    case S_IFLNK: result = copy_link(from, to, name); break;
    case S_IFDIR: result = copy_subdirectory(from, to, name, depth); break;
    case S_IFSOCK: return 0;  // nobody listens on a copy
    default: result = ::mknodat(to, name, info.st_mode, info.st_rdev) < 0 ? -errno : 0; break;
  }
  return result < 0 ? result : copy_owner_mode_times(to, name, info);
}

int copy_directory(int from, int to, int depth) {
  if (depth > deepest_copy) return -ELOOP;
  alignas(LinuxEntry) char buffer[8192];
  for (;;) {
    const auto got = ::syscall(SYS_getdents64, from, buffer, sizeof buffer);
    if (got < 0) return -errno;
    if (got == 0) return 0;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const LinuxEntry*>(buffer + at);
      at += entry->length;
      if (std::strcmp(entry->name, ".") == 0 || std::strcmp(entry->name, "..") == 0) continue;
      if (const int result = copy_entry(from, to, entry->name, depth); result < 0) return result;
    }
  }
}

}  // namespace

int copy_up(int from, int to) {
  struct stat info;
  if (::fstat(from, &info) < 0) return -errno;
  if (const int result = copy_directory(from, to, 0); result < 0) return result;
  if (::fchown(to, info.st_uid, info.st_gid) < 0 && errno != EPERM && errno != EINVAL) return -errno;
  return ::fchmod(to, info.st_mode & 07777) < 0 ? -errno : 0;
}

}  // namespace lade::runtime
