#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>

#include "runtime/child.hpp"
#include "runtime/child_files.hpp"

namespace lade::runtime {
namespace {

using step::MountAt;

class MountFd {
 public:
  explicit MountFd(int fd) : fd_(fd) {}
  MountFd(const MountFd&) = delete;
  MountFd& operator=(const MountFd&) = delete;
  ~MountFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

int set_attributes(int mount, std::uint64_t set, std::uint64_t clear, std::uint64_t propagation,
                   bool recursive) {
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  if (::syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes) == 0) return 0;
  return -errno;
}

int set_bind_attributes(int mount, const MountAt& step) {
  if (step.attributes != 0 || step.clear != 0) {
    int result = set_attributes(mount, step.attributes, step.clear, 0, false);
    // A user namespace may not take away what the host has locked: it stays.
    const std::uint64_t atime = step.clear & MOUNT_ATTR__ATIME;
    if (result == -EPERM && step.clear != 0) result = set_attributes(mount, step.attributes, atime, 0, false);
    if (result == -EPERM && atime != 0)
      result = set_attributes(mount, step.attributes & ~static_cast<std::uint64_t>(MOUNT_ATTR__ATIME), 0, 0,
                              false);
    if (result < 0) return result;
  }
  if (step.recursive_attributes != 0 || step.recursive_clear != 0)
    return set_attributes(mount, step.recursive_attributes, step.recursive_clear, 0, true);
  return 0;
}

int set_propagation(int mount, const MountAt& step) {
  for (const unsigned long flags : step.propagation) {
    if (::mount(nullptr, FdPath(mount).c_str(), nullptr, flags, nullptr) < 0) return -errno;
  }
  return 0;
}

// Files of /proc that are commonly replaced. Anything else there would mislead what reads or masks it later.
bool may_cover_in_proc(const char* path) {
  static constexpr const char* allowed[] = {"/proc/cpuinfo",
                                            "/proc/diskstats",
                                            "/proc/meminfo",
                                            "/proc/stat",
                                            "/proc/swaps",
                                            "/proc/uptime",
                                            "/proc/loadavg",
                                            "/proc/slabinfo",
                                            "/proc/net/dev",
                                            "/proc/sys/kernel/ns_last_pid",
                                            "/proc/sys/crypto/fips_enabled"};
  for (const char* name : allowed) {
    if (std::strcmp(path, name) == 0) return true;
  }
  return false;
}

int check_target(int target, const MountAt& step) {
  struct statfs info;
  if (::fstatfs(target, &info) < 0) return -errno;
  if (info.f_type != PROC_SUPER_MAGIC || step.type == "proc") return 0;
  // Masks of directories as podman writes them for itself.
  const bool empties = step.type == "tmpfs" && (step.flags & MS_RDONLY) != 0;
  return empties || may_cover_in_proc(step.target.c_str()) ? 0 : -fault_proc;
}

int bind_classic(const ChildRoot& root, const MountAt& step) {
  const MountFd source(::open(step.source.c_str(), O_PATH | O_CLOEXEC));
  struct stat info;
  if (source.get() < 0 || ::fstat(source.get(), &info) < 0) return -errno;
  const MountFd target(open_target(root.fd, step.target.c_str(), S_ISDIR(info.st_mode)));
  if (target.get() < 0) return target.get();
  if (const int fault = check_target(target.get(), step); fault < 0) return fault;
  if (::mount(FdPath(source.get()).c_str(), FdPath(target.get()).c_str(), nullptr,
              MS_BIND | (step.flags & MS_REC), nullptr) < 0)
    return -errno;
  const MountFd mounted(open_below(root.fd, step.target.c_str(), O_PATH));
  struct stat seen;
  if (mounted.get() < 0) return mounted.get();
  if (::fstat(mounted.get(), &seen) < 0) return -errno;
  if (seen.st_dev != info.st_dev || seen.st_ino != info.st_ino) return -fault_link;
  if (step.recursive_attributes != 0 || step.recursive_clear != 0) return -ENOSYS;
  struct statfs system;
  if (::fstatfs(mounted.get(), &system) < 0) return -errno;
  constexpr unsigned long all = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;  // as MOUNT_ATTR_* and ST_*
  const unsigned long flags =
      ((static_cast<unsigned long>(system.f_flags) & all) | (step.attributes & all)) & ~step.clear;
  if (step.attributes != 0 &&
      ::mount(nullptr, FdPath(mounted.get()).c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) < 0)
    return -errno;
  return set_propagation(mounted.get(), step);
}

int bind_mount(const ChildRoot& root, const MountAt& step, const int* sources) {
  if (!root.has_mount_api) return bind_classic(root, step);
  const unsigned recursive = (step.flags & MS_REC) != 0 ? AT_RECURSIVE : 0;
  int tree_fd = -1;
  if (step.source_fd) {
    tree_fd = sources[*step.source_fd];
  } else {
    tree_fd = static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, step.source.c_str(),
                                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive));
    if (tree_fd < 0) return -errno;
  }
  const MountFd tree(tree_fd);
  struct stat info;
  if (::fstat(tree.get(), &info) < 0) return -errno;
  const MountFd target(open_target(root.fd, step.target.c_str(), S_ISDIR(info.st_mode)));
  if (target.get() < 0) return target.get();
  if (const int fault = check_target(target.get(), step); fault < 0) return fault;
  if (const int result = set_bind_attributes(tree.get(), step); result < 0) return result;
  if (::syscall(SYS_move_mount, tree.get(), "", target.get(), "",
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    return -errno;
  return set_propagation(tree.get(), step);
}

int remount(const ChildRoot& root, const MountAt& step) {
  const MountFd target(open_below(root.fd, step.target.c_str(), O_PATH));
  if (target.get() < 0) return target.get();
  if (step.is_bind()) {
    if (root.has_mount_api) return set_bind_attributes(target.get(), step);
    constexpr unsigned long all = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (::mount(nullptr, FdPath(target.get()).c_str(), nullptr,
                MS_REMOUNT | MS_BIND | (step.attributes & all), nullptr) < 0)
      return -errno;
  } else if (::mount(step.source.c_str(), FdPath(target.get()).c_str(),
                     step.type.empty() ? nullptr : step.type.c_str(), step.flags, step.data.c_str()) < 0) {
    return -errno;
  }
  return set_propagation(target.get(), step);
}

int bind_fallback(const ChildRoot& root, const MountAt& step) {
  const MountFd target(open_below(root.fd, step.target.c_str(), O_PATH));
  if (target.get() < 0) return target.get();
  if (::mount(step.fallback.c_str(), FdPath(target.get()).c_str(), nullptr, MS_BIND | MS_REC, nullptr) < 0)
    return -errno;
  const MountFd mounted(open_below(root.fd, step.target.c_str(), O_PATH));
  if (mounted.get() < 0) return mounted.get();
  constexpr unsigned long all = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (!root.has_mount_api) return 0;
  return set_attributes(mounted.get(), step.flags & all, 0, 0, true);
}

void put_octal(char* out, unsigned mode) {
  for (int shift = 9; shift >= 0; shift -= 3) *out++ = static_cast<char>('0' + (mode >> shift & 7));
  *out = 0;
}

// The options for mount(2); false if they do not fit.
bool mount_data(char (&out)[4096], const MountAt& step, unsigned covered_mode) {
  constexpr std::size_t reserve = 16;
  if (step.data.size() + reserve > sizeof out) return false;
  std::memcpy(out, step.data.c_str(), step.data.size() + 1);
  if (!step.keep_mode) return true;
  char* at = out + step.data.size();
  if (!step.data.empty()) *at++ = ',';
  std::memcpy(at, "mode=", 5);
  put_octal(at + 5, covered_mode & 07777);
  return true;
}

int finish_copy_up(const ChildRoot& root, const MountAt& step, int covered) {
  const MountFd from(::openat(covered, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const MountFd to(open_below(root.fd, step.target.c_str(), O_RDONLY | O_DIRECTORY));
  if (from.get() < 0) return -errno;
  if (to.get() < 0) return to.get();
  if (const int result = copy_up(from.get(), to.get()); result < 0) return result;
  if ((step.flags & MS_RDONLY) == 0) return 0;
  return ::mount(nullptr, FdPath(to.get()).c_str(), nullptr, MS_REMOUNT | step.flags, step.data.c_str()) < 0
             ? -errno
             : 0;
}

int mount_file_system(const ChildRoot& root, const MountAt& step) {
  const MountFd target(open_target(root.fd, step.target.c_str(), true));
  if (target.get() < 0) return target.get();
  if (step.exactly_here) {
    const MountFd exact(open_below(root.fd, step.target.c_str(), O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
    if (exact.get() == -ELOOP) return -fault_link;
    if (exact.get() < 0) return exact.get();
  }
  if (const int fault = check_target(target.get(), step); fault < 0) return fault;
  struct stat covered;
  if (::fstat(target.get(), &covered) < 0) return -errno;
  char data[4096];
  if (!mount_data(data, step, covered.st_mode)) return -E2BIG;
  const unsigned long flags = step.copy_up ? step.flags & ~static_cast<unsigned long>(MS_RDONLY) : step.flags;
  if (::mount(step.source.empty() ? step.type.c_str() : step.source.c_str(), FdPath(target.get()).c_str(),
              step.type.c_str(), flags, data) < 0) {
    const int error = errno;
    const int bound = step.fallback.empty() ? -error : bind_fallback(root, step);
    return bound < 0 ? -error : 0;
  }
  if (step.copy_up) {
    if (const int result = finish_copy_up(root, step, target.get()); result < 0) return result;
  }
  if (step.propagation.empty()) return 0;
  const MountFd mounted(open_below(root.fd, step.target.c_str(), O_PATH));
  return mounted.get() < 0 ? mounted.get() : set_propagation(mounted.get(), step);
}

}  // namespace

int mount_at(const ChildRoot& root, const MountAt& step, const int* sources) {
  if ((step.flags & MS_REMOUNT) != 0) return remount(root, step);
  return step.is_bind() ? bind_mount(root, step, sources) : mount_file_system(root, step);
}

}  // namespace lade::runtime
